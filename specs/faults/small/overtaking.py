"""A change that another overtakes while it is judged."""

from collections.abc import Callable
from typing import TypeVar

from grantproof.adapters.memory import MemoryStore
from grantproof.core import model as m
from grantproof.core.commands import Accepted, Event
from grantproof.core.commands.delta import ORDER
from grantproof.core.commands.language import CreateRole, SingleCommand
from grantproof.core.organization import Organization
from grantproof.service.authors import Author
from grantproof.service.guarding import Guard
from grantproof.service.pap import AdministrationPoint
from grantproof.service.snapshots import Snapshots
from specs.faults.small.worlds import ACME, VIEWER, Facts

Answer = TypeVar("Answer")


class Meanwhile:
    """A solver before whose first answer something happens."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens = happens

    def ask(self, work: Callable[[], Answer]) -> Answer:
        """Return what the work returns."""
        happens, self._happens = self._happens, lambda: None
        happens()
        return work()


class Still:
    """Time that does not pass."""

    def now(self) -> int:
        """Return an instant."""
        return 700

    def wait(self, attempt: int) -> None:
        """Wait no time."""


def both_made(
    facts: Facts, command: SingleCommand, meanwhile: SingleCommand
) -> Organization | None:
    """Return the organization in which both were made, or nothing if one was refused."""
    store, still = MemoryStore(), Still()
    store.create(ACME, time_zone="UTC", actor="eve", instant=0)
    start = tuple(sorted(facts, key=lambda fact: ORDER[type(fact)]))
    store.commit(Event(ACME, 1, 0, "eve", CreateRole(VIEWER), m.Delta(added=start)))
    made = list[bool]()

    def propose(one: SingleCommand) -> None:
        made.append(isinstance(point.propose(ACME, one, by=Author("eve")), Accepted))

    point = AdministrationPoint(
        store,
        Snapshots(store),
        clock=still,
        backoff=still,
        guard=Guard(Meanwhile(lambda: propose(meanwhile))),
    )
    propose(command)
    return store.load(ACME) if made == [True, True] else None
