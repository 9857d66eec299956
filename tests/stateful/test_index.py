"""P-INDEX: the compiled index, following every change, answers as the reference does."""

from dataclasses import replace
from random import Random
from typing import get_args

from hypothesis import Phase, settings
from hypothesis.stateful import initialize, invariant, precondition, run_state_machine_as_test
from typing_extensions import override

from grantproof.core.attributes import attributes
from grantproof.core.certificate import check
from grantproof.core.commands import Accepted, Event, apply
from grantproof.core.commands.language import AssignRole, ChangeSet, CreateClaim, SingleCommand
from grantproof.core.constraints import Context
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
)
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.model import Claim, Exactly, OfKind, Within
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, evaluate
from tests.organizations import after, essence
from tests.properties.tally import Tally
from tests.stateful.proposing import Proposing
from tests.stateful.walks import KINDS, PLACES, PRINCIPALS, ROLES, next_command, opening
from tests.strategies.crowded import crowds
from tests.strategies.surveys import survey

ASKED = 25
READ = Exactly(Action("read"))
# Claims and holders that make many questions allowed; what a static set forbids is passed over.
OPENING: list[SingleCommand] = [
    CreateClaim(Claim(ClaimId("w0"), RoleId("viewer"), READ, Within(ResourceId("docs")))),
    CreateClaim(Claim(ClaimId("w1"), RoleId("owner"), READ, Within(ResourceId("mail")))),
    CreateClaim(Claim(ClaimId("w2"), RoleId("auditor"), READ, OfKind("document"))),
    AssignRole(PrincipalId("ann"), RoleId("viewer")),
    AssignRole(PrincipalId("bob"), RoleId("owner")),
    AssignRole(PrincipalId("cid"), RoleId("auditor")),
]
SILENT = Context(instant=0, hour=12, weekday=2, year=1970)
IMPLICIT = [ResourceId(name) for name in ("role:viewer", "group:staff", "sod-set:s0")]
Question = tuple[Request, Context]
TELLING = replace(
    SILENT,
    region=Region("eu"),
    position=Position(9_000, 0),
    usage=0,
    rate=1,
    attributes=attributes({"owner": "ann", "level": 1, "tags": True}),
)


class Following(Proposing):
    """Asks the followed index, one built afresh and the reference the same, after each change."""

    tally = Tally("P-INDEX")

    def __init__(self) -> None:
        super().__init__()
        self.index: Index | None = None
        self.questions: list[Question] = []
        self.asked = 0

    @override
    @initialize(state=crowds())
    def begin(self, state: Organization) -> None:
        """Start from a crowded organization, with an index of it that knows the questions."""
        for command in OPENING:
            opened = apply(state, command, actor="eve", instant=0)
            state = opened.state if isinstance(opened, Accepted) else state
        self.state = state
        self.index = Index(state)
        every = [*survey(state, TELLING), *survey(state, SILENT), *plain(state)]
        allowed = [one for one in every if isinstance(evaluate(state, *one), Allow)]
        self.questions = [*spread(allowed, ASKED), *spread(every, ASKED)]

    @override
    def accepted(self, before: Organization, event: Event) -> None:
        """The index follows by the event's delta."""
        assert self.index is not None
        assert self.index.state is before
        self.index.follow(self.state, event.delta)

    @precondition(lambda self: self.index is not None)
    @invariant()
    def agrees(self) -> None:
        """The old questions, for which entries are cached, and new ones of this state."""
        assert self.index is not None
        self.asked += 1
        fresh = Index(self.state)
        latest = list(survey(self.state, TELLING))[self.asked % 7 :: 23]
        for request, context in [*self.questions, *latest]:
            expected = evaluate(self.state, request, context)
            for index in (self.index, fresh):
                assert essence(index.decide(request, context)) == essence(expected)
            self.certified(request, context)
            self.tally.saw("allow" if isinstance(expected, Allow) else "deny")
            self.tally.saw("in_session", request.active_roles is not None)

    def certified(self, request: Request, context: Context) -> None:
        """The index's own certificate passes the checker."""
        assert self.index is not None
        decision = self.index.decide(request, context)
        if isinstance(decision, Allow):
            certificate = decision.certificate
            assert check(self.state, request, context, certificate=certificate)
            self.tally.saw("metered", certificate.claim.metered)
            self.tally.saw("inherited", len(certificate.roles) > 1)
            self.tally.saw("through_groups", len(certificate.groups) > 0)


def plain(state: Organization) -> list[Question]:
    """Everybody reads everything, without session."""
    return [
        (Request(principal, READ.value, resource), TELLING)
        for principal in sorted(state.principals)
        for resource in sorted(state.resources)
    ]


def spread(asked: list[Question], size: int) -> list[Question]:
    """About `size` of the questions, evenly over all of them."""
    return asked[:: max(1, len(asked) // size)]


WALKS, STEPS, SUBJECTS = 28, 120, 30


def test_p_index_over_seeded_walks_with_every_type_of_command() -> None:
    """P-INDEX: on long walks the followed index agrees on questions that it keeps being asked."""
    tally = Tally("P-INDEX, walks")
    for seed in range(WALKS):
        chance = Random(seed)
        state = after(Organization(OrganizationId("acme")), *opening())
        index = Index(state)
        for _ in range(STEPS):
            command = next_command(chance, state)
            result = apply(state, command, actor="eve", instant=0)
            name = type(command).__name__
            tally.saw(f"{name}_accepted", isinstance(result, Accepted))
            if not isinstance(result, Accepted):
                continue
            state = result.state
            index.follow(state, result.event.delta)
            for request, context in questions_about(chance):
                expected = evaluate(state, request, context)
                decision = index.decide(request, context)
                assert essence(decision) == essence(expected), (seed, command, request)
                tally.saw("allow" if isinstance(expected, Allow) else "deny")
                if isinstance(decision, Allow):
                    certificate = decision.certificate
                    assert check(state, request, context, certificate=certificate)
        fresh = Index(state)
        for request, context in questions_about(chance):
            assert essence(index.decide(request, context)) == essence(
                fresh.decide(request, context)
            )
    types = [command.__name__ for command in (*get_args(SingleCommand), ChangeSet)]
    tally.expect(allow=700, deny=7_000, **{f"{name}_accepted": 2 for name in types})


def questions_about(chance: Random) -> list[Question]:
    """Questions drawn from so few that the index has answers to most of them already."""
    return [
        (
            Request(
                chance.choice(PRINCIPALS),
                chance.choice([READ.value, READ.value, Action("write"), Action("administer")]),
                chance.choice([*PLACES, *PLACES, *IMPLICIT]),
                chance.choice([None, None, None, *KINDS]),
                chance.choice([None, None, None, frozenset(chance.sample(ROLES, 1))]),
            ),
            replace(chance.choice([TELLING, SILENT]), instant=chance.randrange(6)),
        )
        for _ in range(SUBJECTS)
    ]


def test_p_index_the_index_answers_as_the_reference_after_every_change() -> None:
    """P-INDEX: outcome, reason and claim agree, followed and fresh, and certificates check."""
    # Shrinking such long stories takes minutes; the smallest known ones are unit tests.
    phases = [phase for phase in Phase if phase is not Phase.shrink]
    run_state_machine_as_test(
        Following,
        settings=settings(max_examples=16, stateful_step_count=25, phases=phases),
    )
    Following.tally.expect(
        allow=300, deny=3_000, in_session=300, inherited=50, through_groups=50, metered=5
    )
