"""Whether a state is kept rightly around a change: both directions of everything it touched.

`disagreements` looks at the indexes of the state after; `unfaithful` compares it with the state
before, which differs by the delta and by nothing else. Both cost what the delta touches: of
relations that it does not touch only the identity is compared, for a change shares them.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar, assert_never

from grantproof.core.identifiers import ResourceId
from grantproof.core.model import (
    Administered,
    Assignment,
    Claim,
    Delta,
    Fact,
    Group,
    GroupAssignment,
    Guardrail,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Principal,
    Resource,
    Role,
    SodSet,
)
from grantproof.core.organization import Organization
from grantproof.core.relation import Graph, Relation

Node = TypeVar("Node", bound=str)
Left = TypeVar("Left", bound=str)
Right = TypeVar("Right", bound=str)
Payload = TypeVar("Payload")
Name = TypeVar("Name", bound=str)
Key = TypeVar("Key")
Found = Iterator[tuple[str, ...]]


def disagreements(before: Organization, after: Organization, delta: Delta) -> Found:
    """Yield what one direction of an index of `after` says and the other does not.

    Looked at around the facts of the delta, and around what `before` had under the same names.
    """
    for fact in (*delta.removed, *delta.added):
        yield from _around(before, after, fact)


def unfaithful(before: Organization, after: Organization, delta: Delta) -> Found:
    """Yield how `after` is not the next revision of `before`, changed by exactly the delta."""
    if (after.id, after.revision, after.time_zone) != (
        before.id,
        before.revision + 1,
        before.time_zone,
    ):
        yield ("revision",)
    if len(delta.removed) > 0:
        kept = frozenset(delta.added)
        yield from (("removed",) for fact in delta.removed if not has(before, fact))
        yield from (("removed",) for fact in delta.removed if fact not in kept and has(after, fact))
    yield from (("added",) for fact in delta.added if not has(after, fact))
    added, removed = (Counter(map(type, facts)) for facts in (delta.added, delta.removed))
    touched = added.keys() | removed.keys()
    for name, kinds in FIELDS.items():
        if touched.isdisjoint(kinds) and not _same(before, after, name):
            yield (name,)
    for name, kind in ENTITIES.items():
        gained = added[kind] - removed[kind]
        if len(getattr(after, name)) != len(getattr(before, name)) + gained:
            yield (name,)


def has(state: Organization, fact: Fact) -> bool:  # noqa: C901 - one branch a fact
    """Return whether the fact is one of the organization's."""
    match fact:
        case Assignment():
            return state.assignments.of(fact.principal).get(fact.role) == fact.validity
        case Principal():
            return state.principals.get(fact.id) == fact
        case Group():
            return fact.id in state.groups
        case Role():
            return fact.id in state.roles
        case KindDeclaration():
            return fact.kind in state.resources_of_kind
        case Resource():
            return state.resources.get(fact.id) == fact
        case Claim():
            return state.claims.get(fact.id) == fact
        case SodSet():
            return state.sod_sets.get(fact.id) == fact
        case Guardrail():
            return state.guardrails.get(fact.id) == fact
        case Membership():
            return fact.group in state.memberships.of(fact.principal)
        case Nesting():
            return state.groups.has_edge(fact.group, fact.container)
        case Inheritance():
            return state.roles.has_edge(fact.role, fact.parent)
        case GroupAssignment():
            return state.group_assignments.of(fact.group).get(fact.role) == fact.validity
        case Administered():
            return state.administered
        case _:
            assert_never(fact)


def _same(before: Organization, after: Organization, field: str) -> bool:
    ours, theirs = getattr(before, field), getattr(after, field)
    return ours is theirs or bool(ours == theirs)


def _around(  # noqa: C901 - one branch a fact
    before: Organization, after: Organization, fact: Fact
) -> Found:
    match fact:
        case Assignment(principal, role):
            yield from _pair(principal, role, after.assignments)
        case Principal() | Administered():
            return
        case Group(name):
            yield from _node(name, before.groups, after.groups)
        case Role(name):
            yield from _node(name, before.roles, after.roles)
        case Nesting(group, container):
            yield from _edge(group, container, after.groups)
        case Inheritance(role, parent):
            yield from _edge(role, parent, after.roles)
        case Membership(principal, group):
            yield from _pair(principal, group, after.memberships)
        case GroupAssignment(group, role):
            yield from _pair(group, role, after.group_assignments)
        case KindDeclaration(kind):
            for resource in before.resources_of_kind.get(kind, ()):
                yield from _resource(before, after, resource)
        case Resource():
            yield from _resource(before, after, fact.id, fact)
        case Claim():
            yield from _claim(before, after, fact)
        case SodSet():
            yield from _set(before, after, fact)
        case Guardrail():
            yield from _guardrail(before, after, fact)
        case _:
            assert_never(fact)


def _node(name: Node, before: Graph[Node], after: Graph[Node]) -> Found:
    if (name in after.parents) != (name in after.children):
        yield (name,)
    for parent in before.parents.get(name, ()):
        yield from _edge(name, parent, after)
    for child in before.children.get(name, ()):
        yield from _edge(child, name, after)


def _edge(child: Node, parent: Node, graph: Graph[Node]) -> Found:
    upward = parent in graph.parents.get(child, ())
    if upward != (child in graph.children.get(parent, ())):
        yield (child, parent)


def _pair(left: Left, right: Right, relation: Relation[Left, Right, Payload]) -> Found:
    forward, backward = relation.forward.get(left), relation.backward.get(right)
    there = forward is not None and right in forward
    back = backward is not None and left in backward
    # What has no partner has no entry.
    hollow = (forward is not None and not forward) or (backward is not None and not backward)
    if there != back or hollow:
        yield (left, right)


def _resource(
    before: Organization, after: Organization, name: ResourceId, *facts: Resource
) -> Found:
    now = after.resources.get(name)
    known = [one for one in (now, before.resources.get(name), *facts) if one is not None]
    for kind in {one.kind for one in known}:
        if (name in after.resources_of_kind.get(kind, ())) != (
            now is not None and now.kind == kind
        ):
            yield (name, kind)
    inside = {one.parent for one in known if one.parent is not None}
    wanted = None if now is None else now.parent
    yield from _listed(name, inside, after.resources_in_parent, now=[wanted])


def _claim(before: Organization, after: Organization, fact: Claim) -> Found:
    name = fact.id
    now = after.claims.get(name)
    known = [one for one in (now, before.claims.get(name), fact) if one is not None]
    by_role = [] if now is None else [now.role]
    yield from _listed(name, {one.role for one in known}, after.claims_by_role, now=by_role)
    named = {one.resource for one in known}
    yield from _listed(
        name, named, after.claims_by_resource, now=() if now is None else [now.resource]
    )


def _set(before: Organization, after: Organization, fact: SodSet) -> Found:
    name = fact.id
    now = after.sod_sets.get(name)
    known = [one for one in (now, before.sod_sets.get(name), fact) if one is not None]
    roles = frozenset(role for one in known for role in one.roles)
    yield from _listed(name, roles, after.sod_sets_by_role, now=() if now is None else now.roles)


def _guardrail(before: Organization, after: Organization, fact: Guardrail) -> Found:
    name = fact.id
    now = after.guardrails.get(name)
    known = [one for one in (now, before.guardrails.get(name), fact) if one is not None]
    named = frozenset(pattern for one in known for pattern in one.names)
    own = () if now is None else now.names
    yield from _listed(name, named, after.guardrails_by_name, now=own)


def _listed(
    name: Name,
    keys: Iterable[Key],
    index: Mapping[Key, Mapping[Name, None]],
    *,
    now: Iterable[Key | None],
) -> Found:
    """Yield the name if the index has it under a key that is not its own `now`, or lacks it."""
    own = frozenset(now)
    for key in keys:
        entry = index.get(key)
        listed = entry is not None and name in entry
        if listed != (key in own) or (entry is not None and len(entry) == 0):
            yield (name,)


FIELDS: Final[Mapping[str, frozenset[type[Fact]]]] = {
    "administered": frozenset({Administered}),
    "principals": frozenset({Principal}),
    "groups": frozenset({Group, Nesting}),
    "roles": frozenset({Role, Inheritance}),
    "resources": frozenset({Resource}),
    "resources_of_kind": frozenset({Resource, KindDeclaration}),
    "resources_in_parent": frozenset({Resource}),
    "claims": frozenset({Claim}),
    "claims_by_role": frozenset({Claim}),
    "claims_by_resource": frozenset({Claim}),
    "sod_sets": frozenset({SodSet}),
    "sod_sets_by_role": frozenset({SodSet}),
    "guardrails": frozenset({Guardrail}),
    "guardrails_by_name": frozenset({Guardrail}),
    "memberships": frozenset({Membership}),
    "assignments": frozenset({Assignment}),
    "group_assignments": frozenset({GroupAssignment}),
}
"""What of an organization each type of fact touches; a test holds it to the class."""

ENTITIES: Final[Mapping[str, type[Fact]]] = {
    "principals": Principal,
    "groups": Group,
    "roles": Role,
    "resources": Resource,
    "resources_of_kind": KindDeclaration,
    "claims": Claim,
    "sod_sets": SodSet,
    "guardrails": Guardrail,
}
"""What can be counted at once, and the fact that each of them is."""
