"""What a deletion takes along: the entity, and every fact that refers to it. P-REF, P-REJECT.

A cascade removes exactly what a refusal counts. Facts are told apart by class and name: two that an
organization has as it keeps them, of one class and name, are one fact.
"""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import z3

from grantproof.core import matching
from grantproof.core import model as m
from grantproof.core.commands import references
from grantproof.core.commands.delta import _deletes
from grantproof.core.commands.language import (
    DeleteGroup,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
)
from specs.definitions.facts import FACETS, kept_as, seen_as
from specs.definitions.hierarchy import CLOSED, image, least, preorder, reaches
from specs.definitions.indexes import indexes
from specs.definitions.references import formatted
from specs.definitions.registry import describes
from specs.kernel.expressions import isinstance_of
from specs.kernel.membership import contains, drawn, is_empty
from specs.kernel.sorts import Name, Object, tag_is
from specs.kernel.values import Bag, Clause, Drawn, Facts, Items, Made, Symbolic, Term
from specs.kernel.view import View

Keys = list[z3.ExprRef]
Named = Callable[[type, Keys], z3.BoolRef]
"""Which facts, by class and name."""

ENTITY: Final[dict[type, tuple[type, str]]] = {
    DeletePrincipal: (m.Principal, "principal"),
    DeleteGroup: (m.Group, "group"),
    DeleteRole: (m.Role, "role"),
    DeleteKind: (m.KindDeclaration, "kind"),
    DeleteResource: (m.Resource, "resource"),
    DeleteSodSet: (m.SodSet, "sod_set"),
}
"""The class of the entity that a deletion is about, and the field that names it."""
ENDS: Final[dict[type, dict[type, tuple[int, ...]]]] = {
    DeletePrincipal: {m.Membership: (0,), m.Assignment: (0,)},
    DeleteGroup: {m.Membership: (1,), m.Nesting: (0, 1), m.GroupAssignment: (0,)},
    DeleteRole: {m.Inheritance: (0, 1), m.Assignment: (1,), m.GroupAssignment: (1,)},
}
"""Which parts of the name of a fact refer to the entity."""
IMPLICIT: Final = {DeleteGroup: "group", DeleteRole: "role", DeleteSodSet: "sod-set"}
"""Under which prefix the entity is a resource too."""


@dataclass(frozen=True)
class Listing(Bag):
    """What a deletion removes: each fact of which `gone` holds, once, edges before their nodes."""

    gone: Named = lambda _cls, _keys: z3.BoolVal(False)


def possible(deletion: Symbolic) -> tuple[type, ...]:
    """Return the classes that the deletion may be of."""
    kind = typing.cast(Term, deletion).kind
    return typing.get_args(kind) or (typing.cast(type, kind),)


def entity(deletion: Symbolic, cls: type) -> z3.ExprRef:
    """Return the name of what a deletion of the class is about."""
    return View(deletion).when(cls).field(ENTITY[cls][1])()


def inside(state: View, outer: z3.ExprRef, inner: z3.ExprRef) -> z3.BoolRef:
    """Return whether a resource is inside the other, at any depth, or is it."""
    return reaches(state.resources_in_parent.value, outer, inner)


def taken(state: View, deletion: Symbolic, cls: type, *, resource: z3.ExprRef) -> z3.BoolRef:
    """Return whether a registered resource is the one deleted, or of the kind, or inside one."""
    name, root = entity(deletion, cls), z3.FreshConst(Name, "root")
    if cls is DeleteResource:
        return inside(state, name, resource)
    if cls is not DeleteKind:
        return z3.BoolVal(False)
    of_kind = z3.And(state.resources.has(root), state.resources.at(root).field("kind")() == name)
    return z3.Exists([root], z3.And(of_kind, inside(state, root, resource)))


def speaks_of(state: View, deletion: Symbolic, cls: type, *, claim: View) -> z3.BoolRef:
    """Return whether a claim is of the role, on the kind, or on a resource that goes."""
    named = names_what_goes(state, deletion, cls, pattern=claim.resource)
    if cls is DeleteRole:
        return z3.Or(named, claim.role() == entity(deletion, cls))
    return named


def names_what_goes(state: View, deletion: Symbolic, cls: type, *, pattern: View) -> z3.BoolRef:
    """Return whether a resource pattern names the kind or a resource that goes."""
    name, parts = entity(deletion, cls), []
    for on in (m.Exactly, m.Within):
        named = pattern.when(on).field("value")()
        goes = taken(state, deletion, cls, resource=named)
        itself = named == formatted(IMPLICIT[cls], name) if cls in IMPLICIT else False
        parts.append(z3.And(tag_is(pattern(), on), z3.Or(goes, itself)))
    if cls is DeleteKind:
        kind = pattern.when(m.OfKind).field("kind")()
        parts.append(z3.And(tag_is(pattern(), m.OfKind), kind == name))
    return z3.Or(parts)


def refers(state: View, deletion: Symbolic, fact: type, *, keys: Keys) -> z3.BoolRef:
    """Return whether the fact of the name refers to the entity, directly or through others."""
    parts = []
    for cls in possible(deletion):
        name = entity(deletion, cls)
        ends = [keys[end] == name for end in ENDS.get(cls, {}).get(fact, ())]
        if fact is m.Claim:
            ends.append(speaks_of(state, deletion, cls, claim=state.claims.at(keys[0])))
        if fact is m.Resource:
            goes = taken(state, deletion, cls, resource=keys[0])
            ends.append(z3.And(goes, keys[0] != name) if cls is DeleteResource else goes)
        parts.append(z3.And(tag_is(View(deletion)(), cls), z3.Or(ends)))
    return z3.Or(parts)


def is_entity(deletion: Symbolic, fact: type, *, keys: Keys) -> z3.BoolRef:
    """Return whether the fact of the name is what is to be deleted."""
    return z3.Or(
        [
            z3.And(tag_is(View(deletion)(), cls), keys[0] == entity(deletion, cls))
            for cls in possible(deletion)
            if ENTITY[cls][0] is fact
        ]
    )


def depends_by_name(state: Symbolic, deletion: Symbolic) -> Named:
    """Return which facts of the state refer to the entity."""

    def named(cls: type, keys: Keys) -> z3.BoolRef:
        there = FACETS[cls].there(View(state), *keys)
        return z3.And(there, refers(View(state), deletion, cls, keys=keys))

    return named


def gone_by_name(state: Symbolic, deletion: Symbolic) -> Named:
    """Return which facts of the state go: those that refer to the entity, and it."""
    depends = depends_by_name(state, deletion)

    def named(cls: type, keys: Keys) -> z3.BoolRef:
        there = FACETS[cls].there(View(state), *keys)
        itself = is_entity(deletion, cls, keys=keys)
        return z3.Or(depends(cls, keys), z3.And(there, itself))

    return named


def is_one(state: Symbolic, fact: Symbolic, named: Named) -> z3.BoolRef:
    """Return whether the fact is of those named, and is as the state keeps it."""
    parts = []
    for cls, facet in FACETS.items():
        seen = seen_as(fact, cls)
        if seen is not None:
            keys = [seen.field(name)() for name in facet.keys]
            parts.append(z3.And(isinstance_of(Facts(), fact, (cls,)), named(cls, keys)))
    return z3.And(z3.Or(parts), kept_as(state, fact))


def all_of(state: Symbolic, named: Named, kind: object) -> Bag:
    """Return the facts named, as the state keeps them, each once."""

    def has(fact: Symbolic) -> z3.BoolRef:
        return is_one(state, fact, named)

    def draw() -> Drawn:
        fact = Term(z3.FreshConst(Object, "fact"), kind)
        return Drawn((fact.expr,), has(fact), fact)

    return Bag(draw, has, once=z3.BoolVal(True))


def can_be_deleted(state: Symbolic, deletion: Symbolic) -> list[Clause]:
    """Return what callers owe: that the entity is there, and an organization in order."""
    there = [
        z3.Implies(
            tag_is(View(deletion)(), cls),
            FACETS[ENTITY[cls][0]].there(View(state), entity(deletion, cls)),
        )
        for cls in possible(deletion)
    ]
    alone = {DeleteKind, DeleteResource}.isdisjoint(possible(deletion))
    known = [] if alone else nested(state)
    return [*indexes(state), *known, ("the entity is there", z3.And(there))]


def nested(state: Symbolic) -> list[Clause]:
    """Return what being inside means, and that what is inside something is registered."""
    s = View(state)
    within = s.resources_in_parent.value
    registered = least(within, lambda low, high: z3.Or(low == high, s.resources.has(high)))
    laws = [*preorder(within), registered, is_inside_its_parent(s)]
    return [(f"resources: {name}", law) for name, law in laws]


def is_inside_its_parent(state: View) -> Clause:
    """Return that a resource is inside its parent: a lemma, for the index says the same."""
    x = z3.Const("x", Name)
    parent = state.resources.at(x).parent
    has_one = z3.And(state.resources.has(x), parent.there)
    follows = z3.Implies(has_one, inside(state, parent(), x))
    return ("what has a parent is inside it", z3.ForAll([x], follows))


def every_fact(kind: object, of: Callable[[Symbolic], z3.BoolRef]) -> z3.BoolRef:
    """Return that the condition holds of every fact of the type."""
    fact = z3.FreshConst(Object, "fact")
    typed = z3.Or([tag_is(fact, cls) for cls in typing.get_args(kind)])
    return z3.ForAll([fact], z3.Implies(typed, of(Term(fact, kind))))


def what_depends(state: Symbolic, deletion: Symbolic) -> Bag:
    """Return, for callers, every fact that refers to the entity."""
    return all_of(state, depends_by_name(state, deletion), references.Dependent)


@describes(references.dependents, "P-REF", summary=what_depends, requires=can_be_deleted)
def dependents(result: Symbolic, state: Symbolic, deletion: Symbolic) -> z3.BoolRef:
    """Each fact that refers to the entity, directly or through others, and each once."""
    meant = what_depends(state, deletion)

    def alike(fact: Symbolic) -> z3.BoolRef:
        return contains(result, fact) == contains(meant, fact)

    once = result.once if isinstance(result, Bag) else None
    listed = z3.BoolVal(False) if once is None else once
    return z3.And(listed, every_fact(references.Dependent, alike))


def what_goes(state: Symbolic, deletion: Symbolic) -> Made:
    """Return, for callers, the delta of a deletion: nothing is added."""
    gone = gone_by_name(state, deletion)
    every = all_of(state, gone, m.Fact)
    removed = Listing(every.draw, every.has, once=every.once, order=ORDER, gone=gone)
    return Made(m.Delta, {"removed": removed, "added": Items(())})


ORDER: Final = "key=_rank, reverse=True"
"""How the source sorts what is removed."""


@describes(
    _deletes,
    "P-REF",
    summary=what_goes,
    requires=can_be_deleted,
)
def deletes(result: Symbolic, state: Symbolic, deletion: Symbolic) -> z3.BoolRef:
    """The entity and what refers to it, each once and in order; nothing is added."""
    change = View(result)
    removed = change.removed.value
    if not isinstance(removed, Bag) or removed.once is None or removed.order != ORDER:
        return z3.BoolVal(False)
    gone = gone_by_name(state, deletion)

    def alike(fact: Symbolic) -> z3.BoolRef:
        return contains(removed, fact) == is_one(state, fact, gone)

    return z3.And(removed.once, every_fact(m.Fact, alike), is_empty(change.added.value))


@describes(
    matching.descendants,
    "P-REF",
    summary=lambda state, roots: image(roots, View(state).resources_in_parent.value),
)
def descendants(result: Symbolic, state: Symbolic, roots: Symbolic) -> z3.BoolRef:
    """It has the roots, and what is inside, and is within every set that has both."""
    x, y = z3.Consts("x y", Name)
    within, low, member = View(state).resources_in_parent, drawn(roots), drawn(result)
    step = z3.And(contains(result, Term(x, str)), within.has(x), within.at(x).has(y))
    return z3.And(
        z3.ForAll(list(low.binders), z3.Implies(low.guard, contains(result, low.value))),
        z3.ForAll([x, y], z3.Implies(step, contains(result, Term(y, str)))),
        z3.ForAll(
            list(member.binders),
            z3.Implies(member.guard, CLOSED(typing.cast(Term, member.value).expr)),
        ),
    )
