"""What the proofs take for granted of their arguments, and the invariants of the loops.

The world is what `invariants.valid` checks: nothing dangles. It is proved of every command that it
stays so, under P-REF; here it is a hypothesis.
"""

import typing

import z3

from grantproof.core.identifiers import ResourceId
from grantproof.core.organization import Organization
from specs.definitions.hierarchy import CLOSED, edge, preorder, reaches
from specs.kernel.loops import Invariant
from specs.kernel.membership import CARD, contains, drawn, member_kind
from specs.kernel.sorts import Name
from specs.kernel.vacuity import COUNTING
from specs.kernel.values import Bag, Clause, Dict, Drawn, Symbolic, Term
from specs.kernel.view import View

SOD_LEAST = 2
"""The smallest `n` of a set: one role alone is never forbidden."""


def world(arguments: list[Symbolic]) -> list[Clause]:
    """Return the hypotheses on the arguments of a function."""
    known: list[Clause] = []
    for value in arguments:
        if isinstance(value, Term) and value.kind is Organization:
            known += organization(View(value))
            known += roots(View(value), arguments)
    graphs = [value for value in arguments if isinstance(value, Dict) and is_graph(value)]
    for parents in graphs:
        known += graph(parents, "graph")
        for start in arguments:
            known += from_nodes(start, parents) if isinstance(start, Bag) else []
    return known


def roots(state: View, arguments: list[Symbolic]) -> list[Clause]:
    """Return that resources to start from are within an arbitrary set closed under what is in."""
    x, y = z3.Consts("x y", Name)
    start = [value for value in arguments if isinstance(value, Bag)]
    ones = [one.draw() for one in start if member_kind(one) is ResourceId]
    step = z3.And(CLOSED(x), edge(state.resources_in_parent.value, x, y))
    closed = [("a closed set has what is inside", z3.ForAll([x, y], z3.Implies(step, CLOSED(y))))]
    return closed[: len(ones)] + [
        ("it has the roots", z3.ForAll(list(one.binders), z3.Implies(one.guard, holds(one))))
        for one in ones
    ]


def holds(one: Drawn) -> z3.BoolRef:
    """Return whether the arbitrary closed set has what was drawn."""
    return CLOSED(typing.cast(Term, one.value).expr)


def is_graph(mapping: Dict) -> bool:
    """Return whether the mapping leads from a node to nodes."""
    at = mapping.get(z3.FreshConst(Name))
    return isinstance(at, Bag | Dict)


def graph(parents: Dict, name: str) -> list[Clause]:
    """Return that the graph is total and what reaching means, with an arbitrary closed set."""
    x, y = z3.Consts("x y", Name)
    is_edge, is_reached = edge(parents, x, y), reaches(parents, x, y)
    total = z3.ForAll([x, y], z3.Implies(is_edge, parents.has(y)))
    closed = z3.ForAll([x, y], z3.Implies(z3.And(CLOSED(x), is_edge), CLOSED(y)))
    nodes = z3.ForAll([x, y], z3.Implies(z3.And(parents.has(x), is_reached), parents.has(y)))
    laws = [("is total", total), ("has a closed set", closed), ("reaches nodes", nodes)]
    return [(f"{name} {law}", fact) for law, fact in (*laws, *preorder(parents))]


def from_nodes(start: Bag, parents: Dict) -> list[Clause]:
    """Return that a start set holds nodes only, and is within the arbitrary closed set."""
    low = start.draw()
    term = typing.cast(Term, low.value).expr
    inside = z3.And(parents.has(term), CLOSED(term))
    return [("start is nodes", z3.ForAll(list(low.binders), z3.Implies(low.guard, inside)))]


def organization(state: View) -> list[Clause]:
    """Return that nothing dangles in an organization."""
    p, g, r = z3.Consts("p g r", Name)
    roles, groups = state.roles.parents, state.groups.parents
    members, held = state.memberships.forward, state.assignments.forward
    held_by = state.group_assignments.forward
    is_member = z3.And(members.has(p), members.at(p).has(g))
    is_held = z3.And(held.has(p), held.at(p).has(r))
    is_held_by = z3.And(held_by.has(g), held_by.at(g).has(r))
    return [
        *graph(typing.cast(Dict, roles.value), "roles"),
        *graph(typing.cast(Dict, groups.value), "groups"),
        ("memberships refer", z3.ForAll([p, g], z3.Implies(is_member, groups.has(g)))),
        ("assignments refer", z3.ForAll([p, r], z3.Implies(is_held, roles.has(r)))),
        ("group assignments refer", z3.ForAll([g, r], z3.Implies(is_held_by, roles.has(r)))),
        *sod_sets(state),
        *claims(state),
        *counting(),
    ]


def sod_sets(state: View) -> list[Clause]:
    """Return that the index of sets by role says what the sets say, and that `n` is at least 2."""
    s, r = z3.Consts("s r", Name)
    by_role, stored = state.sod_sets_by_role, state.sod_sets
    indexed = z3.And(by_role.has(r), by_role.at(r).has(s))
    named = z3.And(stored.has(s), stored.at(s).roles.has(r))
    least = z3.Implies(stored.has(s), stored.at(s).n() >= SOD_LEAST)
    return [
        ("sets are indexed by role", z3.ForAll([s, r], indexed == named)),
        ("sets forbid 2 or more", z3.ForAll([s], least)),
    ]


def claims(state: View) -> list[Clause]:
    """Return that the index of claims by role says what the claims say."""
    c, r = z3.Consts("c r", Name)
    by_role, stored = state.claims_by_role, state.claims
    indexed = z3.And(by_role.has(r), by_role.at(r).has(c))
    held = z3.And(stored.has(c), stored.at(c).role() == r)
    return [("claims are indexed by role", z3.ForAll([c, r], indexed == held))]


def counting() -> list[Clause]:
    """Return that a set that counts more than none has a member: some member, by name."""
    some = z3.Const("some", z3.ArraySort(Name, z3.BoolSort()))
    member = z3.Function("member of", some.sort(), Name)
    has_one = z3.Implies(CARD(some) > 0, z3.Select(some, member(some)))
    return [(COUNTING, z3.ForAll([some], has_one, patterns=[CARD(some)]))]


def closure_rounds(env: dict[str, typing.Any], _done: typing.Any) -> list[Clause]:
    """The outer loop: what is seen and not waiting has its parents seen."""
    return [*_seen(env), ("expanded", _expanded(env, besides=None))]


def closure_parents(env: dict[str, typing.Any], done: typing.Any) -> list[Clause]:
    """The inner loop: so it is but for the node at hand, of which the parents done are seen."""
    parent = drawn(done)
    is_seen = z3.Implies(parent.guard, contains(env["seen"], parent.value))
    return [
        *_seen(env),
        ("at hand", contains(env["seen"], env["node"])),
        ("done", z3.ForAll(list(parent.binders), is_seen)),
        ("expanded", _expanded(env, besides=env["node"].expr)),
    ]


def descendant_rounds(env: dict[str, typing.Any], done: typing.Any) -> list[Clause]:
    """The outer loop: what is found and not waiting has what is inside it found."""
    return closure_rounds(_downward(env), done)


def descendant_inside(env: dict[str, typing.Any], done: typing.Any) -> list[Clause]:
    """The inner loop: so it is but for the resource at hand."""
    return closure_parents(_downward(env), done)


def _downward(env: dict[str, typing.Any]) -> dict[str, typing.Any]:
    """Return the variables of `descendants` under the names of `closure`."""
    inside = View(env["state"]).resources_in_parent.value
    names = {"seen": "found", "start": "roots", "work": "work", "node": "resource"}
    return {"down": inside} | {new: env[old] for new, old in names.items() if old in env}


def _seen(env: dict[str, typing.Any]) -> list[Clause]:
    x = z3.Const("x", Name)
    seen = contains(env["seen"], Term(x, str))
    subsets = [
        (f"{name} within seen", z3.ForAll([x], z3.Implies(contains(env[name], Term(x, str)), seen)))
        for name in ("start", "work")
    ]
    # What is inside a resource is indexed only where there is something: not every one is a node.
    node = env["parents"].has(x) if "parents" in env else z3.BoolVal(True)
    nodes = z3.ForAll([x], z3.Implies(seen, z3.And(node, CLOSED(x))))
    return [*subsets, ("seen are nodes of every closed set", nodes)]


def _expanded(env: dict[str, typing.Any], *, besides: z3.ExprRef | None) -> z3.BoolRef:
    x, y = z3.Consts("x y", Name)
    low, high = Term(x, str), Term(y, str)
    settled = z3.And(contains(env["seen"], low), z3.Not(contains(env["work"], low)))
    if besides is not None:
        settled = z3.And(settled, x != besides)
    follows = z3.And(settled, edge(env.get("parents") or env["down"], x, y))
    return z3.ForAll([x, y], z3.Implies(follows, contains(env["seen"], high)))


INVARIANTS: typing.Final[dict[tuple[str, int], Invariant]] = {
    ("grantproof.core.hierarchy.closure", 0): closure_rounds,
    ("grantproof.core.hierarchy.closure", 1): closure_parents,
    ("grantproof.core.matching.descendants", 0): descendant_rounds,
    ("grantproof.core.matching.descendants", 1): descendant_inside,
}
