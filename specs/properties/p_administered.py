"""P-INDUCT, last-administrator-kept: an organization that has an administrator is left one.

`apply` looks again whenever a command removes something. One that removes nothing leaves every fact
as it was, and with more facts whoever administers the organization still does.
"""

import typing
from functools import partial
from types import FunctionType

import z3

from grantproof.core import administration
from grantproof.core import model as m
from grantproof.core.organization import Organization
from specs.definitions.facts import FACETS, is_named, kept_but, present
from specs.definitions.hierarchy import least, preorder, reaches
from specs.definitions.holders import down
from specs.definitions.indexes import indexes
from specs.definitions.references import references
from specs.kernel.membership import same
from specs.kernel.proof import Theorem
from specs.kernel.shapes import argument, forget_typing, typing_axioms
from specs.kernel.sorts import Name
from specs.kernel.source import Source
from specs.kernel.values import Clause, Symbolic, Term
from specs.kernel.view import View
from specs.obligations import interpreter
from specs.properties.registry import LEMMAS, Stated, Statement, some, states

NAME = "grantproof.core.administration.has_administrator"


def all_kept(before: Symbolic, after: Symbolic) -> list[Clause]:
    """Return that every fact before is a fact after, as it was."""
    clauses = []
    for cls, facet in FACETS.items():
        keys = [z3.FreshConst(Name, key) for key in facet.keys]
        there, then = (facet.there(View(state), *keys) for state in (before, after))
        if facet.value is not None:
            one, other = (facet.value(View(state), *keys).value for state in (before, after))
            then = z3.And(then, same(one, other))
        kept = z3.Implies(there, then)
        clauses.append((f"{cls.__name__} facts stay", z3.ForAll(keys, kept) if keys else kept))
    return clauses


@states("P-INDUCT")
def adding_keeps_all() -> Stated:
    """Where a new fact is added and every other stays, everything that was there stays."""
    before, after = some(Organization, "before").value, some(Organization, "after").value
    fact = argument("fact", m.Fact)
    new = ("the fact is new", z3.Not(present(before, fact)))
    others = kept_but(before, after, lambda cls, keys: is_named(fact, cls, keys))
    return [new, *others], all_kept(before, after)


def more_is_no_less(source: Source) -> Theorem:
    """Return that with more facts there is an administrator if there was one."""
    forget_typing()
    running = interpreter(source)
    del running.contracts[NAME]
    states_ = [argument(name, Organization) for name in ("before", "after")]
    known = all_kept(*states_)
    known.append(("it is the same organization", View(states_[0]).id() == View(states_[1]).id()))
    for state in states_:
        s = View(state)
        known += [*indexes(state), *references(state)]
        for name in ("roles", "groups"):
            known += [*down(s.field(name), name), *preorder(s.field(name).parents.value)]
    for name in ("roles", "groups"):
        for way in ("parents", "children"):
            few, many = (View(state).field(name).field(way).value for state in states_)
            known.append(least(few, partial(reaches, many)))
    production = typing.cast(FunctionType, administration.has_administrator)
    was, still = (running.run(production, [state], z3.BoolVal(True)) for state in states_)
    goal = z3.Implies(typing.cast(Term, was).expr, typing.cast(Term, still).expr)
    hypotheses = (*known, *running.facts.axioms(), *typing_axioms())
    goals = (*running.facts.owed, ("there still is one", goal))
    names = tuple(running.facts.names.values())
    return Theorem(
        "P-INDUCT", "properties.p_administered.more_is_no_less", hypotheses, goals, names
    )


LEMMAS["properties.p_administered.more_is_no_less"] = Statement("P-INDUCT", more_is_no_less)
