"""What an organization is made of: facts, each an immutable value that stands for itself.

An organization's state is a set of these facts and nothing else; a change removes some and adds
others. NIST/ANSI INCITS 359 calls a principal a user, a claim a permission, an assignment UA.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes, booleans
from grantproof.core.constraints import METERED, Constraint
from grantproof.core.errors import Illegal
from grantproof.core.guardrails import Guardrail
from grantproof.core.identifiers import (
    RESERVED_PREFIXES,
    Action,
    AttributeName,
    ClaimId,
    GroupId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.limits import (
    CONSTRAINTS_PER_CLAIM_MAX,
    ID_LENGTH_MAX,
    INSTANT_MAX,
    INSTANT_MIN,
    ROLES_PER_SOD_SET_MAX,
)
from grantproof.core.patterns import (
    ActionPattern,
    Any,
    Exactly,
    OfKind,
    ResourcePattern,
    Within,
)

__all__ = [
    "ADMINISTER",
    "ADMINISTRATIVE_ACTIONS",
    "ALWAYS",
    "ActionPattern",
    "Administered",
    "Any",
    "Assignment",
    "Claim",
    "Delta",
    "Exactly",
    "Fact",
    "Group",
    "GroupAssignment",
    "Guardrail",
    "Inheritance",
    "KindDeclaration",
    "Membership",
    "Nesting",
    "OfKind",
    "Principal",
    "Resource",
    "ResourcePattern",
    "Role",
    "SodSet",
    "Validity",
    "Within",
]

ADMINISTER: Final = Action("administer")
ADMINISTRATIVE_ACTIONS: Final = frozenset(
    {ADMINISTER, Action("assign"), Action("revoke"), Action("review"), Action("delegate")}
)
"""Actions on Grantproof itself; a claim grants one only by naming it, never through `Any`."""


@dataclass(frozen=True, slots=True)
class Validity:
    """From `start` until before `end`, in epoch seconds; nothing means without bound."""

    start: int | None = None
    end: int | None = None

    def __post_init__(self) -> None:
        for bound, instant in (("from", self.start), ("until", self.end)):
            if instant is not None and not INSTANT_MIN <= instant <= INSTANT_MAX:
                raise Illegal(bound, "must be epoch seconds between the years 1970 and 9999")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise Illegal("from", "must be before `until`")

    def contains(self, instant: int) -> bool:
        """Return whether the instant lies in [start, end)."""
        return (self.start is None or self.start <= instant) and (
            self.end is None or instant < self.end
        )


ALWAYS: Final = Validity()


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or a service account; a suspended one is allowed nothing and keeps everything."""

    id: PrincipalId
    active: bool = True
    attributes: Attributes = NO_ATTRIBUTES
    booleans: frozenset[AttributeName] = field(init=False, default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        if len(self.attributes) > 0:
            object.__setattr__(self, "booleans", booleans(self.attributes))


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of principals and groups."""

    id: GroupId


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of claims, inherited by every role below it."""

    id: RoleId


@dataclass(frozen=True, slots=True)
class KindDeclaration:
    """A kind that resources of this organization may have."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class Resource:
    """Something to be protected; optionally inside a parent."""

    id: ResourceId
    kind: Kind
    parent: ResourceId | None = None
    attributes: Attributes = NO_ATTRIBUTES
    booleans: frozenset[AttributeName] = field(init=False, default=frozenset(), repr=False)

    def __post_init__(self) -> None:
        if len(self.attributes) > 0:
            object.__setattr__(self, "booleans", booleans(self.attributes))
        if self.id.startswith(RESERVED_PREFIXES):
            raise Illegal("resource_id", f"must not start with {', '.join(RESERVED_PREFIXES)}")
        if len(self.id) > ID_LENGTH_MAX:
            raise Illegal("resource_id", f"must have at most {ID_LENGTH_MAX} characters")
        if self.parent is not None and self.parent.startswith(RESERVED_PREFIXES):
            raise Illegal("parent", "must be a registered resource")


@dataclass(frozen=True, slots=True)
class Claim:
    """A role may do an action on a resource while every constraint holds."""

    id: ClaimId
    role: RoleId
    action: ActionPattern
    resource: ResourcePattern
    constraints: tuple[Constraint, ...] = ()

    def __post_init__(self) -> None:
        if len(self.constraints) > CONSTRAINTS_PER_CLAIM_MAX:
            raise Illegal("constraints", f"must have at most {CONSTRAINTS_PER_CLAIM_MAX} members")

    @property
    def metered(self) -> bool:
        """Whether a constraint counts usage or rate."""
        return any(isinstance(constraint, METERED) for constraint in self.constraints)


@dataclass(frozen=True, slots=True)
class SodSet:
    """A separation-of-duty set: `n` is the smallest FORBIDDEN count of `roles` [SSD / DSD].

    A static set binds what a principal may hold at any instant; a dynamic one what may be active
    together. `roles` is a set: there is no order to get wrong. P-SOD-SYM.
    """

    id: SodSetId
    roles: frozenset[RoleId]
    n: int
    mode: Literal["static", "dynamic"] = "static"

    def __post_init__(self) -> None:
        if self.n < 2:  # noqa: PLR2004 - the number is the rule
            raise Illegal("n", "must be at least 2: it is the smallest forbidden count")
        if self.n > len(self.roles):
            raise Illegal("n", "must be at most the number of different roles")
        if len(self.roles) > ROLES_PER_SOD_SET_MAX:
            raise Illegal("roles", f"must have at most {ROLES_PER_SOD_SET_MAX} members")


@dataclass(frozen=True, slots=True)
class Membership:
    """A principal belongs to a group."""

    principal: PrincipalId
    group: GroupId


@dataclass(frozen=True, slots=True)
class Nesting:
    """A group belongs to another group, its container."""

    group: GroupId
    container: GroupId


@dataclass(frozen=True, slots=True)
class Inheritance:
    """A role inherits every claim of its parent and of the parent's ancestors."""

    role: RoleId
    parent: RoleId


@dataclass(frozen=True, slots=True)
class Assignment:
    """A principal holds a role while the validity lasts. At most one for each pair."""

    principal: PrincipalId
    role: RoleId
    validity: Validity = ALWAYS


@dataclass(frozen=True, slots=True)
class GroupAssignment:
    """Every principal of a group holds a role while the validity lasts. At most one a pair."""

    group: GroupId
    role: RoleId
    validity: Validity = ALWAYS


@dataclass(frozen=True, slots=True)
class Administered:
    """The organization has had an administrator; from then on it is never left without one."""


Fact = (
    Principal
    | Group
    | Role
    | KindDeclaration
    | Resource
    | Claim
    | SodSet
    | Guardrail
    | Membership
    | Nesting
    | Inheritance
    | Assignment
    | GroupAssignment
    | Administered
)


@dataclass(frozen=True, slots=True)
class Delta:
    """What a change does to the facts. No fact is in both; an edited entity is one of each."""

    removed: tuple[Fact, ...] = ()
    added: tuple[Fact, ...] = ()
