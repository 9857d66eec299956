"""Guardrails: a customer's own properties of an organization, as values.

Each says what nobody may ever be allowed, at whatever instant and in whatever context. It names
accesses and principals with the patterns that claims use; `analysis` decides whether one holds.
"""

from dataclasses import dataclass, field
from typing import assert_never

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes, booleans
from grantproof.core.constraints import Constraint
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import AttributeName, GroupId, GuardrailId, ResourceId, RoleId
from grantproof.core.limits import (
    CONSTRAINTS_PER_CLAIM_MAX,
    PRINCIPALS_MAX,
    SELECTORS_PER_GUARDRAIL_MAX,
)
from grantproof.core.patterns import (
    ActionPattern,
    Any,
    Exactly,
    OfKind,
    ResourcePattern,
    Within,
)


@dataclass(frozen=True, slots=True)
class Access:
    """An action on a resource, as a claim of these patterns would match it.

    Only resources that store every one of `attributes` are meant; none means any.
    """

    action: ActionPattern
    resource: ResourcePattern
    attributes: Attributes = NO_ATTRIBUTES
    booleans: frozenset[AttributeName] = field(init=False, default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "booleans", booleans(self.attributes))


@dataclass(frozen=True, slots=True)
class MemberOf:
    """The principals of a group, and of the groups in it."""

    group: GroupId


@dataclass(frozen=True, slots=True)
class HolderOf:
    """The principals that have the role among their effective roles at the instant."""

    role: RoleId


@dataclass(frozen=True, slots=True)
class Having:
    """The principals that store every one of the attributes."""

    attributes: Attributes
    booleans: frozenset[AttributeName] = field(init=False, default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        if len(self.attributes) == 0:
            raise Illegal("attributes", "must not be empty")
        object.__setattr__(self, "booleans", booleans(self.attributes))


Selector = MemberOf | HolderOf | Having
"""Some principals."""

Who = frozenset[Selector]
"""The principals that any of the selectors selects."""


@dataclass(frozen=True, slots=True)
class Forbidden:
    """Nobody of `who` is ever allowed the access; nobody at all, where `who` is empty."""

    access: Access
    who: Who = frozenset()

    def __post_init__(self) -> None:
        _check_size(self.who)


@dataclass(frozen=True, slots=True)
class Reserved:
    """Nobody but `who` is ever allowed the access."""

    access: Access
    who: Who

    def __post_init__(self) -> None:
        if len(self.who) == 0:
            raise Illegal("who", "must not be empty: `nobody` forbids the access to all")
        _check_size(self.who)


@dataclass(frozen=True, slots=True)
class Confined:
    """The access is never allowed unless every constraint holds.

    The constraints are read as those of a claim: what is missing fails.
    """

    access: Access
    constraints: tuple[Constraint, ...]

    def __post_init__(self) -> None:
        if len(self.constraints) == 0:
            raise Illegal("constraints", "must not be empty")
        if len(self.constraints) > CONSTRAINTS_PER_CLAIM_MAX:
            raise Illegal("constraints", f"must have at most {CONSTRAINTS_PER_CLAIM_MAX} members")


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Nobody is, at one instant, allowed both accesses: each in a context of its own."""

    first: Access
    second: Access


@dataclass(frozen=True, slots=True)
class Capped:
    """No more than `most` principals are allowed the access, at one instant and in one context.

    Each is allowed some request that falls under the access, not all of them the same one.
    """

    access: Access
    most: int

    def __post_init__(self) -> None:
        if not 0 < self.most <= PRINCIPALS_MAX:
            raise Illegal("most", f"must be between 1 and {PRINCIPALS_MAX}")


Named = Exactly[ResourceId] | OfKind
"""What a guardrail names: a resource, such as `role:clerk`, or a kind."""

Rule = Forbidden | Reserved | Confined | Exclusive | Capped


@dataclass(frozen=True, slots=True)
class Guardrail:
    """A property that every change keeps. Requests without a session are what it speaks of.

    `names` follows from the rule: all that must not go while it stands, the roles and groups of
    principals as the resources that they are (`role:clerk`).
    """

    id: GuardrailId
    rule: Rule
    names: frozenset[Named] = field(init=False, default=frozenset(), repr=False, compare=False)

    def __post_init__(self) -> None:
        who = map(_principals, selectors(self.rule))
        resources = (access.resource for access in accesses(self.rule))
        named = (*filter(None, who), *filter(None, map(_named, resources)))
        object.__setattr__(self, "names", frozenset(named))


def accesses(rule: Rule) -> tuple[Access, ...]:
    """Return the accesses that the rule speaks of."""
    match rule:
        case Forbidden(access) | Reserved(access) | Confined(access) | Capped(access):
            return (access,)
        case Exclusive(first, second):
            return first, second
        case _:
            assert_never(rule)


def selectors(rule: Rule) -> Who:
    """Return how the rule tells principals apart; none where it speaks of all alike."""
    match rule:
        case Forbidden() | Reserved():
            return rule.who
        case Confined() | Exclusive() | Capped():
            return frozenset()
        case _:
            assert_never(rule)


def _principals(selector: Selector) -> Named | None:
    match selector:
        case MemberOf(group):
            return Exactly(ResourceId(f"group:{group}"))
        case HolderOf(role):
            return Exactly(ResourceId(f"role:{role}"))
        case Having():
            return None
        case _:
            assert_never(selector)


def _named(pattern: ResourcePattern) -> Named | None:
    """Return what the pattern names, whether alone or with what is inside."""
    match pattern:
        case Exactly() | OfKind():
            return pattern
        case Within(resource):
            return Exactly(resource)
        case Any():
            return None
        case _:
            assert_never(pattern)


def _check_size(who: Who) -> None:
    if len(who) > SELECTORS_PER_GUARDRAIL_MAX:
        raise Illegal("who", f"must have at most {SELECTORS_PER_GUARDRAIL_MAX} members")
