"""`python -m bench.scale`: what size costs, from a hundred principals to a million. Linux only.

Each organization is stored once and then started in a process of its own, which tells its memory
and its processor time; wall time depends on what else the machine does. Beside every figure stands
how long the machine took for 20,000,000 additions then: another machine is another table.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from time import process_time
from typing import Final, TypeVar

from bench.capacity import NotChanged, put
from bench.growth import GROWING, PLOTS, fitted, plot, table
from bench.servers import memory_bytes
from bench.workload import (
    INSTANT,
    ORGANIZATION,
    SIZES,
    Question,
    Size,
    context_of,
    organization,
    request_of,
    workload,
)
from grantproof.adapters.snapshot_files import SnapshotFiles
from grantproof.bootstrap import compose
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AddParent,
    AssignRole,
    Command,
    CreateClaim,
    DeleteClaim,
    RemoveParent,
    RevokeRole,
)
from grantproof.core.hierarchy import closure
from grantproof.core.identifiers import Action, ClaimId
from grantproof.core.index import Index
from grantproof.core.model import ALWAYS, Claim, Exactly
from grantproof.core.organization import Organization, facts
from grantproof.service.shelf import caught_up
from grantproof.service.snapshots import Snapshots
from grantproof.service.versions import Versioned
from grantproof.settings import Settings

Made = TypeVar("Made")

QUESTIONS: Final = 20_000
CHANGES: Final = 2_000
EDITS: Final = 200
EVENTS: Final = 100_000
ADDITIONS: Final = 5_000_000
MIB: Final = 1_048_576
MICROSECONDS: Final = 1_000_000
SECRET: Final = b"s" * 32
COLUMNS: Final = {
    "start": (
        ("start, s", "start", 1),
        ("idle, MiB", "idle", MIB),
        ("loaded, MiB", "loaded", MIB),
        ("peak, MiB", "peak", MIB),
        ("after 20,000 questions, MiB", "asked", MIB),
        ("a question at first, us", "ask_first", 1),
        ("asked again, us", "ask", 1),
    ),
    "snapshot": (
        ("write, s", "snapshot_write", 1),
        ("file, MiB", "snapshot_bytes", MIB),
        ("read, s", "snapshot_read", 1),
        ("loaded, MiB", "snapshot_loaded", MIB),
    ),
    "changes": (
        ("assignment, us", "assignment", 1),
        ("a role's parent, us", "edit", 1),
        ("claims that it bears on", "edited", 1),
        ("claim, us", "claim", 1),
    ),
}
"""What each command prints of a cost: heading, field, and what it is divided by."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one organization took: seconds of processor time, bytes, microseconds each.

    `assignment` is one assignment or revocation applied, indexed and versioned; `edit` a parent
    given to a role or taken from it, which bears on `edited` claims; `claim` a claim made or gone.
    `ask_first` is a question whose principal or target is new, `ask` the same ones asked again.
    """

    principals: float
    additions: float
    idle: float
    loaded: float
    peak: float
    asked: float
    start: float
    ask_first: float
    ask: float
    assignment: float
    edit: float
    edited: float
    claim: float
    snapshot_write: float
    snapshot_bytes: float
    snapshot_read: float
    snapshot_loaded: float


def size_of(name: str) -> Size:
    """Return the size of that name, or of so many principals in the shape of XL."""
    if name in SIZES:
        return SIZES[name]
    count = int(name)
    roles, resources = max(10, count // 100), max(50, count // 10)
    return Size(name, roles, count, resources, depth=5, claims_per_role=10)


def machine() -> float:
    """Return the seconds of processor time that 20,000,000 additions take now."""
    began, total = process_time(), 0
    while total < ADDITIONS:
        total += 1
    return (process_time() - began) * 4


def store(size: Size, folder: Path, database: str = "") -> str:
    """Store an organization of the size, and questions on it; return the address."""
    url = database or f"sqlite:///{folder / 'bench.db'}"
    load = workload(size, constrained=True, count=QUESTIONS)
    (folder / "questions.json").write_text(json.dumps(load.questions))
    put(url, ORGANIZATION, facts(organization(load.tables)))
    return url


def measured(url: str, folder: Path) -> dict[str, float]:
    """Start from the database, ask, change and keep; for a process that has done nothing yet."""
    additions = machine()
    questions = [Question(*row) for row in json.loads((folder / "questions.json").read_text())]
    with closing(compose(Settings(database_url=url))) as services:
        found: dict[str, float] = {"additions": additions, "idle": _memory("VmRSS")}
        index, found["start"] = timed(lambda: _loaded(services.snapshots))
        found |= {"loaded": _memory("VmRSS"), "peak": _memory("VmHWM")}
        asked = [(request_of(one), context_of(one)) for one in questions]
        for name in ("ask_first", "ask"):
            _, spent = timed(lambda: [index.ask(*one) for one in asked])
            found[name] = spent / len(asked) * MICROSECONDS
        found["asked"] = _memory("VmRSS")
        seen = services.snapshots.seen(ORGANIZATION)
        if seen is None:
            raise LookupError(ORGANIZATION)
        shelf = SnapshotFiles(folder, SECRET)
        _, found["snapshot_write"] = timed(lambda: shelf.keep(seen, lambda: True))
        found["snapshot_bytes"] = shelf.path(ORGANIZATION).stat().st_size
        return found | _changes(index, seen)


def resumed(folder: Path) -> dict[str, float]:
    """Start from the file alone; for a process that has done nothing yet."""
    shelf = SnapshotFiles(folder, SECRET)

    def read() -> Index:
        kept = shelf.find(ORGANIZATION)
        if kept is None:
            raise LookupError(ORGANIZATION)
        return Index(kept.read().state)

    _, spent = timed(read)
    return {"snapshot_read": spent, "snapshot_loaded": _memory("VmRSS")}


def _changes(index: Index, seen: Versioned) -> dict[str, float]:
    """Return what changes cost an index that was asked: microseconds each."""
    draw = random.Random(1)
    state = index.state
    principals = draw.choices(list(state.principals), k=CHANGES)
    roles = draw.choices(list(state.roles), k=CHANGES)
    edges = draw.choices(list(state.roles.edges()), k=EDITS)
    claims = [
        Claim(ClaimId(f"new-{at}"), role, Exactly(Action("read")), Exactly(resource))
        for at, (role, resource) in enumerate(
            zip(roles[:EDITS], draw.choices(list(state.resources), k=EDITS), strict=True)
        )
    ]
    change = _Changing(index, seen)
    assigned = [
        RevokeRole(one, role)
        if role in state.assignments.of(one)
        else AssignRole(one, role, ALWAYS)
        for one, role in dict(zip(principals, roles, strict=True)).items()
    ]
    edits = [cls(*edge) for edge in dict.fromkeys(edges) for cls in (RemoveParent, AddParent)]
    above = [closure({parent}, state.roles.parents) for _, parent in dict.fromkeys(edges)]
    borne = [sum(len(state.claims_by_role.get(role, ())) for role in some) for some in above]
    made = [cls for one in claims for cls in (CreateClaim(one), DeleteClaim(one.id))]
    return {
        "assignment": change.all(assigned),
        "edit": change.all(edits),
        "edited": sum(borne) / len(borne),
        "claim": change.all(made),
    }


class _Changing:
    """An index, and the versions of what is in it, that follow commands without any store."""

    def __init__(self, index: Index, seen: Versioned) -> None:
        self._index = index
        self._versions = seen.versions

    def all(self, commands: Sequence[Command]) -> float:
        """Make the changes; return the microseconds that each took."""
        began = process_time()
        for one in commands:
            self._make(one)
        return (process_time() - began) / len(commands) * MICROSECONDS

    def _make(self, command: Command) -> None:
        outcome = apply(self._index.state, command, actor="bench", instant=INSTANT)
        if not isinstance(outcome, Accepted):
            raise TypeError(str(outcome))
        self._index.follow(outcome.state, outcome.event.delta)
        self._versions = self._versions.after(outcome.event.delta)


def replica(url: str, events: int) -> Iterator[tuple[str, float]]:
    """Yield what it takes a process to be that many single changes behind, and to be so no more."""
    with closing(compose(Settings(database_url=url))) as services:
        state = _loaded(services.snapshots).state
        behind, began = services.snapshots.seen(ORGANIZATION), process_time()
        for command in _toggles(state, events):
            outcome = apply(state, command, actor="bench", instant=INSTANT)
            if not isinstance(outcome, Accepted):
                raise TypeError(str(outcome))
            state = outcome.state
            if services.store.commit(outcome.event) is None:
                raise NotChanged(ORGANIZATION)
        yield "seconds to commit them, one by one", process_time() - began
        if behind is None:
            raise LookupError(ORGANIZATION)
        moved, spent = timed(lambda: caught_up(services.store, behind))
        yield "seconds to catch up, event by event", spent
        _, spent = timed(lambda: services.snapshots.catch_up(ORGANIZATION))
        yield "seconds for a follower, by what it deems shorter", spent
        fresh, spent = timed(lambda: _loaded(Snapshots(services.store)))
        yield "seconds to read all facts instead", spent
        followed = services.snapshots.get(ORGANIZATION)
        if moved is None or followed is None or not moved.state == followed.state == fresh.state:
            message = "the ways lead to different states"
            raise RuntimeError(message)


def _toggles(state: Organization, count: int) -> Iterator[Command]:
    """Yield assignments of a role to one principal after the other, each twice, and back."""
    principals, role = sorted(state.principals), min(state.roles)
    held = {one for one in principals if role in state.assignments.of(one)}
    for at in range(count):
        one = principals[at // 2 % len(principals)]
        yield RevokeRole(one, role) if one in held else AssignRole(one, role, ALWAYS)
        held ^= {one}


def timed(work: Callable[[], Made]) -> tuple[Made, float]:
    """Return what the work makes, and the processor time that it took, in seconds."""
    began = process_time()
    made = work()
    return made, process_time() - began


def _loaded(snapshots: Snapshots) -> Index:
    index = snapshots.load(ORGANIZATION)
    if index is None:
        raise LookupError(ORGANIZATION)
    return index


def _memory(field: str) -> int:
    return memory_bytes(os.getpid(), field)


def cost(size: Size) -> Cost:
    """Store an organization of the size and measure it, each start in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        url = store(size, Path(folder))
        found = _apart("measured", url, folder) | _apart("resumed", url, folder)
    return Cost(**{"principals": size.principals, **found})


def _apart(what: str, url: str, folder: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.scale", what, "--database", url, "--folder", folder]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own
    found: dict[str, float] = json.loads(told.stdout)
    return found


def shown(what: str, costs: dict[str, Cost]) -> str:
    """Return the columns of a command as a table in Markdown."""
    columns = COLUMNS[what]
    rows = [
        (
            name,
            f"{cost.principals:,.0f}",
            f"{cost.additions:.1f}",
            *(f"{getattr(cost, field) / unit:,.2f}" for _, field, unit in columns),
        )
        for name, cost in costs.items()
    ]
    heads = ("size", "principals", "20,000,000 additions, s", *(head for head, _, _ in columns))
    return table(heads, rows)


def growth(folder: Path, counts: list[int]) -> None:
    """Measure every size of one shape, and write what came out, fitted and drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    told = folder / "growth.json"
    costs = (
        {one["principals"]: one for one in json.loads(told.read_text())} if told.exists() else {}
    )
    for count in counts:
        if count not in costs:
            costs[count] = asdict(cost(size_of(str(count))))
            told.write_text(json.dumps([costs[one] for one in sorted(costs)], indent=1))
            print(count, "principals measured", file=sys.stderr, flush=True)
    found = [costs[one] for one in sorted(costs)]
    print(table(("figure", "exponent"), fitted(found)))
    plot(found, folder)
    print(f"wrote {told} and {', '.join(PLOTS)} beside it")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    commands = ("start", "snapshot", "changes", "replica", "growth", "measured", "resumed")
    parser.add_argument("what", choices=commands)
    parser.add_argument("--size", action="append", help=f"{', '.join(SIZES)} or so many principals")
    parser.add_argument("--events", type=int, default=EVENTS, help="how far a replica is behind")
    parser.add_argument("--database", default="", help="of `replica`: an empty one to begin with")
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    asked = parser.parse_args()
    match asked.what:
        case "measured":
            print(json.dumps(measured(asked.database, asked.folder)))
        case "resumed":
            print(json.dumps(resumed(asked.folder)))
        case "growth":
            growth(asked.folder, [int(one) for one in asked.size or GROWING])
        case "replica":
            for name in asked.size or ["M"]:
                with tempfile.TemporaryDirectory() as folder:
                    url = store(size_of(name), Path(folder), asked.database)
                    print(f"{name}: {asked.events:,} events behind; additions {machine():.1f} s")
                    for what, found in replica(url, asked.events):
                        print(f"{found:8.2f} {what}", flush=True)
        case _:
            costs = {name: cost(size_of(name)) for name in asked.size or list(SIZES)}
            print(shown(asked.what, costs))


if __name__ == "__main__":
    main()
