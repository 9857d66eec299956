"""Guardrails are kept: by every change, also when the solver has no answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from grantproof.adapters.memory.store import MemoryStore
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    AddMember,
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    Command,
    CreateClaim,
    CreateGroup,
    CreateGuardrail,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    DeleteClaim,
    DeleteGuardrail,
    RemoveMember,
    RevokeRole,
    SuspendPrincipal,
)
from grantproof.core.constraints import TimeWindow
from grantproof.core.guardrails import (
    Access,
    Capped,
    Confined,
    Exclusive,
    Forbidden,
    Guardrail,
    MemberOf,
    Reserved,
    Rule,
)
from grantproof.core.identifiers import GuardrailId
from grantproof.core.model import Exactly, Resource
from grantproof.service.authors import Author
from grantproof.service.guarding import IN_PROCESS, Broken, Guard, Unjudged
from grantproof.service.pap import AdministrationPoint, Proposed
from grantproof.service.snapshots import Snapshots
from grantproof.service.solving import Undetermined
from tests.organizations import (
    ACME,
    ANN,
    BOB,
    C2,
    CLERK,
    FILE,
    HEAD,
    PLAN,
    READ,
    STAFF,
    WRITE,
    claim,
)

OPERATOR = Author("op")
READING = Access(Exactly(READ), Exactly(PLAN))
WRITING = Access(Exactly(WRITE), Exactly(PLAN))
LAW = GuardrailId("law")
Answer = TypeVar("Answer")


@dataclass
class Steps:
    """A clock that stands still, and a backoff that does not wait."""

    def now(self) -> int:
        """Return noon of some day."""
        return 1_800_014_400

    def wait(self, attempt: int) -> None:
        """Go on at once."""


@dataclass
class Counting:
    """A solver that counts what it is asked; once it `hangs` it has no answer."""

    asked: int = 0
    hangs: bool = False
    meanwhile: Callable[[], object] = lambda: None

    def ask(self, work: Callable[[], Answer]) -> Answer | Undetermined:
        """Return what the work returns, or that there was no answer."""
        self.asked += 1
        self.meanwhile()
        return Undetermined("time", "no answer in 10 s") if self.hangs else IN_PROCESS.ask(work)


@dataclass
class Here:
    """An organization in which clerks read the plan and heads write it; ann is in the staff."""

    solver: Counting = field(default_factory=Counting)

    def __post_init__(self) -> None:
        self.store = MemoryStore()
        self.snapshots = Snapshots(self.store)
        steps, solver = Steps(), self.solver
        self.point = AdministrationPoint(
            self.store, self.snapshots, clock=steps, backoff=steps, guard=Guard(solver)
        )
        self.point.found(ACME, time_zone="UTC", by=OPERATOR)
        self.make(
            CreateKind(FILE),
            CreateResource(Resource(PLAN, FILE)),
            CreateGroup(STAFF),
            *map(CreateRole, (CLERK, HEAD)),
            *map(CreatePrincipal, (ANN, BOB)),
            CreateClaim(claim()),
            CreateClaim(claim(id=C2, role=HEAD, action=Exactly(WRITE))),
            AddMember(ANN, STAFF),
        )

    def propose(self, *commands: Command) -> Proposed:
        """Return what becomes of the commands, as one change."""
        every = ChangeSet(commands)  # type: ignore[arg-type]  # each is a single command
        one = commands[0] if len(commands) == 1 else every
        return self.point.propose(ACME, one, by=OPERATOR)

    def make(self, *commands: Command) -> None:
        """Make the change; the test fails when it is refused."""
        made = self.propose(*commands)
        assert isinstance(made, Accepted), made

    def revision(self) -> int:
        """Return the revision that is stored."""
        found = self.store.revision(ACME)
        assert found is not None
        return found


@pytest.fixture
def here() -> Here:
    """Return the organization."""
    return Here()


def guardrail(rule: Rule) -> CreateGuardrail:
    """Return the command that lays down the rule."""
    return CreateGuardrail(Guardrail(LAW, rule))


STAFF_ONLY = frozenset({MemberOf(STAFF)})


@pytest.mark.parametrize(
    ("rule", "breach"),
    [
        (Forbidden(READING), (AssignRole(BOB, CLERK),)),
        (Forbidden(READING, STAFF_ONLY), (AssignGroupRole(STAFF, CLERK),)),
        (Reserved(READING, STAFF_ONLY), (AssignRole(BOB, CLERK),)),
        (Confined(READING, (TimeWindow(9, 17),)), (AssignRole(ANN, CLERK),)),
        (Exclusive(READING, WRITING), (AssignRole(ANN, CLERK), AssignRole(ANN, HEAD))),
        (Capped(READING, 1), (AssignRole(ANN, CLERK), AssignRole(BOB, CLERK))),
    ],
)
def test_a_change_that_breaks_a_guardrail_is_refused(
    here: Here, rule: Rule, breach: tuple[Command, ...]
) -> None:
    """Of each kind, with who could do what; and so is the guardrail where that is so already."""
    here.make(guardrail(rule))
    before = here.revision()
    refused = here.propose(*breach)
    assert isinstance(refused, Broken)
    assert (refused.guardrail, refused.witness["guardrail"]["id"]) == (LAW, LAW)
    assert refused.witness["requests"][0]["request"]["resource_id"] == PLAN
    assert refused.message.startswith("guardrail `law` ")
    assert here.revision() == before
    here.make(DeleteGuardrail(LAW))
    here.make(*breach)
    again = here.propose(guardrail(rule))
    assert isinstance(again, Broken)
    assert here.revision() == before + 2


def test_a_change_that_keeps_every_guardrail_is_made(here: Here) -> None:
    """Though it gives somebody something."""
    here.make(guardrail(Reserved(READING, STAFF_ONLY)))
    here.make(AssignRole(ANN, CLERK))


def test_a_guardrail_and_what_makes_it_hold_are_one_change(here: Here) -> None:
    """What counts is the state at the end."""
    here.make(AssignRole(BOB, CLERK))
    here.make(guardrail(Forbidden(READING)), RevokeRole(BOB, CLERK))
    assert isinstance(here.propose(AssignRole(BOB, CLERK)), Broken)


def test_without_a_guardrail_nothing_is_asked_of_the_solver(here: Here) -> None:
    """Whatever is changed."""
    here.make(AssignRole(BOB, CLERK), AssignRole(ANN, HEAD))
    assert here.solver.asked == 0


def test_without_an_answer_a_change_is_refused(here: Here) -> None:
    """It might break the guardrail; nothing is changed."""
    here.make(guardrail(Forbidden(READING)))
    here.solver.hangs, before = True, here.revision()
    refused = here.propose(AssignRole(BOB, CLERK))
    assert refused == Unjudged(LAW, "no answer in 10 s")
    assert here.revision() == before


def test_a_hung_solver_is_not_asked_again_because_others_went_on(here: Here) -> None:
    """Each attempt would take all of its time: so many of them that nobody would wait."""
    here.make(AssignRole(ANN, HEAD))
    here.make(guardrail(Forbidden(READING)))
    here.solver.hangs, asked = True, here.solver.asked
    here.solver.meanwhile = lambda: here.make(RevokeRole(ANN, HEAD))
    refused = here.propose(AssignRole(BOB, CLERK))
    assert refused == Unjudged(LAW, "no answer in 10 s")
    assert here.solver.asked == asked + 1


def test_access_can_be_taken_away_without_an_answer(here: Here) -> None:
    """An emergency does not wait for a solver, which is not even asked."""
    here.make(AssignRole(BOB, CLERK), AssignRole(ANN, HEAD), AssignGroupRole(STAFF, CLERK))
    here.make(guardrail(Capped(READING, 2)))
    here.solver.hangs, asked = True, here.solver.asked
    for command in (
        RevokeRole(BOB, CLERK),
        RemoveMember(ANN, STAFF),
        SuspendPrincipal(BOB),
        DeleteClaim(C2),
    ):
        here.make(command)
    assert here.solver.asked == asked


def test_who_leaves_those_it_is_reserved_to_is_looked_at(here: Here) -> None:
    """To take somebody out of a group can break a reservation, and needs an answer."""
    here.make(guardrail(Reserved(READING, STAFF_ONLY)), AssignRole(ANN, CLERK))
    assert isinstance(here.propose(RemoveMember(ANN, STAFF)), Broken)
    here.solver.hangs = True
    assert isinstance(here.propose(RemoveMember(ANN, STAFF)), Unjudged)
    here.make(RevokeRole(ANN, CLERK))


def test_a_guardrail_can_be_lifted_without_an_answer(here: Here) -> None:
    """It is what stands in the way."""
    here.make(guardrail(Forbidden(READING)))
    here.solver.hangs = True
    here.make(DeleteGuardrail(LAW))
    here.make(AssignRole(BOB, CLERK))


def test_refusals_are_counted_apart(here: Here) -> None:
    """As rejected what breaks a guardrail, as undetermined what nobody can tell."""
    here.make(guardrail(Forbidden(READING)))
    before = here.point.attempts.tally().outcomes
    here.propose(AssignRole(BOB, CLERK))
    here.solver.hangs = True
    here.propose(AssignRole(BOB, CLERK))
    now = here.point.attempts.tally().outcomes
    gained = {name: now[name] - before[name] for name in now if now[name] != before[name]}
    assert gained == {"rejected": 1, "undetermined": 1}
