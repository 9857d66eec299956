"""What must hold of a database after any fault: its chain, its facts, every one of its states."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.core.invariants import valid
from grantproof.core.model import Delta
from grantproof.core.organization import Organization, advance
from tests.databases import Database, opened
from tests.survival.serving import Process, command

ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class History:
    """The events of an organization, and what it is after them."""

    events: tuple[Event, ...]
    state: Organization

    def made(self) -> dict[str, list[int]]:
        """The revisions of the events by the request that they answer."""
        found: dict[str, list[int]] = {}
        for event in self.events:
            found.setdefault(event.request_id or "", []).append(event.revision)
        return found


def history(database: Database, name: str, *, valid_at_each: bool = False) -> History:
    """What is stored of an organization: revisions without gap, rows and events the same.

    With `valid_at_each` every state that it ever had is checked against every invariant.
    """
    organization = OrganizationId(name)
    store = opened(database.address)
    try:
        events = store.events(organization, limit=ALL)
        state = store.load(organization)
        assert state is not None
        assert list(store.ledger.differences(name)) == []
        assert store.damage() == ()
    finally:
        store.close()
    assert [event.revision for event in events] == list(range(1, len(events) + 1))
    # An empty state under the same settings, so that what is folded is the events alone.
    folded = Organization(organization, time_zone=state.time_zone)
    for event in events:
        folded = advance(folded, event.delta)
        if valid_at_each:
            assert valid(folded) == (), f"revision {event.revision} is not valid"
    assert folded == state
    assert valid(state) == ()
    return History(events, state)


def check_audit(process: Process) -> None:
    """`grantproof audit verify` and `grantproof db check` find nothing wrong."""
    with ThreadPoolExecutor(2) as both:
        for done in both.map(partial(command, process), ("audit", "db"), ("verify", "check")):
            assert done.returncode == 0, f"{done.args[-2:]}: {done.stdout}{done.stderr}"


def touches(delta: Delta) -> int:
    """How many facts a delta adds or removes."""
    return len(delta.added) + len(delta.removed)
