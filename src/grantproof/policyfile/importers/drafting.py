"""An organization as an importer makes it: each thing once, each id from one name only.

Our ids are ASCII with an alphabet of their own (`core.identifiers`). `escaped` maps any name into
it and two names never to the same id; what importers put together of several names is checked.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from pydantic import ValidationError

from grantproof.core.attributes import Attributes
from grantproof.core.constraints import Constraint
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import (
    ClaimId,
    GroupId,
    Identifier,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.core.model import ADMINISTRATIVE_ACTIONS
from grantproof.policyfile import constraint_documents
from grantproof.policyfile.faults import faults
from grantproof.policyfile.importers.reading import (
    Imported,
    Part,
    Refused,
    Report,
    shown,
)
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.policyfile.source import START
from grantproof.policyfile.value_fields import write_attributes

Id = TypeVar("Id", bound=Identifier)
Node = TypeVar("Node", bound=str)

LETTERS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
KEPT: Final = LETTERS | frozenset(".:@+~$-")
"""What an id shows as it is. `=` begins an escape, so it is escaped itself."""

ROLE_SHOWN_MAX: Final = 100
DIGEST_LENGTH: Final = 16


def escaped(name: str, *, apart: str = "", also: str = "") -> str:
    """Return the name in the alphabet of ids; different names give different texts.

    Letters, digits and `_.:@+~$-` stay, and those of `also`; those of `apart` do not, as the caller
    puts them between names. Each other byte of UTF-8 becomes `=` and two hexadecimal digits. A text
    that would begin with neither letter, digit nor `_` gets `_=` in front.
    """
    kept = (KEPT - frozenset(apart)) | frozenset(also)
    written = "".join(
        letter if letter in kept else "".join(f"={byte:02X}" for byte in letter.encode())
        for letter in name
    )
    first = LETTERS | frozenset(also)
    return written if written == "" or written[0] in first else f"_={written}"


@dataclass(slots=True)
class Draft:
    """What is known of the organization so far. Saying the same thing twice says it once."""

    report: Report
    principals: dict[PrincipalId, tuple[bool, Attributes | None]] = field(default_factory=dict)
    groups: dict[GroupId, set[GroupId]] = field(default_factory=dict)
    roles: dict[RoleId, set[RoleId]] = field(default_factory=dict)
    kinds: set[Kind] = field(default_factory=set)
    resources: dict[ResourceId, tuple[Kind, ResourceId | None]] = field(default_factory=dict)
    claims: dict[ClaimId, tuple[RoleId, str, str, tuple[Constraint, ...]]] = field(
        default_factory=dict
    )
    memberships: set[tuple[PrincipalId, GroupId]] = field(default_factory=set)
    assignments: set[tuple[PrincipalId, RoleId]] = field(default_factory=set)
    group_assignments: set[tuple[GroupId, RoleId]] = field(default_factory=set)
    _named: dict[tuple[type[Identifier], str], tuple[str, ...]] = field(default_factory=dict)
    _places: dict[tuple[type[Identifier], str], Part] = field(default_factory=dict)

    def named(self, kind: type[Id], text: str, at: Part, *, of: tuple[str, ...]) -> Id | None:
        """Return the id that the names `of` get; refuse one that is illegal or is another's too."""
        try:
            made = kind(text)
        except Illegal as broken:
            at.refuse(f"{shown('/'.join(of))} cannot be a {kind.field}: {broken.rule}")
            return None
        first = self._named.setdefault((kind, made), of)
        if first != of:
            at.refuse(
                f"{shown('/'.join(of))} and {shown('/'.join(first))} would both be `{made}`:"
                " rename one of them"
            )
            return None
        self._places.setdefault((kind, made), at)
        return made

    def claim(
        self,
        role: RoleId,
        action: str,
        resource: str,
        *,
        constraints: tuple[Constraint, ...] = (),
    ) -> None:
        """Let the role do the action on what the pattern matches; both as they are written.

        The id is made of what the claim says, so a later import gives the same claim the same id.
        """
        limits = (constraint_documents.of(one).model_dump_json() for one in constraints)
        said = "\n".join((role, action, resource, *limits)).encode()
        digest = hashlib.sha256(said).hexdigest()[:DIGEST_LENGTH]
        made = ClaimId(f"{role[:ROLE_SHOWN_MAX]}~{digest}")
        self.claims[made] = (role, action, resource, constraints)

    def finished(self, organization: OrganizationId) -> Imported | tuple[Refused, ...]:
        """Return the organization with all notes, or every problem."""
        self._refuse_cycle(RoleId, self.roles)
        self._refuse_cycle(GroupId, self.groups)
        found = self.report.problems()
        if found:
            return found
        try:
            document = OrganizationDocument.model_validate(self._written(organization))
        except ValidationError as error:
            return tuple(
                Refused(next(iter(self.report.sources)), *START, fault.message)
                for fault in faults(error)
            )
        return Imported(document, self.report.notes())

    def _refuse_cycle(self, kind: type[Id], above: Mapping[Id, Iterable[Id]]) -> None:
        cycle = cycle_of(above)
        if cycle:
            what = "inheritance" if kind is RoleId else "nesting"
            rule = f"the {what} must not lead back to itself: {' -> '.join(cycle)}"
            self._places[kind, cycle[0]].refuse(rule)

    def _written(self, organization: OrganizationId) -> dict[str, object]:
        return {
            "apiVersion": "grantproof/v1",
            "kind": "Organization",
            "id": organization,
            "kinds": [{"id": kind} for kind in sorted(self.kinds)],
            "principals": [
                {
                    "id": name,
                    "active": active,
                    "attributes": {} if attributes is None else write_attributes(attributes),
                }
                for name, (active, attributes) in sorted(self.principals.items(), key=_by_id)
            ],
            "groups": [{"id": group} for group in sorted(self.groups)],
            "roles": [
                {"id": role, "parents": sorted(self.roles[role])} for role in sorted(self.roles)
            ],
            "resources": [
                {"id": name, "kind": kind, "parent": parent}
                for name, (kind, parent) in sorted(self.resources.items(), key=_by_id)
            ],
            "claims": [
                {
                    "id": name,
                    "role": role,
                    "action": action,
                    "resource": resource,
                    "constraints": [
                        constraint_documents.of(one).model_dump(mode="json") for one in constraints
                    ],
                }
                for name, (role, action, resource, constraints) in sorted(
                    self.claims.items(), key=_by_id
                )
            ],
            "memberships": [
                {"principal": principal, "group": group}
                for principal, group in sorted(self.memberships)
            ],
            "nestings": [
                {"group": group, "container": container}
                for group in sorted(self.groups)
                for container in sorted(self.groups[group])
            ],
            "assignments": [
                *({"principal": one, "role": role} for one, role in sorted(self.assignments)),
                *({"group": one, "role": role} for one, role in sorted(self.group_assignments)),
            ],
        }


def cycle_of(above: Mapping[Node, Iterable[Node]]) -> tuple[Node, ...]:
    """Return a cycle, from its least node back to it, or nothing where there is none."""
    done: set[Node] = set()
    for start in sorted(above):
        # The way from `start`: each node of it, and those above it that are still to be tried.
        way = {start: iter(sorted(above[start]))} if start not in done else {}
        while way:
            node = next(reversed(way))
            following = next(way[node], None)
            if following is None:
                done.add(node)
                del way[node]
            elif following in way:
                nodes = list(way)
                return _from_the_least(nodes[nodes.index(following) :])
            elif following not in done:
                way[following] = iter(sorted(above.get(following, ())))
    return ()


def noted_if_administrative(action: str, at: Part) -> None:
    """Report an action whose name is one of those on Grantproof itself."""
    if action in ADMINISTRATIVE_ACTIONS:
        at.note(f"`{action}` is an action on Grantproof itself here: no `*` grants it")


def _from_the_least(cycle: list[Node]) -> tuple[Node, ...]:
    least = cycle.index(min(cycle))
    turned = cycle[least:] + cycle[:least]
    return (*turned, turned[0])


def _by_id(entry: tuple[str, object]) -> str:
    return entry[0]
