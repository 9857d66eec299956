"""P-INDUCT and P-REJECT over long administrations, with every type of command."""

from random import Random
from typing import get_args

from hypothesis import settings
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from grantproof.core.commands import Accepted, Event, Rejected, apply
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    Command,
    CreateClaim,
    SingleCommand,
)
from grantproof.core.errors import NotPermitted, OverLimit, Refusal
from grantproof.core.identifiers import ClaimId, OrganizationId, PrincipalId, RoleId
from grantproof.core.invariants import valid
from grantproof.core.model import ADMINISTER, Any, Claim, Exactly
from grantproof.core.organization import Organization, advance, facts
from tests.organizations import after, made_of
from tests.properties import oracle
from tests.properties.tally import Tally
from tests.stateful.proposing import Proposing
from tests.stateful.walks import next_command, opening
from tests.strategies.crowded import crowds

TYPES = [command.__name__ for command in (*get_args(SingleCommand), ChangeSet)]

# An administrator, so that the last one can be refused to go; passed over where a set forbids it.
OPENING: list[SingleCommand] = [
    CreateClaim(Claim(ClaimId("c7"), RoleId("owner"), Exactly(ADMINISTER), Any())),
    AssignRole(PrincipalId("ann"), RoleId("owner")),
]


class Administration(Proposing):
    """Watches that the organization stays valid and that events tell the whole story."""

    tally = Tally("administration")

    def __init__(self) -> None:
        super().__init__()
        self.facts_before: Organization | None = None
        self.sound: Organization | None = None
        self.latest: Command | None = None

    @rule()
    def again(self) -> None:
        """Propose what was accepted last once more, which is mostly so already."""
        if self.latest is not None:
            self.propose(self.latest)

    @override
    @initialize(state=crowds())
    def begin(self, state: Organization) -> None:
        """Start from a crowded organization and remember what it is made of."""
        for command in OPENING:
            opened = apply(state, command, actor="eve", instant=0)
            state = opened.state if isinstance(opened, Accepted) else state
        self.state = state
        self.facts_before = made_of(*facts(state), revision=state.revision)

    @override
    def accepted(self, before: Organization, event: Event) -> None:
        """The event's delta alone leads from before to after."""
        assert advance(before, event.delta) == self.state
        assert event.revision == self.state.revision == before.revision + 1
        assert not set(event.delta.removed) & set(event.delta.added)
        self.latest = event.command
        self.facts_before = made_of(*facts(self.state), revision=self.state.revision)

    @override
    def rejected(self, before: Organization, refusal: Refusal) -> None:
        """Nothing changed, and there is a witness."""
        assert self.state is before
        assert refusal is not None
        self.tally.saw(type(refusal).__name__)

    @precondition(lambda self: self.facts_before is not None)
    @invariant()
    def holds(self) -> None:
        """Valid by our check and by the oracle's, and what its own facts make of it."""
        if self.state is self.sound:
            # A refusal leaves the very same object, of which all this was asked a moment ago.
            return
        assert valid(self.state) == ()
        assert self.facts_before == self.state
        of = oracle.world(self.state)
        assert oracle.breaches(of) == set()
        assert not self.state.administered or oracle.administrators(of) != set()
        assert oracle.acyclic(of.inherits | of.nested)
        assert oracle.acyclic(of.inside)
        self.sound = self.state


def test_p_induct_p_reject_an_organization_stays_valid_under_every_command() -> None:
    """P-INDUCT, P-REJECT: after each of many commands, accepted or refused on many grounds."""
    run_state_machine_as_test(
        Administration, settings=settings(max_examples=60, stateful_step_count=30)
    )
    refusals = ("Missing", "AlreadyExists", "AlreadySo", "StillReferenced", "RefusedAt")
    Administration.tally.expect(**dict.fromkeys(refusals, 3))


WALKS, STEPS = 36, 150
NEVER = {OverLimit, NotPermitted}
"""No walk is long enough for a limit, and `apply` asks nobody for leave."""


def test_p_induct_p_reject_over_seeded_walks_with_every_type_of_command() -> None:
    """P-INDUCT, P-REJECT: every type of command is accepted and refused, on every ground."""
    tally = Tally("administration, walks")
    for seed in range(WALKS):
        chance = Random(seed)
        state = after(Organization(OrganizationId("acme")), *opening())
        for _ in range(STEPS):
            command = next_command(chance, state)
            result = apply(state, command, actor="eve", instant=0)
            accepted = isinstance(result, Accepted)
            tally.saw(f"{type(command).__name__}_{'accepted' if accepted else 'refused'}")
            if isinstance(result, Rejected):
                tally.saw(type(result.refusal).__name__)
                continue
            assert valid(result.state) == (), (seed, command)
            assert advance(state, result.event.delta) == result.state
            assert made_of(*facts(result.state), revision=result.state.revision) == result.state
            of = oracle.world(result.state)
            assert oracle.breaches(of) == set()
            assert result.state.administered == (oracle.administrators(of) != set())
            assert oracle.acyclic(of.inherits | of.nested | of.inside)
            state = result.state
    tally.expect(
        **{f"{name}_{fate}": 2 for name in TYPES for fate in ("accepted", "refused")},
        **{refusal.__name__: 5 for refusal in get_args(Refusal) if refusal not in NEVER},
    )
