"""P-REJECT and P-SOD-EXACT of many assignments at once: as each in turn, refused or not."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from grantproof.core.commands import Accepted, Rejected, apply
from grantproof.core.commands.assigning import assigned
from grantproof.core.commands.language import AssignRole, ChangeSet, SingleCommand
from grantproof.core.errors import RefusedAt, SingleRefusal
from grantproof.core.organization import Organization, advance
from tests.properties.tally import Tally
from tests.strategies.commands import single_commands
from tests.strategies.crowded import PRINCIPALS, ROLES, crowds
from tests.strategies.names import FEW
from tests.strategies.values import validities

ASSIGNMENTS = st.builds(
    AssignRole, st.sampled_from(PRINCIPALS), st.sampled_from(ROLES), validities(FEW)
)
SOME: SearchStrategy[list[AssignRole]] = st.lists(
    ASSIGNMENTS, min_size=1, max_size=4, unique_by=lambda one: (one.principal, one.role)
)


def in_turn(
    state: Organization, wanted: list[SingleCommand]
) -> Organization | tuple[int, SingleRefusal]:
    """Apply one command after the other; the state they lead to, or where and why one cannot be."""
    for position, command in enumerate(wanted):
        outcome = apply(state, command, actor="eve", instant=0)
        if isinstance(outcome, Rejected):
            assert not isinstance(outcome.refusal, RefusedAt)
            return position, outcome.refusal
        state = outcome.state
    return state


def test_p_reject_assignments_at_once_are_what_they_are_in_turn() -> None:
    """P-REJECT, P-SOD-EXACT: nothing exactly if one is refused in turn, and else the same state."""
    tally = Tally("assignments at once")

    @settings(max_examples=200)
    @given(crowds(), SOME, st.booleans())
    def holds(state: Organization, some: list[AssignRole], anew: bool) -> None:
        held = state.assignments
        wanted = [one for one in some if not (anew and one.role in held.of(one.principal))]
        found, expected = assigned(state, wanted), in_turn(state, [*wanted])
        if isinstance(expected, Organization):
            assert found is not None
            assert found.assignments == expected.assignments
            tally.saw("all", len(wanted) > 1)
        else:
            assert found is None
            tally.saw(type(expected[1]).__name__)

    holds()
    tally.expect(all=25, AlreadyExists=15, BreaksSod=3)


def test_p_reject_a_change_set_is_refused_where_a_command_in_turn_is() -> None:
    """P-REJECT: at the same command on the same ground, whatever stands around the assignments."""
    tally = Tally("assignments among others")
    others = st.lists(single_commands(FEW), max_size=1)

    @settings(max_examples=150)
    @given(crowds(), SOME, others, SOME)
    def holds(
        state: Organization,
        before: list[AssignRole],
        between: list[SingleCommand],
        after: list[AssignRole],
    ) -> None:
        wanted = [*before, *between, *after]
        outcome = apply(state, ChangeSet(tuple(wanted)), actor="eve", instant=0)
        expected = in_turn(state, wanted)
        if isinstance(outcome, Accepted):
            assert advance(state, outcome.event.delta) == outcome.state
            assert isinstance(expected, Organization)
            assert outcome.state.assignments == expected.assignments
            tally.saw("accepted")
        elif isinstance(outcome.refusal, RefusedAt):
            assert expected == (outcome.refusal.position, outcome.refusal.refusal)
            tally.saw("refused")
            tally.saw("refused_late", outcome.refusal.position > len(before))

    holds()
    tally.expect(accepted=10, refused=50, refused_late=5)
