"""The organizations that this process follows: one index each, at the last revision it knows.

An index has one owner, which asks it and lets it follow. Others hand their change to `on_owner`,
so that no request ever sees half of one. Beside it, and moved with it, are the versions.
"""

from collections.abc import Callable
from dataclasses import dataclass

from grantproof.core.commands import Accepted, Event
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.index import Index
from grantproof.core.invariants import Violation, valid
from grantproof.core.limits import EVENTS_PAGE_MAX
from grantproof.core.organization import Organization, advance
from grantproof.core.sessions import ended_by
from grantproof.service.contracts import Contracts, WholeCheck
from grantproof.service.ports import Store, StoreUnusable
from grantproof.service.shelf import Shelf, entities, is_far_behind, resumed
from grantproof.service.versions import Versioned, Versions

Owner = Callable[[Callable[[], None]], None]
"""Runs a function where the indexes are asked, and returns when it has run."""

Continuation = tuple[tuple[str, Event], ...]
"""Events that come after one another, each with its seal."""

Gone = Callable[[str, frozenset[PrincipalId] | None], None]
"""Is told which principals an event has deleted, or that an organization is followed no more."""

Watcher = Callable[[str], None]
"""Is told the id of an organization whose index has moved or is gone."""


def here(change: Callable[[], None]) -> None:
    """Run the change at once: for a process with one thread."""
    change()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an index is: at the event of this revision that has this seal, read as one value."""

    index: Index
    revision: int
    seal: str | None


class Snapshots:
    """Indexes by organization. `get` is for the owner; the rest may be called from any thread."""

    def __init__(
        self,
        store: Store,
        *,
        on_owner: Owner = here,
        contracts: Contracts | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self._store = store
        self._shelf = shelf
        self._contracts = Contracts() if contracts is None else contracts
        self._on_owner = on_owner
        self._indexes: dict[str, Index] = {}
        self._versions: dict[str, Versions] = {}
        self._places: dict[str, _Place] = {}
        self._watcher: Watcher = _unwatched
        self._gone: Gone = _unheeded

    def watch(self, watcher: Watcher) -> None:
        """Let the watcher be told, where the indexes are asked, of each that has moved or gone."""
        self._watcher = watcher

    def heed(self, gone: Gone) -> None:
        """Let `gone` be told, where the indexes are asked, with the step that an index makes."""
        self._gone = gone

    def get(self, organization: str) -> Index | None:
        """Return the index of an organization followed already, without looking further."""
        return self._indexes.get(organization)

    def head(self, organization: str) -> tuple[int, str | None] | None:
        """Return at which event the index of an organization stands, if it is followed."""
        place = self._places.get(organization)
        return None if place is None else (place.revision, place.seal)

    def versioned(self, organization: str) -> Versioned | None:
        """Return what `get` knows, with the versions of its entities; for the owner alone."""
        index = self._indexes.get(organization)
        if index is None:
            return None
        seal = self._places[organization].seal
        return Versioned(index.state, self._versions[organization], seal)

    def seen(self, organization: OrganizationId) -> Versioned | None:
        """Return state and versions at one revision, loading as `load` does; nothing if absent."""
        if self.load(organization) is None:
            return None
        found: list[Versioned | None] = []
        self._on_owner(lambda: found.append(self.versioned(organization)))
        return found[0]

    def load(self, organization: OrganizationId) -> Index | None:
        """Return the index, reading the organization when it is not followed yet.

        What is kept on the shelf is moved to where the store is before anybody is answered from it.
        Nothing when there is no such organization. Raises `StoreUnusable` when what is stored
        violates an invariant.
        """
        index = self._indexes.get(organization)
        if index is not None:
            return index
        stored = None if self._shelf is None else resumed(self._store, self._shelf, organization)
        if stored is None:
            stored = self._stored(organization)
        if stored is None:
            return None
        loaded = Index(stored.state)
        self._on_owner(lambda: self._adopt(loaded, stored))
        # Gone again, it is as good as any that was read and checked a moment ago.
        return self._indexes.get(organization, loaded)

    def _stored(self, organization: OrganizationId) -> Versioned | None:
        """Return what the store has of the organization; raises `StoreUnusable` as `load` does."""
        stored = self._store.load_versioned(organization)
        if stored is None:
            return None
        violations = self._contracts.broken_in(stored.state)
        if len(violations) > 0:
            first = violations[0]
            message = (
                f"organization `{organization}` breaks {first.invariant} at {', '.join(first.ids)} "
                f"({len(violations)} violations): restore it from a backup"
            )
            raise StoreUnusable(message)
        return stored

    def holds(self, index: Index) -> bool:
        """Return whether the index is still the one that is followed, neither dropped nor anew."""
        return self._indexes.get(index.state.id) is index

    def followed(self) -> tuple[OrganizationId, ...]:
        """Return the organizations that are followed."""
        return tuple(index.state.id for index in tuple(self._indexes.values()))

    def recheck(
        self, organization: OrganizationId, check: WholeCheck = valid
    ) -> tuple[Violation, ...]:
        """Check the whole state of a followed organization again; return what it violates.

        One that is not valid is no longer served from memory: it is read anew, and checked, before
        anything is answered about it. Takes long for a large one. Raises `Unfinished` if the check
        does.
        """
        index = self._indexes.get(organization)
        violations = () if index is None else self._contracts.broken_in(index.state, check)
        if len(violations) > 0:
            self._forget(organization)
            self._on_owner(lambda: self._drop(organization, index))
            self._contracts.count_withdrawn()
        return violations

    def publish(self, accepted: Accepted, *, seal: str) -> None:
        """Let the index move to a state that was committed by an event with that seal."""
        self._on_owner(lambda: self._move(accepted, seal))
        index = self._indexes.get(accepted.state.id)
        if index is not None and index.state.revision < accepted.state.revision:
            self.catch_up(accepted.state.id)

    def catch_up(self, organization: OrganizationId) -> None:
        """Let the index follow every event that is stored; forget a deleted organization.

        An organization whose store was put back to an earlier point is forgotten too, however many
        events it has by now: what is remembered of it may never have happened. One that is so far
        behind that reading all facts is faster is read anew, and answered from as it was meanwhile.
        """
        place = self._places.get(organization)
        while place is not None:
            come = self._store.continued(
                organization, after=place.revision, seal=place.seal, limit=EVENTS_PAGE_MAX
            )
            if come is None:
                self._run_drop(organization, place.index)
                return
            full = len(come) == EVENTS_PAGE_MAX
            if full and self._is_far_behind(organization, place):
                self._run_renew(organization, place.index)
            else:
                self._run_follow(place, come)
            place = self._places.get(organization) if full else None

    def _is_far_behind(self, organization: OrganizationId, place: _Place) -> bool:
        now = self._store.revision(organization) or 0
        return is_far_behind(now - place.revision, entities(place.index.state))

    def _run_renew(self, organization: OrganizationId, index: Index) -> None:
        """Read the organization anew in place of the index; raises `StoreUnusable` as `load`."""
        stored = self._stored(organization)
        if stored is None:
            self._run_drop(organization, index)
            return
        loaded = Index(stored.state)
        self._on_owner(lambda: self._supersede(index, loaded, stored))

    def _run_drop(self, organization: OrganizationId, index: Index) -> None:
        self._forget(organization)
        self._on_owner(lambda: self._drop(organization, index))

    def _forget(self, organization: OrganizationId) -> None:
        """Let what is followed no more be read from the store, and from nowhere else."""
        if self._shelf is not None:
            self._shelf.discard(organization)

    def _run_follow(self, start: _Place, come: Continuation) -> None:
        if len(come) > 0:
            self._on_owner(lambda: self._follow(start, come))

    def _follow(self, start: _Place, come: Continuation) -> None:
        index, before = start.index, start.seal
        for seal, event in come:
            # They are in order and have no gap; another thread may have brought some of them, or
            # others in their place.
            place = self._places.get(index.state.id)
            if place == _Place(index, event.revision - 1, before):
                self._step(index, advance(index.state, event.delta), event, seal=seal)
            before = seal
        self._watcher(index.state.id)

    def _adopt(self, loaded: Index, stored: Versioned) -> None:
        # Two threads may have loaded at once: the first stays, it may have followed since.
        if self._indexes.setdefault(str(loaded.state.id), loaded) is loaded:
            self._versions[loaded.state.id] = stored.versions
            self._places[loaded.state.id] = _Place(loaded, stored.state.revision, stored.seal)

    def _supersede(self, index: Index, loaded: Index, stored: Versioned) -> None:
        # Meanwhile another thread may have dropped it, or brought it farther.
        organization = loaded.state.id
        if not self.holds(index) or index.state.revision > loaded.state.revision:
            return
        self._indexes[organization] = loaded
        self._versions[organization] = stored.versions
        self._places[organization] = _Place(loaded, stored.state.revision, stored.seal)
        # Nobody tells which principals were deleted on the way.
        self._gone(organization, None)
        self._watcher(organization)

    def _drop(self, organization: OrganizationId, index: Index | None) -> None:
        # Meanwhile another thread may have read it anew: that one stays.
        if index is None or self._indexes.get(organization) is not index:
            return
        del self._indexes[organization], self._versions[organization], self._places[organization]
        self._gone(organization, None)
        self._watcher(organization)

    def _move(self, accepted: Accepted, seal: str) -> None:
        index = self._indexes.get(accepted.state.id)
        if index is not None and index.state.revision + 1 == accepted.state.revision:
            self._step(index, accepted.state, accepted.event, seal=seal)
            self._watcher(index.state.id)

    def _step(self, index: Index, after: Organization, event: Event, *, seal: str) -> None:
        """Let index, versions and place move to the next revision together."""
        index.follow(after, event.delta)
        self._versions[after.id] = self._versions[after.id].after(event.delta)
        ended = ended_by(event.command)
        if len(ended) > 0:
            self._gone(after.id, ended)
        self._places[after.id] = _Place(index, after.revision, seal)


def _unwatched(organization: str) -> None:
    """Tell nobody."""


def _unheeded(organization: str, principals: frozenset[PrincipalId] | None) -> None:
    """Tell nobody."""
