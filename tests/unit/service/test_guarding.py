"""Guardrails are kept: by every change, also when the solver has no answer."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest

from grantproof.adapters.memory.store import MemoryStore
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AddMember,
    AssignGroupRole,
    AssignRole,
    ChangeSet,
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
    SingleCommand,
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
from grantproof.core.identifiers import ClaimId, GuardrailId
from grantproof.core.model import Exactly, Resource
from grantproof.service.authors import Author
from grantproof.service.guarding import Broken, Guard, Judgement, Unjudged
from grantproof.service.pap import AdministrationPoint, Proposed, Terms
from grantproof.service.receipts import Once, Repeated
from grantproof.service.snapshots import Snapshots
from grantproof.service.solving import IN_PROCESS, Undetermined
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
WRITES = ClaimId("writes")
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

    def propose(self, *commands: SingleCommand) -> Proposed:
        """Return what becomes of the commands, as one change."""
        one = commands[0] if len(commands) == 1 else ChangeSet(commands)
        return self.point.propose(ACME, one, by=OPERATOR)

    def make(self, *commands: SingleCommand) -> None:
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
    here: Here, rule: Rule, breach: tuple[SingleCommand, ...]
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


def overtaken(here: Here, *commands: SingleCommand) -> None:
    """Let somebody else make the change while the solver is asked for the first time."""

    def meanwhile() -> None:
        here.solver.meanwhile = lambda: None
        here.make(*commands)

    here.solver.meanwhile = meanwhile


def test_what_was_judged_is_not_judged_again_because_others_took_access_away(here: Here) -> None:
    """What is new since is all that is looked at, and that takes no solver."""
    here.make(AssignRole(ANN, HEAD))
    here.make(guardrail(Forbidden(READING)))
    asked = here.solver.asked
    overtaken(here, RevokeRole(ANN, HEAD))
    here.make(AssignRole(BOB, HEAD))
    assert here.solver.asked == asked + 1


@pytest.mark.parametrize(
    "others",
    [
        (CreateClaim(claim(id=C2, role=HEAD)),),
        (guardrail(Forbidden(WRITING)),),
        (AssignRole(BOB, CLERK),),
    ],
)
def test_what_others_did_meanwhile_is_judged_together_with_the_change(
    here: Here, others: tuple[SingleCommand, ...]
) -> None:
    """Either alone keeps every guardrail, both do not."""
    here.make(DeleteClaim(C2))
    here.make(CreateGuardrail(Guardrail(GuardrailId("apart"), Exclusive(READING, WRITING))))
    here.make(CreateGuardrail(Guardrail(GuardrailId("few"), Capped(READING, 1))))
    here.make(CreateClaim(claim(id=WRITES, role=HEAD, action=Exactly(WRITE))))
    overtaken(here, *others)
    before = here.revision()
    refused = here.propose(AssignRole(BOB, HEAD))
    assert isinstance(refused, Broken), refused
    assert here.revision() == before + 1


def test_what_was_found_to_break_is_nothing_to_go_on_from(here: Here) -> None:
    """Others only took access away meanwhile; the change breaks the guardrail as it did before."""
    here.make(AssignRole(ANN, HEAD))
    here.make(guardrail(Forbidden(READING)))
    overtaken(here, RevokeRole(ANN, HEAD))
    before, asked = here.revision(), here.solver.asked
    refused = here.propose(AssignRole(BOB, CLERK))
    assert isinstance(refused, Broken), refused
    assert (here.revision(), here.solver.asked) == (before + 1, asked + 2)


def test_nobody_is_refused_by_a_guardrail_that_is_gone(here: Here) -> None:
    """It was lifted while the change was judged."""
    here.make(guardrail(Forbidden(READING)))
    overtaken(here, DeleteGuardrail(LAW))
    here.make(AssignRole(BOB, CLERK))


def test_what_took_a_solver_is_made_once_under_its_key(here: Here) -> None:
    """The receipt is written with the change, however long its judgement took."""
    here.make(guardrail(Forbidden(READING)))
    command, terms = AssignRole(BOB, HEAD), Terms(Once("key", "digest"))
    made = here.point.propose(ACME, command, by=OPERATOR, terms=terms)
    assert isinstance(made, Accepted), made
    again = here.point.propose(ACME, command, by=OPERATOR, terms=terms)
    assert again == Repeated(made.event.revision)


def test_what_is_only_rehearsed_is_judged_too(here: Here) -> None:
    """What a guardrail would refuse is told before; nothing is made of it."""
    here.make(guardrail(Forbidden(READING)))
    before = here.revision()
    assert isinstance(here.point.rehearse(ACME, AssignRole(BOB, CLERK), by=OPERATOR), Broken)
    assert isinstance(here.point.rehearse(ACME, AssignRole(BOB, HEAD), by=OPERATOR), Accepted)
    assert here.revision() == before


def test_a_change_is_judged_in_full_where_its_judgement_was_of_another_history(here: Here) -> None:
    """What was put back to an earlier point need not have come of the state that was judged."""
    here.make(guardrail(Forbidden(READING)))
    seen = here.snapshots.seen(ACME)
    assert seen is not None
    judgement = Judgement(Guard(here.solver), here.store)
    change = apply(seen.state, AssignRole(BOB, HEAD), actor="op", instant=0)
    assert isinstance(change, Accepted)
    doubt = judgement.doubt(seen, change)
    assert doubt is not None
    assert judgement.refusal(doubt) is None
    assert judgement.doubt(seen, change) is None
    assert judgement.doubt(replace(seen, seal="another"), change) is not None


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
