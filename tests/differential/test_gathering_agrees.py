"""Random organizations gathered from their facts: equal to those that commands made."""

from hypothesis import given, settings

from grantproof.core.gathering import Gathering
from grantproof.core.mirrors import agreeing
from grantproof.core.organization import Organization, facts
from tests.strategies.organizations import organizations


def test_what_is_gathered_is_what_commands_made() -> None:
    """And its indexes agree, as they do in what commands made."""
    sizes = list[int]()

    @settings(max_examples=100)
    @given(organizations())
    def check(state: Organization) -> None:
        gathering, count = Gathering(), 0
        for fact in facts(state):
            gathering.adding(type(fact))(fact)
            count += 1
        empty = Organization(state.id, state.revision, state.time_zone)
        assert gathering.organization(empty) == state
        assert agreeing(state)
        sizes.append(count)

    check()
    assert max(sizes) > 15
