"""What a whole organization document must satisfy beyond its parts: nothing twice, nothing missing.

Commands would refuse all this too, but one at a time; here an author sees every problem at once.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TypeVar, assert_never

from grantproof.core.guardrails import Having, HolderOf, MemberOf
from grantproof.core.identifiers import IMPLICIT_KINDS
from grantproof.core.model import Any, Exactly, OfKind, ResourcePattern, Within
from grantproof.policyfile import documents
from grantproof.policyfile.faults import Location, written_path

if TYPE_CHECKING:
    from grantproof.policyfile.organization_document import OrganizationEntries

Reference = tuple[Location, str, str]
"""Where something is named, what it is to be, and its id; or where a link is, and its two ends."""

Node = TypeVar("Node", bound=str)


@dataclass(frozen=True, slots=True)
class Inconsistency:
    """A part of a document that does not fit the rest, and the rule that it breaks.

    `noun` and `name` say what is missing, when something is; `see` is where it stands already, when
    it is there twice.
    """

    path: Location
    rule: str
    noun: str = ""
    name: str = ""
    see: Location = ()

    @property
    def message(self) -> str:
        """The rule, and the other place by its path."""
        return f"{self.rule}: see {written_path(self.see)}" if self.see else self.rule


def inconsistencies(document: "OrganizationEntries") -> list[Inconsistency]:
    """Return every repetition, every reference to what is not declared, and every cycle."""
    return [*_repeated(document), *_undeclared(document), *_circular(document)]


def roots_first(
    parents: Mapping[Node, Collection[Node]],
) -> tuple[list[Node], frozenset[Node]]:
    """Return the nodes in an order in which none precedes a parent, and those left in cycles.

    Parents that are no nodes are passed over. What only descends from a cycle is left too.
    """
    waiting = {node: sum(parent in parents for parent in parents[node]) for node in parents}
    children: dict[Node, list[Node]] = {node: [] for node in parents}
    for node, above in parents.items():
        for parent in above:
            if parent in children:
                children[parent].append(node)
    placed = [node for node, count in waiting.items() if count == 0]
    for node in placed:
        for child in children[node]:
            waiting[child] -= 1
            if waiting[child] == 0:
                placed.append(child)
    return placed, frozenset(parents) - frozenset(placed)


def _repeated(document: "OrganizationEntries") -> Iterator[Inconsistency]:
    for name in document.lists():
        first: dict[object, int] = {}
        for position, entry in enumerate(getattr(document, name)):
            at = first.setdefault(_key(entry), position)
            if at != position:
                yield Inconsistency((name, position), "must not be given twice", see=(name, at))


def _key(entry: object) -> object:
    match entry:
        case documents.Membership():
            return entry.principal, entry.group
        case documents.Nesting():
            return entry.group, entry.container
        case documents.Assignment():
            return "principal", entry.principal, entry.role
        case documents.GroupAssignment():
            return "group", entry.group, entry.role
        case _:
            return getattr(entry, "id")  # noqa: B009 - every other entry has one


def _undeclared(document: "OrganizationEntries") -> Iterator[Inconsistency]:
    known = declared(document)
    for path, noun, name in chain(_named_by_entities(document), _named_by_links(document)):
        if name not in known[noun]:
            rule = f"must name a declared {noun}: `{name}` is none"
            yield Inconsistency(path, rule, noun, name)


def declared(document: "OrganizationEntries") -> dict[str, frozenset[str]]:
    """Return the names that may be referred to, by what they are names of."""
    return {
        "kind": frozenset(entry.id for entry in document.kinds) | frozenset(IMPLICIT_KINDS),
        "principal": frozenset(entry.id for entry in document.principals),
        "group": frozenset(entry.id for entry in document.groups),
        "role": frozenset(entry.id for entry in document.roles),
        "resource": frozenset(entry.id for entry in document.resources) | _implicit(document),
    }


def _implicit(document: "OrganizationEntries") -> frozenset[str]:
    return frozenset(
        chain(
            [f"organization:{document.id}"],
            (f"role:{entry.id}" for entry in document.roles),
            (f"group:{entry.id}" for entry in document.groups),
            (f"sod-set:{entry.id}" for entry in document.sod_sets),
        )
    )


def _named_by_entities(document: "OrganizationEntries") -> Iterator[Reference]:
    for i, role in enumerate(document.roles):
        yield from _each(("roles", i, "parents"), "role", role.parents)
    for i, resource in enumerate(document.resources):
        yield ("resources", i, "kind"), "kind", resource.kind
        if resource.parent is not None:
            yield ("resources", i, "parent"), "resource", resource.parent
    for i, claim in enumerate(document.claims):
        yield ("claims", i, "role"), "role", claim.role
        yield from _claimed(("claims", i, "resource"), claim.resource)
    for i, sod_set in enumerate(document.sod_sets):
        yield from _each(("sod_sets", i, "roles"), "role", sod_set.roles)
    for i, guardrail in enumerate(document.guardrails):
        yield from _guarded(("guardrails", i), guardrail)


def _guarded(path: Location, guardrail: documents.Guardrail) -> Iterator[Reference]:
    who = (*path, "who")
    for selector in guardrail.who:
        match selector:
            case MemberOf(group):
                yield who, "group", group
            case HolderOf(role):
                yield who, "role", role
            case Having():
                continue
            case _:
                assert_never(selector)
    for name in ("access", "first", "second"):
        access = getattr(guardrail, name)
        if access is not None:
            yield from _claimed((*path, name, "resource"), access.resource)


def _named_by_links(document: "OrganizationEntries") -> Iterator[Reference]:
    for i, member in enumerate(document.memberships):
        yield ("memberships", i, "principal"), "principal", member.principal
        yield ("memberships", i, "group"), "group", member.group
    for i, nesting in enumerate(document.nestings):
        yield ("nestings", i, "group"), "group", nesting.group
        yield ("nestings", i, "container"), "group", nesting.container
    for i, held in enumerate(document.assignments):
        if isinstance(held, documents.Assignment):
            yield ("assignments", i, "principal"), "principal", held.principal
        else:
            yield ("assignments", i, "group"), "group", held.group
        yield ("assignments", i, "role"), "role", held.role


def _each(path: Location, noun: str, names: Iterable[str]) -> Iterator[Reference]:
    return ((path, noun, name) for name in sorted(names))


def _claimed(path: Location, pattern: ResourcePattern) -> Iterator[Reference]:
    match pattern:
        case Exactly(resource) | Within(resource):
            yield path, "resource", resource
        case OfKind(kind):
            yield path, "kind", kind
        case Any():
            return
        case _:
            assert_never(pattern)


def _circular(document: "OrganizationEntries") -> Iterator[Inconsistency]:
    """Yield every link of a cycle; roles, groups and resources are told apart by their lists."""
    inherited = [
        (("roles", i, "parents"), role.id, parent)
        for i, role in enumerate(document.roles)
        for parent in sorted(role.parents)
    ]
    inside = [
        (("resources", i, "parent"), resource.id, resource.parent)
        for i, resource in enumerate(document.resources)
        if resource.parent is not None
    ]
    nested = [
        (("nestings", i, "container"), nesting.group, nesting.container)
        for i, nesting in enumerate(document.nestings)
    ]
    for links in (inherited, inside, nested):
        yield from _cycles(links)


def _cycles(links: Sequence[Reference]) -> Iterator[Inconsistency]:
    above: dict[str, list[str]] = {end: [] for _, *ends in links for end in ends}
    for _, child, parent in links:
        above[child].append(parent)
    _, below_a_cycle = roots_first(above)
    # What is left and leads to nothing else that is left only descends from a cycle.
    under: dict[str, list[str]] = {node: [] for node in below_a_cycle}
    for node in below_a_cycle:
        for parent in above[node]:
            if parent in under:
                under[parent].append(node)
    _, circular = roots_first(under)
    found = dict.fromkeys(
        path for path, child, parent in links if child in circular and parent in circular
    )
    yield from (Inconsistency(path, "must not lead back to itself") for path in found)
