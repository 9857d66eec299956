"""Facts as rows and rows as facts: one `Mapping` for each table of facts.

A row is read by position, in the order of its table's columns without `organization_id` and
`revision`, through the core's own constructors: what is illegal cannot be loaded. What was read
before is remembered by its text, so that an id is one value wherever it stands.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Table

from grantproof.adapters.sql.columns import (
    read_attributes,
    read_constraints,
    write_attributes,
    write_constraints,
)
from grantproof.adapters.sql.guardrail_rows import NAMED_IDS
from grantproof.adapters.sql.rows import table
from grantproof.core.constraints import Constraint
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    KIND_PREFIX,
    Action,
    ClaimId,
    GroupId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import (
    ALWAYS,
    ActionPattern,
    Assignment,
    Claim,
    Exactly,
    Fact,
    Group,
    GroupAssignment,
    Guardrail,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
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
from grantproof.policyfile.wire import decode_guardrail, encode_guardrail

Values = dict[str, object]
"""A row to be written: its values by column, without organization and revision."""

Stored = Sequence[Any]
"""A row as it was read: what is in it, nobody has checked."""

Kept = TypeVar("Kept", bound=Fact)
Value = TypeVar("Value")

TEXTS_MAX: Final = 65_536
"""So many different attributes, and as many constraints, are remembered by their texts."""

ADDED_BY_THE_STORE: Final = ("organization_id", "revision")


class Remembered(dict[str, Value]):
    """Values by their text: each is made, and so checked, when its text is first looked up.

    At most `most` are remembered, where texts may be long and all different.
    """

    __slots__ = ("_make", "_most")

    def __init__(self, make: Callable[[str], Value], *, most: int | None = None) -> None:
        super().__init__()
        self._make = make
        self._most = most

    def __missing__(self, text: str) -> Value:
        made = self._make(text)
        if self._most is None or len(self) < self._most:
            # An id is its own text: then the text as it was read is not kept beside it.
            self[made if isinstance(made, str) else text] = made
        return made


class Reading:
    """What was read of one organization until now, to be shared by all rows that name it."""

    def __init__(self) -> None:
        self.principals = Remembered(PrincipalId)
        self.groups = Remembered(GroupId)
        self.roles = Remembered(RoleId)
        self.kinds = Remembered(Kind)
        self.resources = Remembered(ResourceId)
        self.actions = Remembered(Action)
        self.attributes = Remembered(read_attributes, most=TEXTS_MAX)
        self.constraints = Remembered(self._read_constraints, most=TEXTS_MAX)
        self._constraints: dict[Constraint, Constraint] = {}

    def _read_constraints(self, text: str) -> tuple[Constraint, ...]:
        """Return the constraints of the JSON; most claims differ in few of them."""
        alike = self._constraints
        return tuple(alike.setdefault(one, one) for one in read_constraints(text))


@dataclass(frozen=True, slots=True)
class Mapping:
    """How the facts of one type are kept in one table.

    `write` yields the rows of a fact. `read` makes a fact of a row; a table without one holds parts
    of another table's facts. `columns` say what the fact is, in the order in which `read` takes
    them; those of `key` tell the rows of an organization apart.
    """

    table: Table
    fact: type
    write: Callable[[Any], Iterator[Values]]
    read: Callable[[Stored, Reading], Fact] | None
    key: tuple[str, ...]
    columns: tuple[str, ...]


def mapping(
    name: str,
    fact: type[Kept],
    *,
    write: Callable[[Kept], Iterator[Values]],
    read: Callable[[Stored, Reading], Kept] | None,
) -> Mapping:
    """Return the mapping between a type of facts and the table of that name."""
    rows = table(name)
    key = tuple(column.name for column in rows.primary_key)
    columns = tuple(column.name for column in rows.columns)
    return Mapping(rows, fact, write, read, _told(key), _told(columns))


def _told(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in ADDED_BY_THE_STORE)


def write_principal(principal: Principal) -> Iterator[Values]:
    """Yield the row of a principal."""
    yield {
        "id": principal.id,
        "active": int(principal.active),
        "attributes": write_attributes(principal.attributes),
    }


def read_principal(row: Stored, known: Reading) -> Principal:
    """Return the principal of a row."""
    active = read_flag("active", row[1])
    return Principal(known.principals[row[0]], active, known.attributes[row[2]])


def write_group(group: Group) -> Iterator[Values]:
    """Yield the row of a group."""
    yield {"id": group.id}


def read_group(row: Stored, known: Reading) -> Group:
    """Return the group of a row."""
    return Group(known.groups[row[0]])


def write_role(role: Role) -> Iterator[Values]:
    """Yield the row of a role."""
    yield {"id": role.id}


def read_role(row: Stored, known: Reading) -> Role:
    """Return the role of a row."""
    return Role(known.roles[row[0]])


def write_kind(declaration: KindDeclaration) -> Iterator[Values]:
    """Yield the row of a kind."""
    yield {"id": declaration.kind}


def read_kind(row: Stored, known: Reading) -> KindDeclaration:
    """Return the kind of a row."""
    return KindDeclaration(known.kinds[row[0]])


def write_resource(resource: Resource) -> Iterator[Values]:
    """Yield the row of a resource."""
    yield {
        "id": resource.id,
        "kind_id": resource.kind,
        "parent_id": resource.parent,
        "attributes": write_attributes(resource.attributes),
    }


def read_resource(row: Stored, known: Reading) -> Resource:
    """Return the resource of a row."""
    parent = None if row[2] is None else known.resources[row[2]]
    id_, kind = known.resources[row[0]], known.kinds[row[1]]
    return Resource(id_, kind, parent, known.attributes[row[3]])


def write_claim(claim: Claim) -> Iterator[Values]:
    """Yield the row of a claim."""
    pattern, resource = write_pattern(claim.resource)
    yield {
        "id": claim.id,
        "role_id": claim.role,
        "action": claim.action.value if isinstance(claim.action, Exactly) else None,
        "pattern": pattern,
        "resource": resource,
        "constraints": write_constraints(claim.constraints),
    }


def read_claim(row: Stored, known: Reading) -> Claim:
    """Return the claim of a row."""
    action: ActionPattern = Anything() if row[2] is None else Exactly(known.actions[row[2]])
    resource = read_pattern(row[3], row[4], known)
    constraints = known.constraints[row[5]]
    return Claim(ClaimId(row[0]), known.roles[row[1]], action, resource, constraints)


def write_pattern(pattern: ResourcePattern) -> tuple[str, str | None]:
    """Return the sort of a resource pattern, and what it names."""
    match pattern:
        case Exactly(resource):
            return "exactly", resource
        case Within(resource):
            return "within", resource
        case OfKind(kind):
            return "kind", kind
        case Anything():
            return "any", None


def read_pattern(sort: str, name: str | None, known: Reading) -> ResourcePattern:
    """Return the resource pattern of that sort and name."""
    match sort, name:
        case "exactly", str():
            return Exactly(known.resources[name])
        case "within", str():
            return Within(known.resources[name])
        case "kind", str():
            return OfKind(name)
        case "any", None:
            return Anything()
        case _:
            raise Illegal("pattern", "must be `exactly`, `within` or `kind` with a name, or `any`")


def write_sod_set(sod_set: SodSet) -> Iterator[Values]:
    """Yield the row of a separation-of-duty set itself."""
    yield {"id": sod_set.id, "n": sod_set.n, "mode": sod_set.mode}


def write_sod_set_roles(sod_set: SodSet) -> Iterator[Values]:
    """Yield one row for each role that a separation-of-duty set names."""
    for role in sorted(sod_set.roles):
        yield {"sod_set_id": sod_set.id, "role_id": role}


def read_sod_set(row: Stored, known: Reading) -> SodSet:
    """Return the separation-of-duty set of a row, to which the list of its roles was appended."""
    mode = row[2]
    if mode not in {"static", "dynamic"}:
        raise Illegal("mode", "must be `static` or `dynamic`")
    roles = frozenset(known.roles[role] for role in row[3])
    return SodSet(SodSetId(row[0]), roles, row[1], mode)


def write_guardrail(guardrail: Guardrail) -> Iterator[Values]:
    """Yield the row of a guardrail itself."""
    yield {"id": guardrail.id, "document": encode_guardrail(guardrail)}


def write_guardrail_names(guardrail: Guardrail) -> Iterator[Values]:
    """Yield one row for each thing that a guardrail names and that could go."""
    named = (_named(pattern) for pattern in guardrail.names)
    for name, column, entity in sorted(one for one in named if one is not None):
        others = dict.fromkeys(NAMED_IDS)
        yield {"guardrail_id": guardrail.id, "name": name, **others, column: entity}


def _named(pattern: ResourcePattern) -> tuple[str, str, str] | None:
    """Return how a pattern is written, and the column and the id of what it names."""
    sort, name = write_pattern(pattern)
    if name is None or name in IMPLICIT_KINDS:
        return None
    if sort == "kind":
        return f"{KIND_PREFIX}{name}", "kind_id", name
    kind, _, entity = name.partition(":")
    match kind:
        case "role" | "group":
            return name, f"{kind}_id", entity
        case "sod-set":
            return name, "sod_set_id", entity
        case "organization":
            return None
        case _:
            return name, "resource_id", name


def read_guardrail(row: Stored, _: Reading) -> Guardrail:
    """Return the guardrail of a row, which names it twice."""
    guardrail = decode_guardrail(row[1])
    if guardrail.id != row[0]:
        raise Illegal("document", "must have the id of its row")
    return guardrail


def write_membership(membership: Membership) -> Iterator[Values]:
    """Yield the row of a membership."""
    yield {"principal_id": membership.principal, "group_id": membership.group}


def read_membership(row: Stored, known: Reading) -> Membership:
    """Return the membership of a row."""
    return Membership(known.principals[row[0]], known.groups[row[1]])


def write_nesting(nesting: Nesting) -> Iterator[Values]:
    """Yield the row of a nesting."""
    yield {"group_id": nesting.group, "container_id": nesting.container}


def read_nesting(row: Stored, known: Reading) -> Nesting:
    """Return the nesting of a row."""
    return Nesting(known.groups[row[0]], known.groups[row[1]])


def write_inheritance(inheritance: Inheritance) -> Iterator[Values]:
    """Yield the row of an inheritance."""
    yield {"role_id": inheritance.role, "parent_id": inheritance.parent}


def read_inheritance(row: Stored, known: Reading) -> Inheritance:
    """Return the inheritance of a row."""
    return Inheritance(known.roles[row[0]], known.roles[row[1]])


def write_assignment(assignment: Assignment) -> Iterator[Values]:
    """Yield the row of an assignment to a principal."""
    yield {
        "principal_id": assignment.principal,
        "role_id": assignment.role,
        "valid_from": assignment.validity.start,
        "valid_until": assignment.validity.end,
    }


def read_assignment(row: Stored, known: Reading) -> Assignment:
    """Return the assignment of a row to a principal."""
    validity = read_validity(row[2], row[3])
    return Assignment(known.principals[row[0]], known.roles[row[1]], validity)


def write_group_assignment(assignment: GroupAssignment) -> Iterator[Values]:
    """Yield the row of an assignment to a group."""
    yield {
        "group_id": assignment.group,
        "role_id": assignment.role,
        "valid_from": assignment.validity.start,
        "valid_until": assignment.validity.end,
    }


def read_group_assignment(row: Stored, known: Reading) -> GroupAssignment:
    """Return the assignment of a row to a group."""
    validity = read_validity(row[2], row[3])
    return GroupAssignment(known.groups[row[0]], known.roles[row[1]], validity)


def read_validity(start: int | None, end: int | None) -> Validity:
    """Return the validity between two instants; the commonest one is shared."""
    return ALWAYS if start is None and end is None else Validity(start, end)


def read_flag(field: str, stored: object) -> bool:
    """Return whether the flag is set; nothing but 0 and 1 is taken for one."""
    if stored not in {0, 1}:
        raise Illegal(field, "must be 0 or 1")
    return stored == 1


MAPPINGS: Final = (
    mapping("principal", Principal, write=write_principal, read=read_principal),
    mapping("group", Group, write=write_group, read=read_group),
    mapping("role", Role, write=write_role, read=read_role),
    mapping("kind", KindDeclaration, write=write_kind, read=read_kind),
    mapping("resource", Resource, write=write_resource, read=read_resource),
    mapping("claim", Claim, write=write_claim, read=read_claim),
    mapping("sod_set", SodSet, write=write_sod_set, read=read_sod_set),
    mapping("sod_set_role", SodSet, write=write_sod_set_roles, read=None),
    mapping("guardrail", Guardrail, write=write_guardrail, read=read_guardrail),
    mapping("guardrail_name", Guardrail, write=write_guardrail_names, read=None),
    mapping("membership", Membership, write=write_membership, read=read_membership),
    mapping("nesting", Nesting, write=write_nesting, read=read_nesting),
    mapping("inheritance", Inheritance, write=write_inheritance, read=read_inheritance),
    mapping("assignment", Assignment, write=write_assignment, read=read_assignment),
    mapping(
        "group_assignment",
        GroupAssignment,
        write=write_group_assignment,
        read=read_group_assignment,
    ),
)
"""Every table of facts, each after those that its rows refer to. `Administered` is a column."""

ENTITIES: Final = {one.fact: one for one in MAPPINGS if one.key == ("id",)}
"""The tables of entities, by the type of their own facts."""
