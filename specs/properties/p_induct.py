"""P-INDUCT: removing what is listed, in its order, removes exactly that, however much it is.

What the list has is arbitrary, but for what a deletion makes sure of: each fact is there, once, and
a node goes after its edges. Facts of one class and name that are there are one fact, so each name
has a place in the list.
"""

import typing
from dataclasses import replace
from functools import partial
from types import FunctionType

import z3

from grantproof.core import model as m
from grantproof.core import organization
from grantproof.core.commands.delta import ORDER as RANKS
from grantproof.core.organization import Organization
from specs.definitions.deletions import Keys, Listing, Named, is_one
from specs.definitions.facts import FACETS, frame
from specs.definitions.hierarchy import edge
from specs.definitions.indexes import indexes
from specs.kernel.interpreter import Interpreter
from specs.kernel.loops import Invariant
from specs.kernel.membership import same
from specs.kernel.proof import Theorem
from specs.kernel.shapes import argument, forget_typing, typing_axioms
from specs.kernel.sorts import Name, tag_is
from specs.kernel.source import Source
from specs.kernel.values import Clause, Items, Made, Seq, Symbolic, Term
from specs.kernel.view import View
from specs.obligations import interpreter
from specs.properties.registry import LEMMAS, Statement

CHANGED = "grantproof.core.organization.changed"
changed = typing.cast(FunctionType, organization.changed)
Places = typing.Callable[[type, Keys], z3.ArithRef]


def can_be_removed(state: Symbolic, gone: Named) -> list[Clause]:
    """Return what must be so: what goes is there, a node with its edges, a kind with its things."""
    s, clauses = View(state), indexes(state)
    x, y = z3.Consts("x y", Name)
    for cls, facet in FACETS.items():
        keys = [z3.FreshConst(Name, key) for key in facet.keys]
        there = z3.Implies(gone(cls, keys), facet.there(s, *keys))
        clause = z3.ForAll(keys, there) if keys else there
        clauses.append((f"{cls.__name__} facts to remove are there", clause))
    for node, link, name in ((m.Role, m.Inheritance, "roles"), (m.Group, m.Nesting, "groups")):
        linked = edge(s.field(name).parents.value, x, y)
        ends = z3.Or(gone(node, [x]), gone(node, [y]))
        follows = z3.Implies(z3.And(linked, ends), gone(link, [x, y]))
        clauses.append((f"edges of {name} go with their ends", z3.ForAll([x, y], follows)))
    of_kind = z3.And(s.resources.has(x), s.resources.at(x).field("kind")() == y)
    follows = z3.Implies(z3.And(of_kind, gone(m.KindDeclaration, [y])), gone(m.Resource, [x]))
    clauses.append(("resources go with their kind", z3.ForAll([x, y], follows)))
    return clauses


def without(before: Symbolic, after: Symbolic, gone: Named) -> list[Clause]:
    """Return that after is there what was there and does not go, as it was."""
    clauses = []
    for cls, facet in FACETS.items():
        keys = [z3.FreshConst(Name, key) for key in facet.keys]
        there, then = (facet.there(View(state), *keys) for state in (before, after))
        left = then == z3.And(there, z3.Not(gone(cls, keys)))
        if facet.value is not None:
            one, other = (facet.value(View(state), *keys).value for state in (before, after))
            left = z3.And(left, z3.Implies(then, same(one, other)))
        clauses.append((f"{cls.__name__} facts", z3.ForAll(keys, left) if keys else left))
    return [*clauses, *frame(before, after), *indexes(after)]


def rank(fact: z3.ExprRef) -> z3.ArithRef:
    """Return the place of the fact's class in the order of the source."""
    number = z3.IntVal(-1)
    for cls, place in RANKS.items():
        number = z3.If(tag_is(fact, cls), z3.IntVal(place), number)
    return number


def listed(state: Symbolic, gone: Named, facts: Seq, *, place: Places) -> list[Clause]:
    """Return that the list has what goes, each at its place, and nodes after their edges."""
    i, j = z3.Ints("i j")
    one, other = (typing.cast(Term, facts.at(at)) for at in (i, j))
    inside = z3.And(i >= 0, i < facts.length)
    later = z3.And(inside, i < j, j < facts.length)
    ordered = z3.Implies(later, rank(one.expr) >= rank(other.expr))
    clauses = [
        ("nothing else is listed", z3.ForAll([i], z3.Implies(inside, is_one(state, one, gone)))),
        ("edges come before their nodes", z3.ForAll([i, j], ordered)),
    ]
    for cls, facet in FACETS.items():
        keys = [z3.FreshConst(Name, key) for key in facet.keys]
        at = place(cls, keys)
        found = View(facts.at(at)).when(cls)
        alike = [found.field(field)() == key for field, key in zip(facet.keys, keys, strict=True)]
        there = z3.And(at >= 0, at < facts.length, tag_is(found(), cls), *alike)
        clause = z3.Implies(gone(cls, keys), there)
        has = (f"{cls.__name__} facts are listed", z3.ForAll(keys, clause) if keys else clause)
        own = [View(one).when(cls).field(field)() for field in facet.keys]
        of_class = z3.And(inside, tag_is(one.expr, cls))
        once = z3.ForAll([i], z3.Implies(of_class, place(cls, own) == i))
        clauses += [has, (f"{cls.__name__} facts are listed once", once)]
    return clauses


def any_names(cls: type, keys: Keys) -> z3.BoolRef:
    """Return whether a name is among arbitrary ones."""
    return z3.Function(f"gone {cls.__name__}", *(Name for _ in keys), z3.BoolSort())(*keys)


def any_place(cls: type, keys: Keys) -> z3.ArithRef:
    """Return the place that a name has in the list."""
    return z3.Function(f"place {cls.__name__}", *(Name for _ in keys), z3.IntSort())(*keys)


def so_far(state: Symbolic, env: dict[str, typing.Any], done: typing.Any) -> list[Clause]:
    """The loop that removes: gone is what stands before the place at hand."""

    def gone(cls: type, keys: Keys) -> z3.BoolRef:
        return z3.And(any_names(cls, keys), any_place(cls, keys) < done.length)

    return without(state, env["state"], gone)


def removing(source: Source) -> Theorem:
    """Return that the source of `changed` removes exactly what is listed."""
    forget_typing()
    name = "properties.p_induct.removing"
    state = argument("state", Organization)
    change = View(argument("change", m.Delta))
    facts = typing.cast(Seq, change.removed.value)
    loop: dict[tuple[str, int], Invariant] = {(CHANGED, 0): partial(so_far, state)}
    running = interpreter(source)
    running.invariants = running.invariants | loop
    made = Made(m.Delta, {"removed": facts, "added": Items(())})
    (path,) = running.paths(changed, [state, made])
    left = typing.cast(Symbolic, path.returned)
    goals = (*running.facts.owed, *without(state, left, any_names))
    known = [
        *can_be_removed(state, any_names),
        *listed(state, any_names, facts, place=any_place),
        ("a list has a length", facts.length >= 0),
    ]
    hypotheses = (*known, *running.facts.axioms(), *typing_axioms())
    names = tuple(running.facts.names.values())
    theorem = Theorem("P-INDUCT", name, hypotheses, goals, names)
    scene = [("one fact is listed", facts.length == 1), *only(state, m.Group)]
    return replace(theorem, scene=tuple(scene))


def only(state: Symbolic, *kept: type) -> list[Clause]:
    """Return that there are no facts but of the classes: the plainest world with one to remove."""
    clauses = []
    for cls, facet in FACETS.items():
        keys = [z3.FreshConst(Name, key) for key in facet.keys]
        absent = z3.Not(facet.there(View(state), *keys))
        if cls not in kept:
            clauses.append((f"no {cls.__name__}", z3.ForAll(keys, absent) if keys else absent))
    return clauses


def left_by(running: Interpreter, when: z3.BoolRef, *given: typing.Any) -> Symbolic:
    """Return what `changed` gives: of a listing what is proved here, else what its source does."""
    state, change = given
    removed = change.fields["removed"] if isinstance(change, Made) else None
    if not isinstance(removed, Listing):
        return typing.cast(Symbolic, running.run(changed, [state, change], when))
    for name, goal in can_be_removed(state, removed.gone):
        running.facts.owed.append((name, z3.Implies(when, goal)))
    after = argument("what is left", Organization)
    for name, fact in without(state, after, removed.gone):
        running.facts.assumed.append((name, z3.Implies(when, fact)))
    return after


LEMMAS["properties.p_induct.removing"] = Statement("P-INDUCT", removing)
