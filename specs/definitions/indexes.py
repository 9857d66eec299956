"""When the indexes of an organization say what its facts say: the frame of every change."""

import z3

from specs.definitions.hierarchy import edge
from specs.definitions.world import claims, sod_sets
from specs.kernel.sorts import Name, Object
from specs.kernel.values import Clause, Symbolic
from specs.kernel.view import View

STORED = ("principals", "resources", "claims", "sod_sets", "guardrails")


def indexes(state: Symbolic) -> list[Clause]:
    """Return that every index agrees with what it is an index of."""
    s = View(state)
    return [
        *graphs(s),
        *relations(s),
        *resources(s),
        *claims(s),
        claims_by_resource(s),
        *sod_sets(s)[:1],
        guardrails_by_name(s),
        *own_names(s),
    ]


def graphs(state: View) -> list[Clause]:
    """Return that children are the converse of parents, and that both have every node."""
    x, y = z3.Consts("x y", Name)
    clauses = []
    for name in ("roles", "groups"):
        up, down = state.field(name).parents, state.field(name).children
        converse = edge(up.value, x, y) == edge(down.value, y, x)
        clauses += [
            (f"{name}: children are the converse", z3.ForAll([x, y], converse)),
            (f"{name}: both have every node", z3.ForAll([x], up.has(x) == down.has(x))),
        ]
    return clauses


def relations(state: View) -> list[Clause]:
    """Return that backward is the converse of forward."""
    x, y = z3.Consts("x y", Name)
    clauses = []
    for name in ("memberships", "assignments", "group_assignments"):
        forward, backward = state.field(name).forward, state.field(name).backward
        there = z3.And(forward.has(x), forward.at(x).has(y))
        back = z3.And(backward.has(y), backward.at(y).has(x))
        clauses.append((f"{name}: backward is the converse", z3.ForAll([x, y], there == back)))
    return clauses


def resources(state: View) -> list[Clause]:
    """Return that resources are found by their kind and by their parent."""
    x, y = z3.Consts("x y", Name)
    stored, by_kind, inside = state.resources, state.resources_of_kind, state.resources_in_parent
    of_kind = z3.And(stored.has(x), stored.at(x).field("kind")() == y)
    parent = stored.at(x).parent
    in_parent = z3.And(stored.has(x), parent.there, parent() == y)
    indexed = z3.And(by_kind.has(y), by_kind.at(y).has(x))
    nested = z3.And(inside.has(y), inside.at(y).has(x))
    return [
        ("resources are indexed by kind", z3.ForAll([x, y], indexed == of_kind)),
        ("resources are indexed by parent", z3.ForAll([x, y], nested == in_parent)),
    ]


def claims_by_resource(state: View) -> Clause:
    """Return that claims are found by their resource pattern."""
    c, pattern = z3.Const("c", Name), z3.Const("pattern", Object)
    by_pattern = state.claims_by_resource
    at = by_pattern.at(pattern)
    indexed = z3.And(by_pattern.has(pattern, object), at.has(c))
    stored = z3.And(state.claims.has(c), state.claims.at(c).resource() == pattern)
    return ("claims are indexed by resource", z3.ForAll([c, pattern], indexed == stored))


def guardrails_by_name(state: View) -> Clause:
    """Return that guardrails are found by what they name."""
    g, name = z3.Const("g", Name), z3.Const("name", Object)
    by_name = state.guardrails_by_name
    indexed = z3.And(by_name.has(name, object), by_name.at(name).has(g))
    names = state.guardrails.at(g).names.has(name, object)
    stored = z3.And(state.guardrails.has(g), names)
    return ("guardrails are indexed by name", z3.ForAll([g, name], indexed == stored))


def own_names(state: View) -> list[Clause]:
    """Return that what is stored under a name has that name."""
    x = z3.Const("x", Name)
    return [
        (
            f"{name} are stored under their names",
            z3.ForAll(
                [x],
                z3.Implies(state.field(name).has(x), state.field(name).at(x).field("id")() == x),
            ),
        )
        for name in STORED
    ]
