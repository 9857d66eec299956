"""The organizations that a process follows: what moves an index, and who is told."""

from collections.abc import Callable

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import RoleId
from grantproof.core.organization import Organization
from grantproof.service.snapshots import Snapshots
from tests.contracts.histories import ACTOR, INSTANT, commit_all, created
from tests.organizations import ACME

FIRST, SECOND, OTHER = (CreateRole(RoleId(name)) for name in ("first", "second", "other"))


class Here:
    """A store of an organization without changes, and what follows it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.state = created(self.store, ACME, [])
        self.before: Callable[[], None] = lambda: None
        self.snapshots = Snapshots(self.store, on_owner=self.owned)
        self.snapshots.load(ACME)

    def owned(self, change: Callable[[], None]) -> None:
        """Run the change, after what comes before it from another thread."""
        before, self.before = self.before, lambda: None
        before()
        change()

    def followed(self) -> Organization:
        """The state that is answered from."""
        index = self.snapshots.get(ACME)
        assert index is not None
        return index.state


@pytest.fixture
def here() -> Here:
    """What follows the organization."""
    return Here()


def made(state: Organization, command: CreateRole) -> Accepted:
    """What the command does to the state."""
    outcome = apply(state, command, actor=ACTOR, instant=INSTANT)
    assert isinstance(outcome, Accepted)
    return outcome


def test_what_was_published_moves_the_index_past_what_others_did(here: Here) -> None:
    """A change that was made on a state which is not known here is caught up with."""
    state = commit_all(here.store, here.state, [FIRST])
    second = made(state, SECOND)
    seal = here.store.commit(second.event)
    assert seal is not None
    here.snapshots.publish(second, seal=seal)
    assert here.followed() == second.state


def test_events_of_another_history_move_no_index(here: Here) -> None:
    """Another event came in the place of the one that they follow: they may never have been."""
    commit_all(here.store, here.state, [FIRST, SECOND])
    other = made(here.state, OTHER)
    here.before = lambda: here.snapshots.publish(other, seal="of another history")
    here.snapshots.catch_up(ACME)
    assert here.followed() == other.state


def test_whoever_heeds_is_told_of_what_is_followed_no_more(here: Here) -> None:
    """Nothing that is kept of a deleted organization outlives it."""
    told = list[tuple[str, object]]()
    here.snapshots.heed(lambda organization, gone: told.append((organization, gone)))
    here.store.delete(ACME, actor=ACTOR, instant=INSTANT)
    here.snapshots.catch_up(ACME)
    assert (here.snapshots.get(ACME), told) == (None, [(ACME, None)])
