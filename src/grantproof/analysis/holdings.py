"""Who holds which role, and when, as sets: of each role all its holders, worked out when asked for.

Whoever holds a role for ever is a bit of one set. Others are listed with the times they hold it,
since what they may do changes with the time. The suspended hold nothing here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from grantproof.analysis.populations import Mask, Numbering, mask_of, places
from grantproof.analysis.principals import clashes, dynamic_sets
from grantproof.core.hierarchy import closure, members_of
from grantproof.core.identifiers import GroupId, RoleId
from grantproof.core.limits import INSTANT_MAX, INSTANT_MIN
from grantproof.core.model import ALWAYS, SodSet, Validity
from grantproof.core.organization import Organization

Times = frozenset[Validity]
"""In any of these."""

Spans = tuple[tuple[int, int], ...]
"""From each first instant until before each second one, in epoch seconds."""


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds something: for ever, or by place when. No place is in both."""

    ever: Mask = 0
    timed: Mapping[int, Times] = field(default_factory=dict)
    timed_mask: Mask = 0

    @property
    def mask(self) -> Mask:
        """Whoever holds it at any time."""
        return self.ever | self.timed_mask


@dataclass(frozen=True, slots=True)
class Clashes:
    """Whose roles clash, so that they are allowed nothing: for ever, or by place when."""

    ever: Mask = 0
    timed: Mapping[int, Spans] = field(default_factory=dict)
    timed_mask: Mask = 0


NOBODY: Final = Held()


class Holders:
    """The holders of the roles of one organization."""

    def __init__(self, state: Organization, numbering: Numbering) -> None:
        self.state = state
        self._numbering = numbering
        self._size = len(numbering.ids)
        self._held: dict[RoleId, Held] = {}
        self._joint: dict[frozenset[RoleId], Held] = {}
        self._direct: dict[RoleId, Held] = {}
        self._members: dict[GroupId, Mask] = {}
        self._active = self._awake()
        self.clashes = self._clashes()

    def of(self, role: RoleId) -> Held:
        """Return who holds the role, through groups and inheritance too; nobody if it is none."""
        held = self._held.get(role)
        if held is None:
            held = self._held[role] = self._inherited(role)
        return held

    def of_any(self, roles: frozenset[RoleId]) -> Held:
        """Return who holds any of the roles."""
        if len(roles) == 1:
            return self.of(next(iter(roles)))
        held = self._joint.get(roles)
        if held is None:
            held = self._joint[roles] = self._joined(self.of(role) for role in roles)
        return held

    def _inherited(self, role: RoleId) -> Held:
        if role not in self.state.roles:
            return NOBODY
        below = closure({role}, self.state.roles.children)
        held = self._joined(self._assigned(one) for one in below)
        timed = {at: times for at, times in held.timed.items() if self._active >> at & 1}
        return self._made(held.ever & self._active, timed)

    def _awake(self) -> Mask:
        """Return every place but those of the suspended."""
        people = self.state.principals.values()
        return ~self._numbering.mask(one.id for one in people if not one.active)

    def _assigned(self, role: RoleId) -> Held:
        known = self._direct.get(role)
        if known is None:
            known = self._direct[role] = self._directly(role)
        return known

    def _directly(self, role: RoleId) -> Held:
        state, place = self.state, self._numbering.place
        ever: list[int] = []
        timed: dict[int, set[Validity]] = {}
        for principal in state.assignments.to(role):
            validity = state.assignments.of(principal)[role]
            if validity == ALWAYS:
                ever.append(place(principal))
            else:
                timed.setdefault(place(principal), set()).add(validity)
        mask = mask_of(ever, size=self._size)
        for group in state.group_assignments.to(role):
            validity = state.group_assignments.of(group)[role]
            members = self._in_group(group)
            if validity == ALWAYS:
                mask |= members
            else:
                for at in places(members):
                    timed.setdefault(at, set()).add(validity)
        return self._made(mask, {at: frozenset(times) for at, times in timed.items()})

    def _in_group(self, group: GroupId) -> Mask:
        known = self._members.get(group)
        if known is None:
            known = self._members[group] = self._numbering.mask(members_of(self.state, {group}))
        return known

    def _joined(self, several: Iterable[Held]) -> Held:
        ever, timed = 0, dict[int, Times]()
        for held in several:
            ever |= held.ever
            for at, times in held.timed.items():
                timed[at] = timed.get(at, frozenset()) | times
        return self._made(ever, timed)

    def _made(self, ever: Mask, timed: Mapping[int, Times]) -> Held:
        if len(timed) == 0:
            return Held(ever)
        kept = {at: times for at, times in timed.items() if not ever >> at & 1}
        return Held(ever, kept, mask_of(kept, size=self._size))

    def _clashes(self) -> Clashes:
        ever, at_some_time = 0, 0
        sets = dynamic_sets(self.state)
        for one in sets:
            held = [self.of(role) for role in one.roles]
            ever |= _so_many((each.ever for each in held), one.n)
            at_some_time |= _so_many((each.mask for each in held), one.n)
        timed = {at: self._clash_times(sets, at) for at in places(at_some_time & ~ever)}
        timed = {at: spans for at, spans in timed.items() if len(spans) > 0}
        return Clashes(ever, timed, mask_of(timed, size=self._size))

    def _clash_times(self, sets: Iterable[SodSet], at: int) -> Spans:
        roles = {role for one in sets for role in one.roles}
        held = {role: _times(self.of(role), at) for role in roles}
        bounds = {INSTANT_MIN, INSTANT_MAX + 1, *edges(held.values())}
        return tuple(
            (first, end)
            for first, end in pairwise(sorted(bounds))
            if clashes(sets, frozenset(role for role in roles if lasts(held[role], first)))
        )


def _times(held: Held, at: int) -> Times:
    return frozenset({ALWAYS}) if held.ever >> at & 1 else held.timed.get(at, frozenset())


def lasts(times: Times, instant: int) -> bool:
    """Return whether one of the times contains the instant."""
    return any(validity.contains(instant) for validity in times)


def edges(several: Iterable[Times]) -> Iterator[int]:
    """Yield the instants at which one of the times begins or ends."""
    for times in several:
        for validity in times:
            yield from (edge for edge in (validity.start, validity.end) if edge is not None)


def _so_many(sets: Iterable[Mask], least: int) -> Mask:
    """Return who is in at least so many of the sets."""
    counted = [0] * least
    for members in sets:
        for already in range(least - 1, 0, -1):
            counted[already] |= counted[already - 1] & members
        counted[0] |= members
    return counted[-1]
