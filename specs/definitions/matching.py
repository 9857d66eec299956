"""Which claims speak about a request. DESIGN's rule of matching, said once more."""

import z3

from grantproof.core import matching
from grantproof.core.model import ADMINISTRATIVE_ACTIONS, Any, Exactly, OfKind, Within
from specs.definitions.registry import defines
from specs.kernel.sorts import tag_is
from specs.kernel.values import Symbolic, truth
from specs.kernel.view import View, literal


@defines(matching.action_matches, "P-SOUND")
def action_matches(pattern: Symbolic, action: Symbolic) -> Symbolic:
    """The action that is named; `Any` matches all that are not administrative."""
    p, a = View(pattern), View(action)()
    administrative = z3.Or([a == literal(name) for name in sorted(ADMINISTRATIVE_ACTIONS)])
    named = z3.And(tag_is(p(), Exactly), p.when(Exactly).field("value")() == a)
    return truth(z3.Or(named, z3.And(tag_is(p(), Any), z3.Not(administrative))))


@defines(matching.resource_matches, "P-SOUND")
def resource_matches(pattern: Symbolic, target: Symbolic) -> Symbolic:
    """The registered resource that is named, one inside it, one of the kind, or any."""
    p, t = View(pattern), View(target)
    exactly = p.when(Exactly).field("value")()
    within = p.when(Within).field("value")()
    return truth(
        z3.Or(
            z3.And(tag_is(p(), Exactly), exactly == t.resource(), t.lineage.has(exactly)),
            z3.And(tag_is(p(), Within), t.lineage.has(within)),
            z3.And(tag_is(p(), OfKind), p.when(OfKind).field("kind")() == t.field("kind")()),
            tag_is(p(), Any),
        )
    )


@defines(matching.claim_matches, "P-SOUND")
def claim_matches(claim: Symbolic, action: Symbolic, target: Symbolic) -> Symbolic:
    """Both patterns match."""
    c = View(claim)
    speaks = action_matches(c.action.value, action), resource_matches(c.resource.value, target)
    return truth(z3.And([View(one)() for one in speaks]))
