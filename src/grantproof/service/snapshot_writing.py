"""An organization as the parts of a snapshot file: small ones, so that writing can rest."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec

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
from grantproof.service.snapshot_rows import (
    LENGTH,
    Claims,
    Groups,
    Guardrails,
    Header,
    Inheritances,
    Kinds,
    Nestings,
    Part,
    PatternRow,
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

Held = tuple[list[int], list[Timed]]


def parts(seen: Versioned) -> Iterator[bytes]:
    """Yield what is written of a state, in turn; raises `ValueError` for one that is not valid."""
    state = seen.state
    if seen.seal is None:
        message = "nobody knows at which event it stands"
        raise ValueError(message)
    yield _framed(Header(state.id, state.revision, seen.seal, state.time_zone, state.administered))
    for form, found in _sections(seen):
        rows = iter(found)
        while some := list(islice(rows, ROWS_A_PART)):
            yield _framed(form(some))


def _framed(part: Header | Part) -> bytes:
    written = ENCODE(part)
    return LENGTH.pack(len(written)) + written


def _sections(seen: Versioned) -> Iterator[tuple[Callable[[Any], Part], Iterable[Any]]]:
    """Yield the rows of each form, in the order in which they can be read."""
    state, told = seen.state, seen.versions.of_type
    groups, roles = _numbered(state.groups), _numbered(state.roles)
    kinds = _numbered(state.resources_of_kind)
    yield Groups, ((one, told[Group][one]) for one in groups)
    yield Roles, ((one, told[Role][one]) for one in roles)
    yield Kinds, ((one, told[KindDeclaration][one]) for one in kinds)
    yield Resources, _resources(seen, kinds)
    yield Nestings, _nestings(state, groups, roles)
    yield Inheritances, _inheritances(state, roles)
    yield SodSets, _sod_sets(seen, roles)
    yield Guardrails, _guardrails(seen)
    yield Claims, _claims(seen, roles)
    yield Principals, _principals(seen, groups, roles)


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


def _claims(seen: Versioned, roles: Mapping[RoleId, int]) -> Iterator[tuple[Any, ...]]:
    told = seen.versions.of_type[Claim]
    for one in seen.state.claims.values():
        action = one.action.value if isinstance(one.action, Exactly) else None
        constraints = [constraint_row(constraint) for constraint in one.constraints]
        yield one.id, roles[one.role], action, _pattern(one.resource), constraints, told[one.id]


def _principals(
    seen: Versioned, groups: Mapping[GroupId, int], roles: Mapping[RoleId, int]
) -> Iterator[tuple[Any, ...]]:
    state, told = seen.state, seen.versions.of_type[Principal]
    for one in state.principals.values():
        of = [groups[group] for group in state.memberships.of(one.id)]
        held = _held(state.assignments.of(one.id), roles)
        yield one.id, one.active, attributes_row(one.attributes), of, *held, told[one.id]
    _check_all(state.memberships.forward, state.principals)
    _check_all(state.assignments.forward, state.principals)


def _held(found: Mapping[RoleId, Validity], roles: Mapping[RoleId, int]) -> Held:
    """Return the roles that are held always, and those that are held for a time."""
    always = [roles[role] for role, validity in found.items() if validity == ALWAYS]
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
