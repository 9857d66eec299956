"""The inductive matrix as a grid: each cell a letter and a colour, and its reason in full below."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from specs.gate.detail import Cell
from specs.report.documented import prose
from specs.report.evidence import is_open
from specs.report.markup import Html, anchor, code, details, element, joined, link
from specs.report.parts import section
from specs.report.table import boxed, table

LETTERS = {"frame": "F", "removal": "R", "construction": "C", "theorem": "T", "hole": "?"}
CAPTION = "What keeps each invariant, command by command"


def matrix(stated: Sequence[Cell], explained: str, theorems: frozenset[str]) -> Html:
    """Return the grid, its legend, and the cells of each command with their reasons.

    A cell whose theorems are not all among those that were proved is open.
    """
    cells = [_held(cell, theorems) for cell in stated]
    if not cells:
        told = element("p", "This report has no matrix: the stage ", code("specs"), " made none.")
        return section("matrix", "The inductive matrix", told)
    commands = list(dict.fromkeys(cell.command for cell in cells))
    invariants = list(dict.fromkeys(cell.invariant for cell in cells))
    found = {(cell.command, cell.invariant): cell for cell in cells}
    first = element("td") if not commands else element("th", "command", scope="col")
    columns = (element("th", element("span", name), scope="col") for name in invariants)
    body = [
        element(
            "tr",
            element("th", link(anchor("matrix", command), command), scope="row"),
            *(_cell(found.get((command, invariant))) for invariant in invariants),
        )
        for command in commands
    ]
    grid = element(
        "table",
        element("caption", CAPTION),
        element("thead", element("tr", first, *columns)),
        element("tbody", *body),
        class_="grid",
    )
    size = f"{len(commands)} commands by {len(invariants)} invariants, {len(cells)} cells."
    return section(
        "matrix",
        "The inductive matrix",
        element("p", size),
        _legend(cells),
        boxed(CAPTION, grid),
        details("How a cell is closed", prose(explained)),
        *(_command(command, [c for c in cells if c.command == command]) for command in commands),
    )


def _held(cell: Cell, theorems: frozenset[str]) -> Cell:
    if not is_open(cell, theorems):
        return cell
    missing = ", ".join(name for name in cell.theorems if name not in theorems)
    told = f"not proved in this run: {missing}; {cell.reason}" if missing else cell.reason
    return msgspec.structs.replace(cell, kind="hole", reason=told)


def _cell(cell: Cell | None) -> Html:
    if cell is None:
        return element("td", element("span", "?", title="no cell"), class_="cell hole")
    by = f" [{', '.join(cell.theorems)}]" if cell.theorems else ""
    title = f"{cell.command} x {cell.invariant}: {cell.kind}: {cell.reason}{by}"
    letter = LETTERS[cell.kind]
    shown = link(anchor("cell", cell.command, cell.invariant), letter, title=title)
    return element("td", shown, class_=f"cell {cell.kind}")


def _legend(cells: Sequence[Cell]) -> Html:
    counts = Counter(cell.kind for cell in cells)
    items = (
        element("li", element("span", letter, class_=f"cell {kind}"), f" {kind}: {counts[kind]}")
        for kind, letter in LETTERS.items()
    )
    return element("ul", *items, class_="legend")


def _command(command: str, cells: Sequence[Cell]) -> Html:
    rows = [
        (
            element("span", cell.invariant, id=anchor("cell", cell.command, cell.invariant)),
            joined(LETTERS[cell.kind], " ", cell.kind),
            cell.reason,
            joined(*(element("div", code(name)) for name in cell.theorems)),
        )
        for cell in cells
    ]
    heads = ("invariant", "kind", "reason", "theorems")
    told = table(f"The cells of {command}", heads, rows)
    kinds = Counter(cell.kind for cell in cells)
    counts = ", ".join(f"{kinds[kind]} {kind}" for kind in LETTERS if kinds[kind])
    return details(f"{command}: {counts}", told, id_=anchor("matrix", command))
