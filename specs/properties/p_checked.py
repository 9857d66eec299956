"""P-INDUCT: what `invariants.valid` checks of references is what is proved to be kept.

The source of a check yields something exactly where a clause that the proofs keep does not hold.
"""

import typing
from types import FunctionType

import z3

from grantproof.core import invariants
from grantproof.core.organization import Organization
from specs.definitions import references
from specs.definitions.indexes import indexes
from specs.kernel.membership import is_empty
from specs.kernel.proof import Theorem
from specs.kernel.shapes import argument, forget_typing, typing_axioms
from specs.kernel.source import Source
from specs.kernel.values import Clause, Symbolic
from specs.kernel.view import View
from specs.obligations import interpreter
from specs.properties.p_ref import ends
from specs.properties.registry import LEMMAS, Statement

NAME: typing.Final = "properties.p_checked.references"


def kept(state: Symbolic) -> dict[str, list[Clause]]:
    """Return, by the name under which `valid` reports it, what is proved to be kept."""
    s = View(state)
    memberships, *assignments = references.pairs(s)
    parents, containers = ends(state)
    return {
        "assignment-refers": assignments,
        "membership-refers": [memberships, containers],
        "parent-refers": [parents],
        "claim-refers": references.claims(s),
        "resource-parent-refers": references.resources(s),
        "set-refers": references.sets(s),
        "guardrail-refers": references.guardrails(s),
    }


def checked(source: Source) -> Theorem:
    """Return that each check finds nothing exactly where its clauses hold."""
    forget_typing()
    running, state = interpreter(source), argument("state", Organization)
    goals = []
    for name, clauses in kept(state).items():
        check = typing.cast(FunctionType, invariants.STRUCTURE[name])
        found = running.run(check, [state], z3.BoolVal(True))
        holds = z3.And([clause for _, clause in clauses])
        goals.append((name, is_empty(found) == holds))
    facts = running.facts
    known = (*indexes(state), *facts.axioms(), *typing_axioms())
    every = (*facts.owed, *goals)
    return Theorem("P-INDUCT", NAME, known, every, tuple(facts.names.values()))


LEMMAS[NAME] = Statement("P-INDUCT", checked)
