"""An organization is a set of facts, and its indexes say what the facts say.

Adding a fact adds it and nothing else; removing one removes it and nothing else; the indexes agree
before and after. What commands do is built on this.
"""

import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import z3

from grantproof.core import model, organization
from grantproof.core.guardrails import Named
from specs.definitions.hierarchy import edge
from specs.definitions.indexes import indexes
from specs.definitions.registry import describes
from specs.kernel.expressions import isinstance_of
from specs.kernel.loops import Invariant
from specs.kernel.membership import contains, same
from specs.kernel.sorts import Name, Object
from specs.kernel.values import Clause, Facts, Made, Symbolic, Term
from specs.kernel.view import View

There = Callable[..., z3.BoolRef]


@dataclass(frozen=True)
class Facet:
    """Where an organization keeps the facts of a class.

    `keys` are the fields that name a fact. `there` says whether the state has one of that name,
    `value` what it keeps for it: the fact itself, or its field `payload`; nothing where the name
    says everything.
    """

    keys: tuple[str, ...]
    there: There
    value: Callable[..., View] | None = None
    payload: str = ""


def pair(relation: View, left: z3.ExprRef, right: z3.ExprRef) -> z3.BoolRef:
    """Return whether the relation has the pair."""
    return z3.And(relation.forward.has(left), relation.forward.at(left).has(right))


def _of_pairs(keys: tuple[str, str], name: str, *, payload: str = "") -> Facet:
    def there(state: View, left: z3.ExprRef, right: z3.ExprRef) -> z3.BoolRef:
        return pair(state.field(name), left, right)

    def value(state: View, left: z3.ExprRef, right: z3.ExprRef) -> View:
        return state.field(name).forward.at(left).at(right)

    return Facet(keys, there, value if payload else None, payload)


def _of_edges(keys: tuple[str, str], name: str) -> Facet:
    return Facet(keys, lambda s, low, high: edge(s.field(name).parents.value, low, high))


def _of_nodes(name: str) -> Facet:
    return Facet(("id",), lambda s, node: s.field(name).parents.has(node))


def _stored(name: str) -> Facet:
    return Facet(
        ("id",), lambda s, key: s.field(name).has(key), lambda s, key: s.field(name).at(key)
    )


FACETS: Final[dict[type, Facet]] = {
    model.Principal: _stored("principals"),
    model.Group: _of_nodes("groups"),
    model.Role: _of_nodes("roles"),
    model.KindDeclaration: Facet(("kind",), lambda s, kind: s.resources_of_kind.has(kind)),
    model.Resource: _stored("resources"),
    model.Claim: _stored("claims"),
    model.SodSet: _stored("sod_sets"),
    model.Guardrail: _stored("guardrails"),
    model.Membership: _of_pairs(("principal", "group"), "memberships"),
    model.Nesting: _of_edges(("group", "container"), "groups"),
    model.Inheritance: _of_edges(("role", "parent"), "roles"),
    model.Assignment: _of_pairs(("principal", "role"), "assignments", payload="validity"),
    model.GroupAssignment: _of_pairs(("group", "role"), "group_assignments", payload="validity"),
    model.Administered: Facet((), lambda s: s.administered()),
}


def seen_as(fact: Symbolic, cls: type) -> View | None:
    """Return the fact as one of the class, or nothing where it is known not to be."""
    if isinstance(fact, Made):
        return View(fact) if fact.kind is cls else None
    possible = typing.get_args(typing.cast(Term, fact).kind) or (typing.cast(Term, fact).kind,)
    return View(Term(typing.cast(Term, fact).expr, cls)) if cls in possible else None


def is_named(fact: Symbolic, cls: type, keys: list[z3.ExprRef]) -> z3.BoolRef:
    """Return whether the fact is of the class and has the name."""
    seen = seen_as(fact, cls)
    if seen is None:
        return z3.BoolVal(False)
    fields = (seen.field(name)() for name in FACETS[cls].keys)
    equal = [field == key for field, key in zip(fields, keys, strict=True)]
    return z3.And(isinstance_of(Facts(), fact, (cls,)), *equal)


def value_of(fact: Symbolic, cls: type) -> View:
    """Return what the state keeps of a fact."""
    seen = typing.cast(View, seen_as(fact, cls))
    return seen.field(FACETS[cls].payload) if FACETS[cls].payload else seen


def present(state: Symbolic, fact: Symbolic) -> z3.BoolRef:
    """Return whether the state has a fact of that name, whatever it keeps for it."""
    found = []
    for cls, facet in FACETS.items():
        seen = seen_as(fact, cls)
        if seen is not None:
            keys = [seen.field(name)() for name in facet.keys]
            of_class = isinstance_of(Facts(), fact, (cls,))
            found.append(z3.And(of_class, facet.there(View(state), *keys)))
    return z3.Or(found)


def kept_but(
    before: Symbolic, after: Symbolic, named: Callable[[type, list[z3.ExprRef]], z3.BoolRef]
) -> list[Clause]:
    """Return that facts not named are there after just as before, with what is kept of them."""
    clauses = []
    for cls, facet in FACETS.items():
        keys = [z3.FreshConst(Name, key) for key in facet.keys]
        there, then = (facet.there(View(state), *keys) for state in (before, after))
        alike = there == then
        if facet.value is not None:
            one, other = (facet.value(View(state), *keys).value for state in (before, after))
            alike = z3.And(alike, z3.Implies(there, same(one, other)))
        clause = z3.Implies(z3.Not(named(cls, keys)), alike)
        clauses.append((f"other {cls.__name__} facts", z3.ForAll(keys, clause) if keys else clause))
    return clauses


def frame(before: Symbolic, after: Symbolic) -> list[Clause]:
    """Return that what is no fact stays as it is."""
    return [
        (f"{name} stays", View(before).field(name)() == View(after).field(name)())
        for name in ("id", "revision", "time_zone")
    ]


def every(
    classes: tuple[type, ...], fact: Symbolic, of: Callable[[View], z3.BoolRef]
) -> z3.BoolRef:
    """Return that the condition holds of the fact if it is of one of the classes."""
    parts = []
    for cls in classes:
        seen = seen_as(fact, cls)
        if seen is not None:
            parts.append(z3.Implies(isinstance_of(Facts(), fact, (cls,)), of(seen)))
    return z3.And(parts)


def can_be_added(state: Symbolic, fact: Symbolic) -> list[Clause]:
    """Return what a caller of `with_fact` owes: a new fact, and what an index needs of it."""
    s = View(state)
    groups, roles = s.groups.parents, s.roles.parents

    def nested(fact: View) -> z3.BoolRef:
        return z3.And(groups.has(fact.group()), groups.has(fact.container()))

    def inherits(fact: View) -> z3.BoolRef:
        return z3.And(roles.has(fact.role()), roles.has(fact.parent()))

    def declared(fact: View) -> z3.BoolRef:
        return s.resources_of_kind.has(fact.field("kind")())

    return [
        *indexes(state),
        ("the fact is new", z3.Not(present(state, fact))),
        ("both groups are there", every((model.Nesting,), fact, nested)),
        ("both roles are there", every((model.Inheritance,), fact, inherits)),
        ("the kind is declared", every((model.Resource,), fact, declared)),
    ]


def can_be_removed(state: Symbolic, fact: Symbolic) -> list[Clause]:
    """Return what a caller of `without_fact` owes: that it is there, and no edge at a node."""
    s, x = View(state), z3.Const("x", Name)

    def loose(graph: View, node: z3.ExprRef) -> z3.BoolRef:
        up, down = edge(graph.parents.value, node, x), edge(graph.parents.value, x, node)
        return z3.ForAll([x], z3.Not(z3.Or(up, down)))

    def unused(kind: View) -> z3.BoolRef:
        stored = s.resources
        of_kind = z3.And(stored.has(x), stored.at(x).field("kind")() == kind.field("kind")())
        return z3.ForAll([x], z3.Not(of_kind))

    return [
        *indexes(state),
        ("the fact is there", present(state, fact)),
        ("as it is kept", kept_as(state, fact)),
        ("no edge at the role", every((model.Role,), fact, lambda f: loose(s.roles, f.id()))),
        ("no edge at the group", every((model.Group,), fact, lambda f: loose(s.groups, f.id()))),
        ("no resource of the kind", every((model.KindDeclaration,), fact, unused)),
    ]


def kept_as(state: Symbolic, fact: Symbolic) -> z3.BoolRef:
    """Return that what the state keeps for the fact's name is the fact's."""
    parts = []
    for cls, facet in FACETS.items():
        seen = seen_as(fact, cls)
        if seen is not None and facet.value is not None:
            keys = [seen.field(name)() for name in facet.keys]
            alike = same(facet.value(View(state), *keys).value, value_of(fact, cls).value)
            parts.append(z3.Implies(isinstance_of(Facts(), fact, (cls,)), alike))
    return z3.And(parts)


def indexes_agree(result: Symbolic, _state: Symbolic, _fact: Symbolic) -> list[Clause]:
    """Return what follows for callers: that the indexes agree again."""
    return indexes(result)


@describes(organization.with_fact, "P-INDUCT", requires=can_be_added, promises=indexes_agree)
def with_fact(result: Symbolic, state: Symbolic, fact: Symbolic) -> z3.BoolRef:
    """The fact is there, and every other just as before."""
    added = [("the fact is there", present(result, fact)), ("as it is", kept_as(result, fact))]
    others = kept_but(state, result, lambda cls, keys: is_named(fact, cls, keys))
    return z3.And([clause for _, clause in (*added, *others, *frame(state, result))])


@describes(organization.without_fact, "P-INDUCT", requires=can_be_removed, promises=indexes_agree)
def without_fact(result: Symbolic, state: Symbolic, fact: Symbolic) -> z3.BoolRef:
    """The fact is not there, and every other just as before."""
    removed = ("the fact is gone", z3.Not(present(result, fact)))
    others = kept_but(state, result, lambda cls, keys: is_named(fact, cls, keys))
    return z3.And([clause for _, clause in (removed, *others, *frame(state, result))])


def sets_indexed(env: dict[str, typing.Any], done: typing.Any) -> list[Clause]:
    """The loop that adds a set to the index: so far for the roles done."""
    return _indexed_by_role(env, done, z3.Or)


def sets_unindexed(env: dict[str, typing.Any], done: typing.Any) -> list[Clause]:
    """The loop that takes a set from the index: so far for the roles done."""
    return _indexed_by_role(env, done, lambda was, here: z3.And(was, z3.Not(here)))


def _indexed_by_role(
    env: dict[str, typing.Any], done: typing.Any, connective: Callable[..., z3.BoolRef]
) -> list[Clause]:
    r, s = z3.Consts("r s", Name)
    before, now = View(env["state"]).sod_sets_by_role, View(env["by_role"])
    was, there = (z3.And(index.has(r), index.at(r).has(s)) for index in (before, now))
    here = z3.And(contains(done, Term(r, str)), s == View(env["sod_set"]).id())
    return [("indexed so far", z3.ForAll([r, s], there == connective(was, here)))]


def guardrails_indexed(env: dict[str, typing.Any], done: typing.Any) -> list[Clause]:
    """The loop that adds a guardrail to the index: so far for the names done."""
    return _indexed_by_name(env, done, z3.Or)


def guardrails_unindexed(env: dict[str, typing.Any], done: typing.Any) -> list[Clause]:
    """The loop that takes a guardrail from the index: so far for the names done."""
    return _indexed_by_name(env, done, lambda was, here: z3.And(was, z3.Not(here)))


def _indexed_by_name(
    env: dict[str, typing.Any], done: typing.Any, connective: Callable[..., z3.BoolRef]
) -> list[Clause]:
    name, guardrail = z3.Const("name", Object), z3.Const("guardrail", Name)
    before, now = View(env["state"]).guardrails_by_name, View(env["by_name"])
    was, there = (
        z3.And(index.has(name, object), index.at(name).has(guardrail)) for index in (before, now)
    )
    named = contains(done, Term(name, Named))
    here = z3.And(named, guardrail == View(env["guardrail"]).id())
    goal = z3.ForAll([name, guardrail], there == connective(was, here))
    return [("named so far", goal)]


INVARIANTS: Final[dict[tuple[str, int], Invariant]] = {
    ("grantproof.core.organization._with_sod_set", 0): sets_indexed,
    ("grantproof.core.organization._without_sod_set", 0): sets_unindexed,
    ("grantproof.core.organization._with_guardrail", 0): guardrails_indexed,
    ("grantproof.core.organization._without_guardrail", 0): guardrails_unindexed,
}
