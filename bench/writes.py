"""`python -m bench.writes`: changes a second, and how long a large import takes. Linux only.

Beside the service stands a floor, measured in turn with it: the rows that a change writes, written
by the bare driver into the same tables, a transaction a change (an import: a batch), as durable.
"""

import argparse
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import chain
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

from bench.bare import Bare, Change, bare
from bench.capacity import BY, EVERY_SIZE, NotChanged, fill
from bench.databases import add_database, database
from bench.over_http import command_of, new_key
from bench.servers import (
    HOST,
    Server,
    memory_in,
    serving_ours,
)
from bench.workload import SEED, Tables, make_tables, organization
from grantproof.bootstrap import Services, compose
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import AssignRole, CreateRole, CreateSodSet, SingleCommand
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId, SodSetId
from grantproof.core.model import ALWAYS, Claim, SodSet
from grantproof.core.organization import facts
from grantproof.core.relation import Relation
from grantproof.service.callers import Scope
from grantproof.settings import Settings

MILLISECONDS: Final = 1_000
MIB: Final = 1_048_576
SMALL: Final = "S"
MANY: Final = 100
"""So many organizations of the smallest size, where there is more than one."""
THREADS: Final = 8
ROUNDS: Final = 5
SOD_SETS: Final = 20
BATCH: Final = 5_000
OURS: Final = "org"
THEIRS: Final = "floor"
"""What the ids of the organizations begin with, of the service and of the floor."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How changes come: so many organizations, so many threads that make changes in turn."""

    organizations: int
    threads: int


SETTINGS: Final = (Setting(1, 1), Setting(1, THREADS), Setting(MANY, THREADS))


@dataclass(frozen=True, slots=True)
class Taken:
    """What a round of changes took a change, in milliseconds: by the clock, and of a processor."""

    wall: float
    processor: float


Make = Callable[[Change], None]
"""Makes one change."""

Maker = Callable[[], AbstractContextManager[Make]]
"""Opens, for one thread, what makes changes."""


def people_and_roles(size: str) -> tuple[Tables, Iterator[SingleCommand]]:
    """Return the tables of that size, and what makes them, without claims and assignments.

    There are separation-of-duty sets of roles of their own, so that a change is checked for them.
    """
    tables = make_tables(EVERY_SIZE[size], constrained=False, draw=random.Random(SEED))
    bare_state = replace(organization(tables), assignments=Relation())
    kept = (fact for fact in facts(bare_state) if not isinstance(fact, Claim))
    return tables, chain(map(command_of, kept), _sod_sets())


def _sod_sets() -> Iterator[SingleCommand]:
    for number in range(SOD_SETS):
        pair = [RoleId(f"duty-{number}-{side}") for side in ("a", "b")]
        yield from map(CreateRole, pair)
        yield CreateSodSet(SodSet(SodSetId(f"apart-{number}"), frozenset(pair), 2))


class Written:
    """Assignments that nobody holds yet, in turn of each of the organizations."""

    def __init__(self, names: Sequence[str], principals: int) -> None:
        self.names, self._principals = names, principals
        self._next = 0

    def roles(self, count: int) -> Iterator[SingleCommand]:
        """Yield what makes the roles of so many assignments of one organization."""
        return (CreateRole(RoleId(f"new-{at}")) for at in range(count // self._principals + 1))

    def some(self, count: int) -> list[Change]:
        """Return the next changes."""
        begin, self._next = self._next, self._next + count
        return [self._change(at) for at in range(begin, begin + count)]

    def _change(self, at: int) -> Change:
        each, which = divmod(at, len(self.names))
        role, who = divmod(each, self._principals)
        return Change(self.names[which], f"user-{who}", f"new-{role}")


@contextmanager
def in_process(services: Services) -> Iterator[Make]:
    """Yield what makes changes through the use case itself."""

    def make(change: Change) -> None:
        command = AssignRole(PrincipalId(change.principal), RoleId(change.role), ALWAYS)
        outcome = services.administration.propose(
            OrganizationId(change.organization), command, by=BY
        )
        if not isinstance(outcome, Accepted):
            raise NotChanged(str(outcome)[:1_000])

    yield make


@contextmanager
def over_http(server: Server) -> Iterator[Make]:
    """Yield what makes changes over a connection of its own that stays open."""
    with closing(HTTPConnection(HOST, server.port, timeout=60)) as connection:
        head = {
            "Authorization": f"Bearer {server.credential}",
            "Content-Type": "application/json",
        }

        def make(change: Change) -> None:
            body = json.dumps({"principal": change.principal, "role": change.role})
            path = f"/v1/orgs/{change.organization}/assignments"
            connection.request("POST", path, body, head)
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != HTTPStatus.CREATED:
                raise NotChanged(said.decode()[:1_000])

        yield make


def round_of(
    maker: Maker, changes: Sequence[Change], *, threads: int, used: Callable[[], float]
) -> Taken:
    """Make the changes in so many threads; `used` tells the seconds of processor so far."""
    parts = [changes[at::threads] for at in range(threads)]

    def work(part: Sequence[Change]) -> None:
        with maker() as make:
            for change in part:
                make(change)

    with ThreadPoolExecutor(threads) as pool:
        before, began = used(), perf_counter()
        for done in [pool.submit(work, part) for part in parts]:
            done.result()
        wall, processor = perf_counter() - began, used() - before
    each = MILLISECONDS / len(changes)
    return Taken(wall * each, processor * each)


def commands(size: str, url: str, *, count: int) -> None:
    """Print what a change takes, in every setting and by every door, beside the floor."""
    print("size | organizations | threads | door | a second | ms | floor ms | ratio", end="")
    print(" | cpu ms | floor cpu ms | ratio")
    for number in sorted({setting.organizations for setting in SETTINGS}):
        of = size if number == 1 else SMALL
        settings = [setting for setting in SETTINGS if setting.organizations == number]
        # By two doors in each setting, and one round more than is told.
        rounds = 2 * len(settings) * (1 + ROUNDS)
        told = {}
        for kind in (OURS, THEIRS):
            names = [f"{kind}-{number}-{at}" for at in range(number)]
            told[kind] = Written(names, EVERY_SIZE[of].principals)
            for name in names:
                roles = told[kind].roles(rounds * count // number + number)
                fill(url, name, chain(people_and_roles(of)[1], roles))
        for setting in settings:
            _compare(url, of, told, setting=setting, count=count)


def _compare(
    url: str, size: str, written: dict[str, "Written"], *, setting: Setting, count: int
) -> None:
    floor = partial(bare, url)
    with closing(compose(Settings(database_url=url))) as services:
        for name in written[OURS].names:
            services.snapshots.load(OrganizationId(name))
        pair = _Pair(partial(in_process, services), floor, written, setting)
        measured = pair.measured(count, process_time)
        _tell(size, setting, door="in process", rounds=measured)
    quiet = {"GRANTPROOF_DATABASE_URL": url, "GRANTPROOF_LOG_LEVEL": "error"}
    key = new_key(url, scopes=frozenset({Scope.ADMINISTER}))
    with serving_ours(quiet, credential=key) as server:
        pair = _Pair(partial(over_http, server), floor, written, setting)
        measured = pair.measured(count, lambda: server.cpu_seconds() or 0.0)
        _tell(size, setting, door="HTTP", rounds=measured)


@dataclass(frozen=True, slots=True)
class _Pair:
    """The service and the floor, which take turns."""

    ours: Maker
    floor: Callable[[], AbstractContextManager[Bare]]
    written: dict[str, Written]
    setting: Setting

    def measured(self, count: int, used: Callable[[], float]) -> list[tuple[Taken, Taken]]:
        """Return what each round took, of the service and of the floor, after one of no matter."""

        @contextmanager
        def floor() -> Iterator[Make]:
            with self.floor() as opened:
                yield opened.make

        found = []
        for _ in range(1 + ROUNDS):
            mine, theirs = (self.written[kind].some(count) for kind in (OURS, THEIRS))
            threads = self.setting.threads
            found.append(
                (
                    round_of(self.ours, mine, threads=threads, used=used),
                    round_of(floor, theirs, threads=threads, used=process_time),
                )
            )
        return found[1:]


def _tell(size: str, setting: Setting, *, door: str, rounds: list[tuple[Taken, Taken]]) -> None:
    median = statistics.median
    wall, wall_floor = (median(pair[at].wall for pair in rounds) for at in (0, 1))
    cpu, cpu_floor = (median(pair[at].processor for pair in rounds) for at in (0, 1))
    slower = median(mine.wall / floor.wall for mine, floor in rounds)
    dearer = median(mine.processor / floor.processor for mine, floor in rounds)
    row = (f"{MILLISECONDS / wall:.0f}", f"{wall:.2f}", f"{wall_floor:.2f}", f"{slower:.2f}")
    used = (f"{cpu:.2f}", f"{cpu_floor:.2f}", f"{dearer:.1f}")
    print(size, setting.organizations, setting.threads, door, *row, *used, sep=" | ", flush=True)


def imported(size: str, url: str, *, count: int) -> None:
    """Print what `assignments import` takes of so many lines, and what the floor takes of them."""
    tables, made = people_and_roles(size)
    pairs = ((who, role) for who, held in tables.assigned.items() for role in held)
    lines = [pair for pair, _ in zip(pairs, range(count), strict=False)]
    for name in (OURS, THEIRS):
        took = fill(url, name, people_and_roles(size)[1] if name == THEIRS else made)
        print(f"{name}: {size} without assignments made in {took:.0f} s", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people.csv"
        with file.open("w", encoding="utf-8", newline="") as written:
            csv.writer(written).writerows([("principal", "role"), *lines])
        began, before = perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        told, most = _run_import(url, str(file))
        wall, after = perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if told["assigned"] != len(lines) or told["refused"] != 0:
        raise NotChanged(json.dumps(told))
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{len(lines)} assignments into {size}: {wall:.1f} s, {used:.1f} s of processor", end="")
    print(f", {used / len(lines) * 1_000_000:.0f} us each", end="")
    print(f", at most {most / MIB:.0f} MiB", flush=True)
    began, began_cpu = perf_counter(), process_time()
    with bare(url) as floor:
        for first in range(0, len(lines), BATCH):
            floor.make_all(THEIRS, lines[first : first + BATCH])
    wall, used = perf_counter() - began, process_time() - began_cpu
    print(f"floor, {BATCH} rows a transaction: {wall:.1f} s, {used:.1f} s of processor", flush=True)


def _run_import(url: str, file: str) -> tuple[dict[str, int], int]:
    """Import the file; return what the command told, and the most bytes that its process had."""
    # Told by itself: what the system tells of a child begins with the memory of its parent.
    ours = """\
import atexit, sys
from pathlib import Path
from grantproof.cli.main import main
atexit.register(lambda: print(Path("/proc/self/status").read_text()))
sys.exit(main())
"""
    command = (sys.executable, "-c", ours, "--json", "--org", OURS, "assignments", "import", file)
    environment = {**os.environ, "GRANTPROOF_DATABASE_URL": url}
    done = subprocess.run(  # noqa: S603 - our own interpreter and arguments
        command, env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    told, _, status = done.stdout.partition("Name:")
    return json.loads(told), memory_in(status, "VmHWM")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.writes", description=__doc__)
    parser.add_argument("what", choices=("commands", "import"))
    parser.add_argument("--size", default="M", choices=tuple(EVERY_SIZE))
    parser.add_argument("--count", type=int, help="changes a round, or lines of the file")
    add_database(parser)
    asked = parser.parse_args()
    with database(asked.database) as url:
        if asked.what == "commands":
            commands(asked.size, url, count=asked.count or 200)
        else:
            imported(asked.size, url, count=asked.count or 1_000_000)


if __name__ == "__main__":
    main()
