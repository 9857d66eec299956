"""Every way in which a value can be illegal and a command can be refused.

`Illegal` is raised by constructors, so an illegal value cannot exist. A refusal is an expected
outcome and therefore a value: each names its witness, which the caller is shown.
"""

from dataclasses import dataclass
from typing import Literal

Noun = Literal[
    "organization",
    "principal",
    "group",
    "role",
    "kind",
    "resource",
    "claim",
    "separation-of-duty set",
    "guardrail",
    "assignment",
    "membership",
    "nesting",
    "parent",
    "session",
    "active role",
]


class Illegal(ValueError):
    """A value that must not exist.

    `field` names the part at fault (for example `start`), `rule` the rule it breaks, in words.
    """

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"`{field}` {rule}")
        self.field = field
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that refers to an entity: a `noun`, and the ids that name it in reading order."""

    noun: Noun
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlreadyExists:
    """The thing to be created is there already."""

    noun: Noun
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """The command refers to something that does not exist in this organization."""

    noun: Noun
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AlreadySo:
    """The command would change nothing: the principal is already in that `status`."""

    principal: str
    status: Literal["active", "suspended"]


@dataclass(frozen=True, slots=True)
class StillReferenced:
    """A deletion without cascade of something that others refer to.

    `references` lists at most the first hundred; `count` is the number of all.
    """

    noun: Noun
    id: str
    references: tuple[Reference, ...]
    count: int


@dataclass(frozen=True, slots=True)
class NamedBySodSet:
    """A deletion, cascading or not, of a role that a separation-of-duty set names."""

    role: str
    sod_sets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamedByGuardrail:
    """A deletion, cascading or not, of what a guardrail names, or of what that lies in.

    The `noun` and the `id` tell what is named; it would go.
    """

    noun: Noun
    id: str
    guardrails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WouldCycle:
    """The edge closes a cycle, given from an id back to itself, each linked to the next."""

    noun: Literal["role", "group"]
    cycle: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldRole:
    """How a principal comes to hold a role: groups from the nearest outward, then role to parent.

    `groups` is empty for a direct assignment; `roles` starts with the assigned role and ends with
    the role held.
    """

    groups: tuple[str, ...]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BreaksSod:
    """A principal would hold `n` or more roles of a static separation-of-duty set.

    `instant` is the first instant (epoch seconds) found at which it would, or nothing when it would
    since always; `held` has one entry for each role of the set that it would hold: those that it
    would gain first, then those that it holds already, each in the order of ids.
    """

    sod_set: str
    n: int
    principal: str
    instant: int | None
    held: tuple[HeldRole, ...]


@dataclass(frozen=True, slots=True)
class LastAdministrator:
    """The organization has administrators, and the command would leave it with none."""

    organization: str


@dataclass(frozen=True, slots=True)
class OverLimit:
    """The command would pass a bound of `limits`: `limit` in words, `maximum` its value."""

    limit: str
    maximum: int


@dataclass(frozen=True, slots=True)
class NotPermitted:
    """The author of the change lacks a right that it takes, or would grant what they may not.

    `principal` is the author, `action` and `resource` the right as patterns are written. `because`
    says what it is to the change: `required` for it, `inherited` with what it gives, or `granted`
    by it. `reason` says in words what is wanting.
    """

    principal: str
    action: str
    resource: str
    because: Literal["required", "inherited", "granted"]
    reason: str


@dataclass(frozen=True, slots=True)
class RefusedAt:
    """A command of a change set is refused; none of the set takes effect. Counts from zero."""

    position: int
    refusal: "SingleRefusal"


SingleRefusal = (
    AlreadyExists
    | Missing
    | AlreadySo
    | StillReferenced
    | NamedBySodSet
    | NamedByGuardrail
    | WouldCycle
    | BreaksSod
    | LastAdministrator
    | OverLimit
    | NotPermitted
)
Refusal = SingleRefusal | RefusedAt
