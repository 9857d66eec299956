"""Administrators who race over HTTP, on several processes, to break what must always hold.

Every command is harmful together with some other: two roles that must not be held by one, half of
a cycle of roles or of groups, half of the administrators gone. Not one state may be invalid. In a
second race, of rounds, a recorder in the processes notes what they read, write, win and lose, and
TLC holds each round to the model.
"""

import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    CreateClaim,
    CreateGroup,
    CreatePrincipal,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    NestGroup,
    RemoveMember,
    RemoveParent,
    ResumePrincipal,
    RevokeGroupRole,
    RevokeRole,
    SingleCommand,
    SuspendPrincipal,
    UnnestGroup,
)
from grantproof.core.commands.refusal import refusal
from grantproof.core.identifiers import (
    ClaimId,
    GroupId,
    OrganizationId,
    PrincipalId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import ADMINISTER, Claim, Exactly, OfKind, SodSet
from grantproof.policyfile.wire import encode_command
from specs.tlc.jar import find_tools
from specs.traces.cast import any_command, start
from specs.traces.places import Place
from specs.traces.telling import tell
from specs.traces.trace import traces_of
from specs.traces.validation import validate
from specs.traces.watching import stored
from tests.databases import KEY_FILE, PostgresqlDatabase, PostgresqlDatabases, opened
from tests.postgresql import Server
from tests.processes import free_port
from tests.survival.recorded import FOLDER, LOSSES, TRACED, UNTRACED, journal_in, records
from tests.survival.scales import SCALE
from tests.survival.serving import Caller, Process, process_on, serving
from tests.survival.sound import check_audit, history

PROCESSES: Final = 3
PATIENCE_SECONDS: Final = 120
RECORDER: Final = ("-m", "tests.survival.recorded")

PEOPLE: Final = [PrincipalId(f"p{number}") for number in range(3)]
CHIEFS: Final = [PrincipalId(f"chief{number}") for number in range(3)]
GROUPS: Final = [GroupId(f"g{number}") for number in range(4)]
ROLES: Final = [RoleId(f"r{number}") for number in range(5)]
ADMINISTRATION: Final = RoleId("administration")
RACED: Final = "raced"

RIGHT: Final = Claim(
    ClaimId("administers"), ADMINISTRATION, Exactly(ADMINISTER), OfKind("organization"), ()
)
FOUNDING: Final[tuple[SingleCommand, ...]] = (
    *map(CreatePrincipal, (*PEOPLE, *CHIEFS)),
    *map(CreateGroup, GROUPS),
    *map(CreateRole, (*ROLES, ADMINISTRATION)),
    CreateSodSet(SodSet(SodSetId("pair"), frozenset(ROLES[:2]), 2)),
    CreateSodSet(SodSet(SodSetId("three"), frozenset(ROLES[1:]), 3)),
    CreateClaim(RIGHT),
    *(AssignRole(chief, ADMINISTRATION) for chief in CHIEFS),
)
MAY_BE_TOLD: Final = {
    "already_so", "already_exists", "missing", "breaks_sod", "would_cycle",
    "last_administrator", "contended", "not_found",
}  # fmt: skip
MUST_BE_TOLD: Final = {"breaks_sod", "would_cycle", "last_administrator"}


def temptations() -> Iterator[SingleCommand]:
    """Commands of which two right ones make one wrong, and what undoes them."""
    yield from of_roles()
    yield from of_groups()
    for chief in CHIEFS * 3:
        yield from (AssignRole(chief, ADMINISTRATION), RevokeRole(chief, ADMINISTRATION))
        yield from (SuspendPrincipal(chief), ResumePrincipal(chief))
    yield from (CreateClaim(RIGHT), DeleteClaim(RIGHT.id))


def of_roles() -> Iterator[SingleCommand]:
    """What gives and takes roles, and lets them inherit."""
    for role in ROLES:
        for person in PEOPLE:
            yield from (AssignRole(person, role), RevokeRole(person, role))
        for group in GROUPS[:2]:
            yield from (AssignGroupRole(group, role), RevokeGroupRole(group, role))
        for parent in ROLES:
            if parent != role:
                yield from (AddParent(role, parent), RemoveParent(role, parent))


def of_groups() -> Iterator[SingleCommand]:
    """What lets groups hold people and each other."""
    for group in GROUPS:
        for container in GROUPS:
            if container != group:
                yield from (NestGroup(group, container), UnnestGroup(group, container))
        for person in PEOPLE:
            yield from (AddMember(person, group), RemoveMember(person, group))


TEMPTATIONS: Final = tuple(temptations())


def written(*commands: SingleCommand) -> dict[str, Any]:
    """The body that asks for these changes."""
    return {"commands": [json.loads(encode_command(command)) for command in commands]}


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what is recorded."""
    return tmp_path_factory.mktemp("raced") / "traces"


@pytest.fixture(scope="module")
def raced(
    postgresql_server: Server, traces: Path
) -> Iterator[tuple[PostgresqlDatabase, list[Process]]]:
    """A database, and serving processes on it that record."""
    databases = PostgresqlDatabases(postgresql_server)
    database = databases.copied(databases.empty)
    traces.mkdir()
    first = process_on(database, traces.parent / "0", **{FOLDER: str(traces)})
    first.program = (first.program[0], *RECORDER)
    processes = [first]
    for number in range(1, PROCESSES):
        folder = traces.parent / str(number)
        folder.mkdir()
        processes.append(replace(first, port=free_port(), folder=folder))
    with serving(*processes):
        yield database, processes
    databases.drop(database)


def found(caller: Caller, organization: str, *commands: SingleCommand) -> None:
    """Make an organization with these facts."""
    assert caller.ask("POST", "/v1/orgs", {"id": organization}).status == 201
    made = caller.ask(
        "POST",
        f"/v1/orgs/{organization}/changes",
        written(*commands),
        headers={"X-Request-ID": UNTRACED},
    )
    assert made.status == 200, made


def together(count: int, work: Callable[[int], None]) -> None:
    """Run so many threads to their end; fails with the first of their errors."""
    wrong: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - raised again below
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    if wrong:
        raise wrong[0]


def race(processes: list[Process]) -> Counter[str]:
    """What the administrators were told, by code, when their time was over."""
    codes, lock = Counter[str](), threading.Lock()
    deadline = time.monotonic() + SCALE.racing_seconds

    def tempt(number: int) -> None:
        draw, told = random.Random(number), Counter[str]()
        with closing(processes[number % PROCESSES].caller()) as caller:
            while time.monotonic() < deadline:
                asked = written(*draw.choices(TEMPTATIONS, k=draw.choice((1, 1, 1, 2))))
                answer = caller.ask("POST", f"/v1/orgs/{RACED}/changes", asked)
                told[answer.code or str(answer.status)] += 1
        with lock:
            codes.update(told)

    together(SCALE.racers, tempt)
    return codes


def test_no_race_of_administrators_breaks_what_must_always_hold(
    raced: tuple[PostgresqlDatabase, list[Process]],
    traces: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Separation of duty, acyclicity and the last administrator hold at every revision."""
    database, processes = raced
    with closing(processes[0].caller()) as caller:
        found(caller, RACED, *FOUNDING)
    codes = race(processes)
    lost = (traces / LOSSES).stat().st_size
    past = history(database, RACED, valid_at_each=True)
    check_audit(processes[0])

    accepted = codes.pop("200")
    told = ", ".join(f"{code} {times}" for code, times in codes.most_common())
    record_property(
        "figure",
        f"{SCALE.racers} administrators on {PROCESSES} processes for {SCALE.racing_seconds:g} s:"
        f" {accepted + codes.total()} proposals, {accepted} accepted,"
        f" {codes.total() - codes['contended']} rejected ({told}), {lost} lost races;"
        f" {len(past.events)} revisions, every one valid",
    )
    assert set(codes) <= MAY_BE_TOLD, codes
    assert set(codes) >= MUST_BE_TOLD, "what must hold was not put to the test"
    assert len(past.events) == accepted + 1
    assert lost > 0, "the administrators never met, so this run shows nothing"


class Rounds:
    """Rounds of a race from rest to rest, each of them a trace."""

    def __init__(
        self, database: PostgresqlDatabase, processes: list[Process], folder: Path
    ) -> None:
        self._database = database
        self._processes = processes
        self._journal = journal_in(folder)
        self._connections = Place("raced", database.address, KEY_FILE).connections()
        self._callers = [
            processes[number % PROCESSES].caller() for number in range(SCALE.traced_racers)
        ]

    def run(self, number: int) -> None:
        """Race once, in an organization of its own."""
        trace = f"{TRACED}-{number}"
        draw = random.Random(trace)
        found(self._callers[0], trace, *start(draw).commands)
        store = opened(self._database.address)
        state = store.load(OrganizationId(trace))
        store.close()
        assert state is not None
        self._follow(trace, state.revision)
        commands = []
        for _ in self._callers:
            drawn = [any_command(draw) for _ in range(3)]
            commands.append(next((one for one in drawn if refusal(state, one) is None), drawn[0]))
        with self._observed(trace):
            together(len(commands), lambda who: self._propose(trace, who, commands[who]))

    def close(self) -> None:
        """Let every connection go."""
        for caller in self._callers:
            caller.close()
        self._connections.dispose()

    def _propose(self, trace: str, who: int, command: SingleCommand) -> None:
        answer = self._callers[who].ask(
            "POST",
            f"/v1/orgs/{trace}/changes",
            written(command),
            headers={"X-Request-ID": f"{trace}:a{who}"},
        )
        assert answer.status in {200, 409} or answer.code == "contended", answer

    def _follow(self, organization: str, revision: int) -> None:
        """Let every process be where the trace begins."""
        question = {
            "org_id": organization,
            "principal_id": "ann",
            "action": "read",
            "resource_id": "docs",
            "at_least_revision": revision,
        }
        for caller in self._callers[:PROCESSES]:
            assert caller.ask("POST", "/evaluate", question).status == 200

    @contextmanager
    def _observed(self, trace: str) -> Iterator[None]:
        self._observe("begins", trace)
        yield
        self._observe("ends", trace)

    def _observe(self, what: Any, trace: str) -> None:
        with self._connections.reading() as connection:
            revision, policy = stored(connection, trace)
        self._journal.observe(what, trace, revision=revision, policy=policy)


def test_p_cas_traces_of_serving_processes_are_behaviours_of_the_model(
    raced: tuple[PostgresqlDatabase, list[Process]],
    traces: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """P-CAS: what the processes read, wrote, won and lost, TLC explains to the last record."""
    database, processes = raced
    with closing(Rounds(database, processes, traces)) as rounds:
        for number in range(SCALE.traced_rounds):
            rounds.run(number)
    recorded = traces_of(records(traces))
    unexplained = validate(recorded, find_tools(os.environ))
    lost = sum(trace.lost for trace in recorded)
    proposals = sum(len(trace.proposals) for trace in recorded)
    events = sum(len(trace.records) for trace in recorded)
    contended = sum(one.what == "contended" for trace in recorded for one in trace.records)
    record_property(
        "figure",
        f"{len(recorded)} traces of {PROCESSES} processes,"
        f" {SCALE.traced_racers} administrators each: {proposals} proposals,"
        f" {events} events explained by TLC, {lost} lost races,"
        f" {contended} contended",
    )
    why = [
        line
        for one in recorded
        if one.name in unexplained
        for line in tell(one, unexplained[one.name])
    ]
    assert why == []
    assert proposals == SCALE.traced_rounds * SCALE.traced_racers
    assert lost > 0, "the administrators never met, so this run shows nothing"
