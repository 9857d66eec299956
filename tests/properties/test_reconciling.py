"""The change set between two organizations: any valid one is made any other, in one change."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from grantproof.core.administration import has_administrator
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import ChangeSet
from grantproof.core.errors import LastAdministrator
from grantproof.core.footprint import broken
from grantproof.core.invariants import valid
from grantproof.core.model import Administered, Fact
from grantproof.core.organization import Organization, facts
from grantproof.policyfile.reconciling import changes
from tests.documents import from_organization
from tests.strategies.commands import edits, links, removals
from tests.strategies.names import FEW
from tests.strategies.organizations import organizations, settled

WORTH_SEEING = (
    "ChangeSodSet",
    "DeleteClaim",
    "DeleteGroup",
    "DeletePrincipal",
    "DeleteResource",
    "DeleteRole",
    "DeleteSodSet",
    "RemoveParent",
    "RevokeRole",
    "SetResourceAttributes",
    "SuspendPrincipal",
    "last administrator",
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Organization, Organization]:
    """Two organizations: far apart, or one and what a few edits and removals make of it."""
    before = draw(organizations(FEW))
    if draw(st.booleans()):
        return before, draw(organizations(FEW))
    steps = draw(st.lists(st.one_of(edits(FEW), removals(FEW), links(FEW)), max_size=8))
    return before, [before, *(one.state for one in settled(before, steps))][-1]


def test_any_organization_becomes_any_other() -> None:
    """The change is accepted, leaves exactly the facts of the document, and a valid state.

    The one thing that may be in the way is that nobody would administer it any more. What the
    pairs asked for was worth trying: every kind of step was among it.
    """
    seen: Counter[str] = Counter()

    @given(pairs())
    def becomes(pair: tuple[Organization, Organization]) -> None:
        before, other = pair
        wanted = from_organization(other)
        commands = changes(before, wanted)
        assert isinstance(commands, tuple)
        seen.update({type(command).__name__ for command in commands})
        if len(commands) == 0:
            assert written(before) == written(other)
            return
        outcome = apply(before, ChangeSet(commands), actor="tester", instant=0)
        if not isinstance(outcome, Accepted):
            seen["last administrator"] += 1
            assert outcome.refusal == LastAdministrator(before.id)
            assert not has_administrator(other)
            return
        assert written(outcome.state) == written(other)
        assert list(valid(outcome.state)) == []
        assert list(broken(before, outcome.state, outcome.event.delta)) == []
        assert changes(outcome.state, wanted) == ()

    becomes()
    assert [name for name in WORTH_SEEING if seen[name] == 0] == []


def written(state: Organization) -> frozenset[Fact]:
    """The facts that a document can hold."""
    return frozenset(fact for fact in facts(state) if not isinstance(fact, Administered))
