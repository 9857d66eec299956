"""An organization as the parts of a snapshot file: small ones, so that writing can rest."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec

from grantproof.core.constraints import Constraint
from grantproof.core.identifiers import (
    GroupId,
    Kind,
    RoleId,
)
from grantproof.core.model import (
    ALWAYS,
    Claim,
    Exactly,
    Group,
    Guardrail,
    KindDeclaration,
    OfKind,
    Principal,
    Resource,
    ResourcePattern,
    Role,
    SodSet,
    Validity,
    Within,
)
from grantproof.core.model import Any as Anything
from grantproof.core.organization import Organization
from grantproof.policyfile.wire import encode_guardrail
from grantproof.service.shelf import entities
from grantproof.service.snapshot_rows import (
    LENGTH,
    Claims,
    Constraints,
    Groups,
    Guardrails,
    Header,
    Inheritances,
    Kinds,
    Nestings,
    Part,
    PatternRow,
    Places,
    Principals,
    Resources,
    Roles,
    SodSets,
    Timed,
    attributes_row,
    constraint_row,
)
from grantproof.service.versions import Versioned

ROWS_A_PART: Final = 128
ENCODE: Final = msgspec.msgpack.Encoder(enc_hook=str).encode

Key = TypeVar("Key", bound=Hashable)

Held = tuple[Places, list[Timed]]
Form = Callable[[list[Any]], Iterator[Part]]
"""Makes parts of some rows."""

CONSTRAINTS_MAX: Final = 65_536
"""After so many different constraints those that were written are forgotten."""


def parts(seen: Versioned) -> Iterator[bytes]:
    """Yield what is written of a state, in turn; raises `ValueError` for one that is not valid."""
    state = seen.state
    if seen.seal is None:
        message = "nobody knows at which event it stands"
        raise ValueError(message)
    yield _framed(
        Header(
            state.id,
            state.revision,
            seen.seal,
            state.time_zone,
            state.administered,
            entities(state),
        )
    )
    for form, found in _sections(seen):
        rows = iter(found)
        while some := list(islice(rows, ROWS_A_PART)):
            yield from map(_framed, form(some))


def _framed(part: Header | Part) -> bytes:
    written = ENCODE(part)
    return LENGTH.pack(len(written)) + written


def _sections(seen: Versioned) -> Iterator[tuple[Form, Iterable[Any]]]:
    """Yield the rows of each form, in the order in which they can be read."""
    state, told = seen.state, seen.versions.of_type
    groups, roles = _numbered(state.groups), _numbered(state.roles)
    kinds = _numbered(state.resources_of_kind)
    yield _alone(Groups), ((one, told[Group][one]) for one in groups)
    yield _alone(Roles), ((one, told[Role][one]) for one in roles)
    yield _alone(Kinds), ((one, told[KindDeclaration][one]) for one in kinds)
    yield _alone(Resources), _resources(seen, kinds)
    yield _alone(Nestings), _nestings(state, groups, roles)
    yield _alone(Inheritances), _inheritances(state, roles)
    yield _alone(SodSets), _sod_sets(seen, roles)
    yield _alone(Guardrails), _guardrails(seen)
    yield _Claims(seen, roles).parts, state.claims.values()
    yield _Principals(seen, groups, roles).parts, state.principals.values()
    _check_all(state.memberships.forward, state.principals)
    _check_all(state.assignments.forward, state.principals)


def _alone(form: Callable[[list[Any]], Part]) -> Form:
    return lambda rows: iter((form(rows),))


def _numbered(ids: Iterable[Key]) -> dict[Key, int]:
    return {one: number for number, one in enumerate(ids)}


def _resources(seen: Versioned, kinds: Mapping[Kind, int]) -> Iterator[tuple[Any, ...]]:
    told = seen.versions.of_type[Resource]
    for one in seen.state.resources.values():
        yield one.id, kinds[one.kind], one.parent, attributes_row(one.attributes), told[one.id]


def _nestings(
    state: Organization, groups: Mapping[GroupId, int], roles: Mapping[RoleId, int]
) -> Iterator[tuple[Any, ...]]:
    for group, number in groups.items():
        containers = [groups[one] for one in state.groups.parents[group]]
        always, timed = _held(state.group_assignments.of(group), roles)
        if containers or always or timed:
            yield number, containers, always, timed
    _check_all(state.group_assignments.forward, groups)


def _inheritances(state: Organization, roles: Mapping[RoleId, int]) -> Iterator[tuple[Any, ...]]:
    for role, number in roles.items():
        parents = state.roles.parents[role]
        if len(parents) > 0:
            yield number, [roles[one] for one in parents]


def _sod_sets(seen: Versioned, roles: Mapping[RoleId, int]) -> Iterator[tuple[Any, ...]]:
    told = seen.versions.of_type[SodSet]
    for one in seen.state.sod_sets.values():
        yield one.id, sorted(roles[role] for role in one.roles), one.n, one.mode, told[one.id]


def _guardrails(seen: Versioned) -> Iterator[tuple[Any, ...]]:
    told = seen.versions.of_type[Guardrail]
    for one in seen.state.guardrails.values():
        yield encode_guardrail(one), told[one.id]


class _Claims:
    """Writes claims, and before them those of their constraints that were not written yet."""

    def __init__(self, seen: Versioned, roles: Mapping[RoleId, int]) -> None:
        self._told = seen.versions.of_type[Claim]
        self._roles = roles
        self._places: dict[Constraint, int] = {}
        self._written = 0

    def parts(self, claims: list[Claim]) -> Iterator[Part]:
        """Yield what is written of some claims."""
        if len(self._places) > CONSTRAINTS_MAX:
            # They are written once more, for what is remembered must have an end.
            self._places.clear()
        first, new = self._written, dict[Constraint, int]()
        for constraint in (one for claim in claims for one in claim.constraints):
            if constraint not in self._places:
                self._places[constraint] = new[constraint] = first + len(new)
        self._written += len(new)
        if len(new) > 0:
            yield Constraints([constraint_row(one) for one in new])
        yield Claims([self._row(claim) for claim in claims])

    def _row(self, one: Claim) -> tuple[Any, ...]:
        action = one.action.value if isinstance(one.action, Exactly) else None
        constraints = [self._places[constraint] for constraint in one.constraints]
        role = self._roles[one.role]
        return one.id, role, action, _pattern(one.resource), constraints, self._told[one.id]


class _Principals:
    """Writes principals with their groups and roles."""

    def __init__(
        self, seen: Versioned, groups: Mapping[GroupId, int], roles: Mapping[RoleId, int]
    ) -> None:
        self._state = seen.state
        self._told = seen.versions.of_type[Principal]
        self._groups = groups
        self._roles = roles

    def parts(self, principals: list[Principal]) -> Iterator[Part]:
        """Yield what is written of some principals."""
        state, ids = self._state, [one.id for one in principals]
        held = [_held(state.assignments.of(one), self._roles) for one in ids]
        of = [tuple(self._groups[group] for group in state.memberships.of(one)) for one in ids]
        yield Principals(
            list(ids),
            [always for always, _ in held],
            [place for place, one in enumerate(principals) if not one.active],
            [
                (place, attributes_row(one.attributes))
                for place, one in enumerate(principals)
                if len(one.attributes) > 0
            ],
            [(place, some) for place, some in enumerate(of) if some],
            [(place, timed) for place, (_, timed) in enumerate(held) if timed],
            [self._told[one] for one in ids],
        )


def _held(found: Mapping[RoleId, Validity], roles: Mapping[RoleId, int]) -> Held:
    """Return the roles that are held always, and those that are held for a time."""
    always = tuple(roles[role] for role, validity in found.items() if validity == ALWAYS)
    if len(always) == len(found):
        return always, []
    return always, [
        (roles[role], validity.start, validity.end)
        for role, validity in found.items()
        if validity != ALWAYS
    ]


def _check_all(holders: Mapping[Key, object], known: Mapping[Key, object]) -> None:
    """Raise `ValueError` for a holder that has no row of its own: it would be left out."""
    if any(holder not in known for holder in holders):
        message = "somebody who is not there holds something"
        raise ValueError(message)


def _pattern(pattern: ResourcePattern) -> PatternRow:
    match pattern:
        case Exactly(resource):
            return "exactly", resource
        case Within(resource):
            return "within", resource
        case OfKind(kind):
            return "kind", kind
        case Anything():
            return "any", None
