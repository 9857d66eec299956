"""Earlier states, told backward from the present by the events."""

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands.language import AddParent, ChangeSet, CreateRole, DeleteRole
from grantproof.core.identifiers import RoleId
from grantproof.core.organization import Organization, advance
from grantproof.service.past import TooFarBack, state_at
from grantproof.service.ports import StoreUnusable
from tests.contracts.histories import HISTORY, commit_all, created, empty, event
from tests.organizations import ACME

CLERK, HEAD = RoleId("clerk-of-old"), RoleId("head-of-old")


def test_every_earlier_state_is_told() -> None:
    """It is what following the changes from the beginning gave at that revision."""
    store = MemoryStore()
    current = created(store, ACME)
    state = empty(ACME)
    for revision, command in enumerate([*HISTORY, None]):
        assert state_at(store, current, revision) == state
        if command is not None:
            state = advance(state, event(state, command).delta)
    assert state == current


def test_what_came_together_goes_the_other_way_round() -> None:
    """Of a change set the edges go before their nodes, as they came after them."""
    store = MemoryStore()
    before = created(store, ACME, HISTORY[:2])
    made = (CreateRole(CLERK), CreateRole(HEAD), AddParent(CLERK, HEAD))
    current = commit_all(store, before, [ChangeSet(made), DeleteRole(HEAD, cascade=True)])
    together = state_at(store, current, current.revision - 1)
    assert together.roles.has_edge(CLERK, HEAD)
    assert state_at(store, current, before.revision) == before


def test_so_much_is_undone_and_no_more() -> None:
    """The present costs nothing."""
    store = MemoryStore()
    current = created(store, ACME, HISTORY[:5])
    assert state_at(store, current, 2, events_max=3).revision == 2
    assert state_at(store, current, 5, events_max=0) is not None
    with pytest.raises(TooFarBack):
        state_at(store, current, 2, events_max=2)


def test_events_that_are_missing_are_not_made_up() -> None:
    """A store that has been put back under us is not usable for this."""
    store = MemoryStore()
    current = Organization(ACME, revision=3)
    with pytest.raises(StoreUnusable):
        state_at(store, current, 1)
