"""When nothing in an organization dangles: what is referred to exists. P-REF."""

import z3

from grantproof.core.guardrails import Named
from grantproof.core.identifiers import IMPLICIT_KINDS
from grantproof.core.model import Any, Exactly, OfKind, ResourcePattern, Within
from specs.definitions.facts import pair
from specs.kernel.sorts import Name, Object, tag_is, typed
from specs.kernel.values import Clause, Symbolic, Term
from specs.kernel.view import View, literal


def references(state: Symbolic) -> list[Clause]:
    """Return, for every kind of reference, that what it refers to exists."""
    s = View(state)
    return [*pairs(s), *claims(s), *sets(s), *guardrails(s), *resources(s)]


def pairs(state: View) -> list[Clause]:
    """Return that both ends of every pair exist."""
    x, y = z3.Consts("x y", Name)
    holders = state.principals, state.principals, state.groups.parents
    partners = state.groups.parents, state.roles.parents, state.roles.parents
    names = ("memberships", "assignments", "group_assignments")
    clauses = []
    for name, left, right in zip(names, holders, partners, strict=True):
        ends = z3.And(left.has(x), right.has(y))
        there = z3.Implies(pair(state.field(name), x, y), ends)
        clauses.append((f"{name} refer", z3.ForAll([x, y], there)))
    return clauses


def implicit(state: View, resource: z3.ExprRef) -> z3.BoolRef:
    """Return whether the resource exists because a role, group, set or the organization does."""
    entity = z3.FreshConst(Name, "entity")
    kept = {
        "role": state.roles.parents,
        "group": state.groups.parents,
        "sod-set": state.sod_sets,
    }
    of_entity = [
        z3.And(resource == formatted(kind, entity), mapping.has(entity))
        for kind, mapping in kept.items()
    ]
    itself = resource == formatted("organization", state.id())
    return z3.Or(itself, z3.Exists([entity], z3.Or(of_entity)))


def formatted(kind: str, entity: z3.ExprRef) -> z3.ExprRef:
    """Return the id of an implicit resource, as the source formats it."""
    return z3.Function(f"format {kind}:{{}}", Name, Name)(entity)


def claims(state: View) -> list[Clause]:
    """Return that every claim's role exists, and what its resource pattern names."""
    c = z3.Const("c", Name)
    stored = state.claims.at(c)
    pattern = stored.resource
    named = pattern_there(state, pattern)
    there = z3.And(state.roles.parents.has(stored.role()), named)
    return [("claims refer", z3.ForAll([c], z3.Implies(state.claims.has(c), there)))]


def pattern_there(state: View, pattern: View) -> z3.BoolRef:
    """Return whether what a resource pattern names exists."""
    exactly, within = (pattern.when(cls).field("value")() for cls in (Exactly, Within))
    kind = pattern.when(OfKind).field("kind")()
    reserved = z3.Or([kind == literal(name) for name in IMPLICIT_KINDS])
    return z3.Or(
        tag_is(pattern(), Any),
        z3.And(tag_is(pattern(), Exactly), resource_there(state, exactly)),
        z3.And(tag_is(pattern(), Within), resource_there(state, within)),
        z3.And(tag_is(pattern(), OfKind), z3.Or(state.resources_of_kind.has(kind), reserved)),
    )


def resource_there(state: View, resource: z3.ExprRef) -> z3.BoolRef:
    """Return whether a resource is registered or implicit."""
    return z3.Or(state.resources.has(resource), implicit(state, resource))


def sets(state: View) -> list[Clause]:
    """Return that every role of a separation-of-duty set exists."""
    s, r = z3.Consts("s r", Name)
    named = z3.And(state.sod_sets.has(s), state.sod_sets.at(s).roles.has(r))
    return [("sets refer", z3.ForAll([s, r], z3.Implies(named, state.roles.parents.has(r))))]


def guardrails(state: View) -> list[Clause]:
    """Return that everything that a guardrail names exists."""
    g, name = z3.Const("g", Name), z3.Const("name", Object)
    there = pattern_there(state, View(Term(name, ResourcePattern)))
    refer = z3.ForAll([g, name], z3.Implies(is_named_by(state, g, name), there))
    return [("guardrails refer", refer)]


def is_named_by(state: View, guardrail: z3.ExprRef, name: z3.ExprRef) -> z3.BoolRef:
    """Return whether there is the guardrail, and it names the resource or the kind."""
    names = z3.And(state.guardrails.at(guardrail).names.has(name, object), typed(name, Named))
    return z3.And(state.guardrails.has(guardrail), names)


def resources(state: View) -> list[Clause]:
    """Return that the kind and the parent of every resource exist."""
    x = z3.Const("x", Name)
    stored = state.resources.at(x)
    parent = z3.Implies(stored.parent.there, state.resources.has(stored.parent()))
    there = z3.And(state.resources_of_kind.has(stored.field("kind")()), parent)
    return [("resources refer", z3.ForAll([x], z3.Implies(state.resources.has(x), there)))]
