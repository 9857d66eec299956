"""What the checker accepts implies the rule. P-CERT.

The lemma on paths is an induction on their length: its base and its step are obligations of their
own, its conclusion a hypothesis here.
"""

import typing

import z3

from grantproof.core import certificate
from grantproof.core.constraints import Observation
from specs.definitions import duty
from specs.definitions.constraints import holds
from specs.definitions.hierarchy import edge, reaches
from specs.definitions.policy import granted, known_target, situate
from specs.definitions.registry import describes
from specs.definitions.unfolding import unfolded, unfoldings
from specs.kernel.membership import same
from specs.kernel.shapes import located
from specs.kernel.sorts import Name
from specs.kernel.values import Clause, Seq, Symbolic, coerce
from specs.kernel.view import View


def follows(path: Seq, parents: Symbolic) -> z3.BoolRef:
    """Return that each step of the path is an edge."""
    i = z3.FreshInt("i")
    low, high = (coerce(path.at(at), Name) for at in (i, i + 1))
    step = z3.Implies(z3.And(i >= 0, i + 1 < path.length), edge(parents, low, high))
    return z3.ForAll([i], step)


def path_lemma(path: Seq, parents: Symbolic) -> z3.BoolRef:
    """Return that on a path that follows edges each place reaches every later one."""
    i, j = z3.FreshInt("i"), z3.FreshInt("j")
    low, high = (coerce(path.at(at), Name) for at in (i, j))
    ordered = z3.And(i >= 0, i <= j, j < path.length)
    reached = z3.ForAll([i, j], z3.Implies(ordered, reaches(parents, low, high)))
    return z3.Implies(follows(path, parents), reached)


def lemmas(state: Symbolic, request: Symbolic, context: Symbolic, shown: Symbolic) -> list[Clause]:
    """Return what the proof of the checker uses besides its own text."""
    s, c = View(state), View(shown)
    roles, groups = c.roles.value, c.groups.value
    return [
        ("roles", path_lemma(roles, s.roles.parents.value)),
        ("groups", path_lemma(groups, s.groups.parents.value)),
        ("lengths", z3.And(roles.length >= 0, groups.length >= 0)),
        *unfoldings(state, View(request).principal.value, View(context).instant.value),
        ("session", unfolded(duty.active_roles, state, request, View(context).instant.value)),
        ("observed", every_constraint_observed(state, request, context, shown)),
    ]


def every_constraint_observed(
    state: Symbolic, request: Symbolic, context: Symbolic, shown: Symbolic
) -> z3.BoolRef:
    """Return what `observe` promises: one observation a constraint, held exactly when it holds."""
    target = View(known_target(state, request)).value_when_there
    situation = situate(state, request, context, target)
    claim = View(shown).claim
    observations, constraints = observed(claim.value, situation), claim.constraints.value
    i = z3.FreshInt("i")
    constraint = constraints.at(i)
    held = View(observations.at(i)).held() == View(holds(constraint, situation))()
    inside = z3.And(i >= 0, i < constraints.length)
    return z3.And(
        observations.length == constraints.length,
        constraints.length >= 0,
        z3.ForAll([i], z3.Implies(inside, held)),
    )


def observed(claim: Symbolic, situation: Symbolic) -> Seq:
    """Return the observations of a claim's constraints as a symbol of the claim and the request."""
    s = View(situation)
    at = (View(claim)(), s.context(), s.principal())
    return typing.cast(Seq, located("=observe_all", at, tuple[Observation, ...]))


def resource_path(claim: Symbolic, target: Symbolic) -> Symbolic:
    """Return the path to the named resource as a symbol: it plays no part in the decision."""
    return located("=resource_path", (View(claim)(), View(target)()), tuple[str, ...])


@describes(certificate.check, "P-CERT", requires=lemmas)
def check(
    result: Symbolic, state: Symbolic, request: Symbolic, context: Symbolic, shown: Symbolic
) -> z3.BoolRef:
    """What is accepted is granted by the rule, and speaks of this state and this resource."""
    s, c = View(state), View(shown)
    target = View(known_target(state, request)).value_when_there
    path = resource_path(c.claim.value, target)
    about_this = z3.And(
        c.organization() == s.id(),
        c.revision() == s.revision(),
        c.instant() == View(context).instant(),
        c.principal() == View(request).principal(),
        same(c.resources.value, path),
    )
    return z3.Implies(View(result)(), z3.And(granted(state, request, context), about_this))
