"""`python -m bench.capacity`: what a service takes, for `docs/capacity.md`. Linux only.

Memory and processor time are those of a served process, told by the system. Wall time depends on
what else the machine does, and is printed to be looked at, not to be quoted.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from time import perf_counter
from typing import Final

from bench.databases import add_database, database
from bench.http_client import post_all
from bench.over_http import ROUTES, bodies_of, command_of, new_key
from bench.servers import serving_ours
from bench.workload import INSTANT, SIZES, Size, Tables, Workload, organization, workload
from grantproof.bootstrap import compose
from grantproof.core.commands import Accepted, Event
from grantproof.core.commands.delta import delta
from grantproof.core.commands.language import (
    AddMember,
    AssignRole,
    ChangeSet,
    CreateClaim,
    CreateGroup,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    RevokeRole,
    SingleCommand,
)
from grantproof.core.constraints import GeoFence, MaxUsage, TimeWindow
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
)
from grantproof.core.model import ALWAYS, Claim, Delta, Exactly, Fact, Resource
from grantproof.core.organization import Organization, facts
from grantproof.service.authors import Author
from grantproof.settings import Settings

EVERY_SIZE: Final = SIZES | {
    "1M": Size("1M", 1_000, 1_000_000, 10_000, depth=5, claims_per_role=10),
}
QUESTIONS: Final = 20_000
FEW: Final = 8
"""Questions where only the start is looked at."""
COMMANDS_AT_ONCE: Final = 200_000
MORE: Final = 100_000
"""So many of one kind are added to an organization of size M, to see what one takes."""
CHANGES: Final = 2_000
BY: Final = Author("bench")
MIB: Final = 1_048_576
MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Taken:
    """What a service took: idle, with the organization loaded, and after all questions.

    Memory in bytes, times in seconds; `each` is processor time a decision, in microseconds.
    """

    idle: int
    loaded: int
    peak: int
    asked: int
    load_cpu: float
    load_wall: float
    each: float


class NotChanged(Exception):
    """A change was refused, so that nothing could be measured."""


def served(load: Workload, url: str, name: str, *, more: dict[str, str] | None = None) -> Taken:
    """Serve the database, let the organization be loaded by a question, then ask the others."""
    settings = {"GRANTPROOF_DATABASE_URL": url, **(more or {})}
    bodies = [
        body.replace(b'"org_id":"bench"', f'"org_id":"{name}"'.encode())
        for body in bodies_of(load, ROUTES[0])
    ]
    with serving_ours(settings, credential=new_key(url)) as server:

        def ask(some: list[bytes]) -> tuple[float, float]:
            before = server.cpu_seconds() or 0.0
            began = perf_counter()
            at_once = min(len(some), ROUTES[0].connections)
            post_all(
                server.port, "/evaluate", some, connections=at_once, credential=server.credential
            )
            return (server.cpu_seconds() or 0.0) - before, perf_counter() - began

        idle = server.memory_bytes()
        load_cpu, load_wall = ask(bodies[:1])
        loaded, peak = server.memory_bytes(), server.memory_bytes("VmHWM")
        used, _ = ask(bodies)
        each = used / len(bodies) * MICROSECONDS
        return Taken(idle, loaded, peak, server.memory_bytes(), load_cpu, load_wall, each)


def fill(url: str, name: str, commands: Iterable[SingleCommand]) -> float:
    """Found the organization and make the changes; return the seconds that it took."""
    began = perf_counter()
    of = OrganizationId(name)
    with closing(compose(Settings(database_url=url))) as services:
        services.administration.found(of, time_zone="UTC", by=BY)
        left = iter(commands)
        while some := tuple(islice(left, COMMANDS_AT_ONCE)):
            outcome = services.administration.propose(of, ChangeSet(some), by=BY)
            if not isinstance(outcome, Accepted):
                raise NotChanged(str(outcome)[:1_000])
    return perf_counter() - began


def commands_of(tables: Tables) -> Iterator[SingleCommand]:
    """Yield what makes the tables."""
    return map(command_of, facts(organization(tables)))


def sizes(url: str, names: list[str]) -> None:
    """Print what a service takes of organizations of these sizes."""
    print("size | idle MiB | loaded MiB | peak MiB | after 20,000 questions MiB", end="")
    print(" | load cpu s | wall s | cpu us a decision | import wall s")
    for name in names:
        load = workload(EVERY_SIZE[name], constrained=True, count=QUESTIONS)
        import_wall = fill(url, name, commands_of(load.tables))
        taken = served(load, url, name)
        memory = (taken.idle, taken.loaded, taken.peak, taken.asked)
        row = (f"{taken.load_cpu:.2f}", f"{taken.load_wall:.2f}", f"{taken.each:.0f}")
        told = (*(f"{each / MIB:.0f}" for each in memory), *row, f"{import_wall:.1f}")
        print(name, *told, sep=" | ", flush=True)


def principals() -> Iterator[SingleCommand]:
    """Yield more principals, without any role."""
    return (CreatePrincipal(_principal(at)) for at in range(MORE))


def assignments() -> Iterator[SingleCommand]:
    """Yield a role for each of the further principals."""
    return (AssignRole(_principal(at), RoleId(f"role-{at % 100}"), ALWAYS) for at in range(MORE))


def memberships() -> Iterator[SingleCommand]:
    """Yield a hundred groups, and one of them for each of the further principals."""
    groups = [GroupId(f"group-{at}") for at in range(100)]
    members = (AddMember(_principal(at), groups[at % len(groups)]) for at in range(MORE))
    return chain(map(CreateGroup, groups), members)


def roles() -> Iterator[SingleCommand]:
    """Yield more roles, without parents or claims; as many as there may be beside those of M."""
    return (CreateRole(RoleId(f"more-role-{at}")) for at in range(MORE // 2))


def resources() -> Iterator[SingleCommand]:
    """Yield more resources."""
    kind = next(iter(organization(_of_size_m().tables).resources_of_kind))
    return (CreateResource(Resource(ResourceId(f"more-{at}"), kind)) for at in range(MORE))


def claims() -> Iterator[SingleCommand]:
    """Yield more claims without constraints."""
    return (CreateClaim(_claim(at)) for at in range(MORE))


def constrained_claims() -> Iterator[SingleCommand]:
    """Yield more claims with three constraints each, as the workload has them."""
    for at in range(MORE):
        hours = TimeWindow(at % 8, 16 + at % 8)
        fence = GeoFence(frozenset(Region(f"region-{(at + more) % 8}") for more in range(3)))
        yield CreateClaim(_claim(at, hours, fence, MaxUsage(10 + at % 90)))


More = Callable[[], Iterator[SingleCommand]]

SLOPES: Final[dict[str, tuple[tuple[More, ...], str | None, int]]] = {
    "nothing": ((), None, 0),
    "principal": ((principals,), "nothing", MORE),
    "assignment": ((principals, assignments), "principal", MORE),
    "membership": ((principals, memberships), "principal", MORE),
    "role": ((roles,), "nothing", MORE // 2),
    "resource": ((resources,), "nothing", MORE),
    "claim": ((claims,), "nothing", MORE),
    "claim, 3 constraints": ((constrained_claims,), "nothing", MORE),
}
"""What is added to an organization of size M, beyond what it is compared with, and how many."""


def slopes(url: str) -> None:
    """Print what one more of each kind takes, by the difference to an organization without."""
    load = workload(SIZES["M"], constrained=True, count=FEW)
    found: dict[str, Taken] = {}
    print("kind | bytes each | cpu us each to load")
    for number, (kind, (more, beside, count)) in enumerate(SLOPES.items()):
        name = f"slope-{number}"
        put(url, name, chain(facts(organization(load.tables)), *(added(each()) for each in more)))
        found[kind] = taken = served(load, url, name)
        if beside is not None:
            without = found[beside]
            memory = (taken.loaded - without.loaded) / count
            cpu = (taken.load_cpu - without.load_cpu) / count * MICROSECONDS
            print(kind, f"{memory:.0f}", f"{cpu:.1f}", sep=" | ", flush=True)


def added(commands: Iterable[SingleCommand]) -> Iterator[Fact]:
    """Yield the facts that commands which only add something would add."""
    nothing = Organization(OrganizationId("nothing"))
    return (fact for command in commands for fact in delta(nothing, command).added)


def put(url: str, name: str, some: Iterable[Fact]) -> None:
    """Store the facts as they are, without proposing them: they are known to be in order."""
    of, left = OrganizationId(name), iter(some)
    with closing(compose(Settings(database_url=url))) as services:
        services.store.create(of, time_zone="UTC", actor="bench", instant=INSTANT)
        revision, what = 0, CreateRole(RoleId("stored-in-bulk"))
        while now := tuple(islice(left, COMMANDS_AT_ONCE)):
            revision += 1
            event = Event(of, revision, INSTANT, "bench", what, Delta((), now))
            if services.store.commit(event) is None:
                raise NotChanged(name)


def changes(url: str) -> None:
    """Make many changes one by one: assignments, and their revocation."""
    name = OrganizationId("changing")
    fill(url, name, commands_of(_of_size_m().tables))
    with closing(compose(Settings(database_url=url))) as services:
        print("ready: press Enter to begin", flush=True)
        input()
        began = perf_counter()
        for at in range(CHANGES):
            principal, role = PrincipalId(f"user-{at // 2}"), RoleId("role-0")
            held = services.snapshots.load(name)
            if held is None:
                raise NotChanged
            change = (
                RevokeRole(principal, role)
                if role in held.state.assignments.of(principal)
                else AssignRole(principal, role, ALWAYS)
            )
            outcome = services.administration.propose(name, change, by=BY)
            if not isinstance(outcome, Accepted):
                raise NotChanged(str(outcome)[:1_000])
        print(f"{CHANGES} changes in {perf_counter() - began:.1f} s", flush=True)


def logged(url: str) -> None:
    """Print the bytes that a decision takes in the decision log, and its processor time."""
    load = workload(SIZES["S"], constrained=True, count=QUESTIONS)
    fill(url, "logged", commands_of(load.tables))
    with tempfile.TemporaryDirectory() as folder:
        taken = served(load, url, "logged", more={"GRANTPROOF_DECISION_LOG": folder})
        written = sum(file.stat().st_size for file in Path(folder).iterdir())
    plain = served(load, url, "logged")
    print(
        f"{written / (QUESTIONS + 1):.0f} bytes a decision, {taken.each:.0f} us of processor time"
    )
    print(f"without a log {plain.each:.0f} us")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("what", choices=("sizes", "slopes", "changes", "log"))
    parser.add_argument("--size", action="append", choices=tuple(EVERY_SIZE))
    add_database(parser)
    asked = parser.parse_args()
    with database(asked.database) as url:
        match asked.what:
            case "sizes":
                sizes(url, asked.size or list(SIZES))
            case "slopes":
                slopes(url)
            case "changes":
                changes(url)
            case _:
                logged(url)


def _of_size_m() -> Workload:
    return workload(SIZES["M"], constrained=True, count=QUESTIONS)


def _principal(number: int) -> PrincipalId:
    return PrincipalId(f"more-{number}")


def _claim(number: int, *constraints: TimeWindow | GeoFence | MaxUsage) -> Claim:
    return Claim(
        ClaimId(f"more-{number}"),
        RoleId(f"role-{number % 100}"),
        Exactly(Action("read")),
        Exactly(ResourceId(f"doc-{number % 1_000}")),
        constraints,
    )


if __name__ == "__main__":
    main()
