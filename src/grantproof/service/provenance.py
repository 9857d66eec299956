"""When each holding came about and by whom, and when it last changed: told from the events.

One walk over all events, oldest first. What is kept is a number for each fact that a holding rests
on, so a long history costs time and little memory.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId
from grantproof.core.model import (
    Assignment,
    Claim,
    Delta,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    Principal,
)
from grantproof.policyfile.wire import decode_delta
from grantproof.service.history import Entry
from grantproof.service.past import events_between
from grantproof.service.ports import ERASED, Store
from grantproof.service.review import Holding

EVENTS_READ: Final = 100
"""So many events are read at once: each may be a change of thousands of facts."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Occasion:
    """The event of a revision: its instant in epoch seconds, and who made it."""

    revision: int
    instant: int
    actor: str


class Provenance:
    """The latest event that made each fact that stands, of one organization."""

    def __init__(self) -> None:
        self._occasions: list[Occasion] = []
        self._latest: dict[Key, int] = {}

    def take(self, occasion: Occasion, delta: Delta) -> None:
        """Take in the next event, and what it did."""
        number = len(self._occasions)
        self._occasions.append(occasion)
        for fact in delta.removed:
            # What goes is not shown any more, but a role without it is another.
            if isinstance(fact, Inheritance | Claim):
                self._latest["role", fact.role] = number
        for fact in delta.added:
            key = _key(fact)
            if key is not None:
                self._latest[key] = number

    def assigned(self, principal: PrincipalId, holding: Holding) -> Occasion | None:
        """Return which event assigned the role; nothing where that was not taken in."""
        number = self._latest.get(_assignment(principal, holding))
        return None if number is None else self._occasions[number]

    def changed(
        self, principal: PrincipalId, holding: Holding, roles: Iterable[RoleId]
    ) -> Occasion | None:
        """Return the latest event that changed the holding, or what one of the roles gives.

        That is: the principal itself, the assignment, a membership or nesting on the way to it, and
        the parents and claims of the roles.
        """
        keys: list[Key] = [("principal", principal), _assignment(principal, holding)]
        if holding.groups:
            keys.append(("membership", principal, holding.groups[0]))
            steps = zip(holding.groups, holding.groups[1:], strict=False)
            keys.extend(("nesting", inner, outer) for inner, outer in steps)
        keys.extend(("role", role) for role in roles)
        numbers = [self._latest[key] for key in keys if key in self._latest]
        return self._occasions[max(numbers)] if numbers else None


def provenance(store: Store, organization: OrganizationId, *, until: int) -> Provenance:
    """Return where everything comes from, by all events up to the revision `until`.

    Raises `StoreError`.
    """
    found = Provenance()
    for event in events_between(store, organization, after=0, until=until, at_once=EVENTS_READ):
        found.take(Occasion(event.revision, event.instant, event.actor), event.delta)
    return found


def retold(entries: Iterable[Entry], *, until: int) -> Provenance:
    """Return what `provenance` does, of events as a history tells them, the oldest first."""
    found = Provenance()
    for entry in entries:
        if entry.revision <= until:
            occasion = Occasion(entry.revision, entry.instant, entry.actor or ERASED)
            found.take(occasion, decode_delta(entry.delta))
    return found


def _assignment(principal: PrincipalId, holding: Holding) -> Key:
    if holding.groups:
        return ("group", holding.groups[-1], holding.role)
    return ("assignment", principal, holding.role)


def _key(fact: Fact) -> Key | None:
    """Return what the fact is remembered by; nothing for one that no holding rests on."""
    match fact:
        case Principal(id=name):
            return ("principal", name)
        case Assignment(principal, role):
            return ("assignment", principal, role)
        case GroupAssignment(group, role):
            return ("group", group, role)
        case Membership(principal, group):
            return ("membership", principal, group)
        case Nesting(group, container):
            return ("nesting", group, container)
        case Inheritance(role=role) | Claim(role=role):
            return ("role", role)
        case _:
            return None
