"""`python -m specs.matrix` shows the inductive matrix: every command, every invariant, and why.

A cell is closed by the frame, by a theorem on what only removes, by what cannot be constructed, or
by theorems on the command. A cell that nothing closes is a hole, and fails. P-INDUCT.
"""

import argparse
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from types import FunctionType
from typing import Final, Literal, cast

from rich.console import Console
from rich.table import Table

from grantproof.core import invariants
from specs.closings import CLOSINGS, Closing
from specs.footprints import FIELDS, Footprint, Footprints
from specs.properties.commands import COMMANDS
from specs.run import UNREADABLE
from specs.theorems import statements

Kind = Literal["frame", "removal", "construction", "theorem", "hole"]
MARKS: Final[dict[Kind, str]] = {
    "frame": "·",
    "removal": "-",
    "construction": "c",
    "theorem": "T",
    "hole": "?",
}
CHECKS: Final[Mapping[str, invariants.Check]] = {**invariants.STRUCTURE, **invariants.MEANING}


@dataclass(frozen=True)
class Cell:
    """Whether a command keeps an invariant: by what kind of argument, which theorems, and why."""

    command: str
    invariant: str
    kind: Kind
    theorems: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Row:
    """An invariant, what its source reads, and by what its cells are closed."""

    invariant: str
    reads: frozenset[str]
    closing: Closing


def grid(
    prints: Footprints | None = None,
    *,
    stated: Collection[str] | None = None,
    commands: Iterable[type] = COMMANDS,
) -> tuple[Cell, ...]:
    """Return the cells of the commands, one after the other; `stated` names the theorems.

    `prints` are those of a source: of the one that is there, unless they are given.
    """
    read = Footprints() if prints is None else prints
    there = statements().keys() if stated is None else stated
    return tuple(cell for command in commands for cell in _of_command(read, command, there))


def _of_command(prints: Footprints, command: type, stated: Collection[str]) -> Iterator[Cell]:
    for invariant in (*CHECKS, *(name for name in CLOSINGS if name not in CHECKS)):
        cell = partial(Cell, command.__name__, invariant)
        if invariant not in CHECKS or invariant not in CLOSINGS:
            yield cell("hole", (), "it is checked, or closed, but not both")
            continue
        check = cast(FunctionType, CHECKS[invariant])
        try:
            row = Row(invariant, prints.read_by(check), CLOSINGS[invariant])
            closed = _closed(prints, command, row)
        except UNREADABLE as unreadable:
            yield cell("hole", (), f"not to be read: {unreadable}")
        else:
            missing = [name for name in closed.theorems if name not in stated]
            told = f"not stated: {', '.join(missing)}"
            yield closed if not missing else cell("hole", closed.theorems, told)


def _closed(prints: Footprints, command: type, row: Row) -> Cell:
    """Return the cell as the first argument that applies closes it."""
    cell = partial(Cell, command.__name__, row.invariant)
    does, always, closing = prints.of(command), prints.always, row.closing
    met = row.reads & (does.written | always)
    if not met:
        return cell("frame", (), f"reads {words(row.reads)}; writes {words(does.written)}")
    if not row.reads <= closing.speaks_of:
        told = words(row.reads - closing.speaks_of)
        return cell("hole", (), f"it reads {told}, of which its theorems do not speak")
    if closing.removal and not row.reads & (does.grown | always):
        told = f"only removes from {words(met)}: {words(sorted(_names(does)))}"
        return cell("removal", closing.removal, told)
    if closing.made:
        thawed = [cls.__name__ for cls in closing.made if not _is_frozen(cls)]
        if thawed:
            return cell("hole", (), f"not frozen: {words(thawed)}")
        return cell("construction", closing.constructors, closing.why)
    if wrong := _unsupposed(prints, does, closing):
        return cell("hole", (), wrong)
    own = tuple(f"properties.{module}.{command.__name__}" for module in closing.modules)
    theorems = (*own, *closing.besides)
    return cell("theorem" if theorems else "hole", theorems, f"{closing.why}; writes {words(met)}")


def _unsupposed(prints: Footprints, does: Footprint, closing: Closing) -> str:
    """Return what the row's argument needs and the source does not give, or nothing."""
    written = does.written & set(closing.unwritten)
    if written:
        return f"the command itself writes {words(written)}"
    if closing.apart is None:
        return ""
    both = prints.read_by(cast(FunctionType, closing.apart)) & prints.always
    return f"`{closing.apart.__name__}` reads {words(both)}, which `apply` writes" if both else ""


def _is_frozen(cls: type) -> bool:
    return bool(vars(cls)["__dataclass_params__"].frozen)


def _names(does: Footprint) -> Iterator[str]:
    return (fact.__name__ for fact in does.removed)


def words(names: Iterable[str]) -> str:
    """Return names as people read them."""
    told = sorted(names)
    return "everything" if len(told) == len(FIELDS) else ", ".join(told) or "nothing"


def holes(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Return the cells that nothing closes."""
    return tuple(cell for cell in cells if cell.kind == "hole")


def table(cells: Iterable[Cell]) -> Table:
    """Return the matrix for people: a command a row, an invariant a column, by its number."""
    kinds: dict[str, list[str]] = {}
    for cell in cells:
        kinds.setdefault(cell.command, []).append(MARKS[cell.kind])
    shown = Table(title="P-INDUCT: what keeps each invariant, command by command", box=None)
    shown.add_column("command")
    for number in range(1, 1 + max(map(len, kinds.values()))):
        shown.add_column(str(number), justify="right")
    for command, marks in kinds.items():
        shown.add_row(command, *marks)
    return shown


def legend(cells: Iterable[Cell]) -> Iterator[str]:
    """Yield what the numbers and the marks of the table stand for, and how many there are."""
    told = list(cells)
    names = list(dict.fromkeys(cell.invariant for cell in told))
    yield ", ".join(f"{number} {name}" for number, name in enumerate(names, start=1))
    counts = {kind: sum(cell.kind == kind for cell in told) for kind in MARKS}
    yield ", ".join(f"{MARKS[kind]} {kind}: {count}" for kind, count in counts.items())
    yield f"{len(told)} cells, {counts['hole']} open"


def line(cell: Cell) -> str:
    """Return a cell as a line for people."""
    by = f" [{', '.join(cell.theorems)}]" if cell.theorems else ""
    return f"{cell.command} x {cell.invariant}: {cell.kind}: {cell.reason}{by}"


def main(arguments: list[str] | None = None) -> int:
    """Print the matrix, or the cells asked for, and return 0 only when every cell is closed."""
    parser = argparse.ArgumentParser(prog="python -m specs.matrix", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names whose cells are to be told")
    parser.add_argument("--json", action="store_true", help="print the cells as JSON")
    parser.add_argument("--holes", action="store_true", help="print only what is open")
    options = parser.parse_args(arguments)
    cells = grid()
    if options.json:
        sys.stdout.write(json.dumps([asdict(cell) for cell in cells], indent=1) + "\n")
    elif options.names:
        chosen = [one for one in cells if any(name in line(one) for name in options.names)]
        sys.stdout.writelines(f"{line(cell)}\n" for cell in chosen)
    elif not options.holes:
        Console().print(table(cells))
    if not options.json:
        sys.stdout.writelines(f"{line(cell)}\n" for cell in holes(cells))
        sys.stdout.writelines(f"{told}\n" for told in legend(cells))
    return 1 if holes(cells) else 0


if __name__ == "__main__":
    raise SystemExit(main())
