"""The decision: allowed exactly when DESIGN's rule says so. P-SOUND, P-COMPLETE, P-DENY-DEFAULT."""

import z3

from grantproof.core import matching, policy
from grantproof.core.constraints import Situation
from grantproof.core.matching import Target
from specs.definitions.constraints import all_hold, holds, observe
from specs.definitions.duty import active_roles, any_breached
from specs.definitions.matching import claim_matches
from specs.definitions.registry import defines, describes
from specs.kernel.expressions import isinstance_of
from specs.kernel.membership import contains, drawn, same
from specs.kernel.shapes import argument, located
from specs.kernel.values import (
    TRUE,
    Bag,
    Clause,
    Drawn,
    Facts,
    Made,
    Symbolic,
    Term,
    exists,
    forall,
    fresh,
    guarded,
)
from specs.kernel.view import View, literal


def known_target(state: Symbolic, request: Symbolic) -> Symbolic:
    """Return the resolved resource as a symbol: nothing, or a target."""
    at = (View(state)(), View(request)())
    return located("=resolve", at, Target | None)


def principal_exists(
    state: Symbolic, request: Symbolic, _context: Symbolic, _target: Symbolic
) -> list[Clause]:
    """Return what a caller of `situate` owes."""
    there = View(state).principals.has(View(request).principal())
    return [("the principal exists", there)]


@defines(matching.situate, "P-SOUND", requires=principal_exists)
def situate(state: Symbolic, request: Symbolic, context: Symbolic, target: Symbolic) -> Symbolic:
    """The context, who asks, and what is stored of both ends."""
    s, r = View(state), View(request)
    stored = s.principals.at(r.principal()).attributes
    return Made(
        Situation,
        {
            "context": context,
            "principal": r.principal.value,
            "principal_attributes": stored.value,
            "resource_attributes": View(target).attributes.value,
        },
    )


@defines(policy.matching_claims, "P-COMPLETE")
def matching_claims(
    state: Symbolic, active: Symbolic, action: Symbolic, target: Symbolic
) -> Symbolic:
    """Every stored claim of an active role that matches."""
    s = View(state)

    def draw() -> Drawn:
        name = fresh(str, "claim")
        stored = s.claims.at(name)
        speaks = View(claim_matches(stored.value, action, target))()
        held = contains(active, stored.role.value)
        return Drawn((name,), z3.And(s.claims.has(name), held, speaks), stored.value)

    return Bag(draw)


def granted(state: Symbolic, request: Symbolic, context: Symbolic) -> z3.BoolRef:
    """Return DESIGN's rule 3: everything is known, active and lawful, and some claim grants."""
    s, r = View(state), View(request)
    target = View(known_target(state, request))
    active = active_roles(state, request, View(context).instant.value)
    matching_one = View(matching_claims(state, active, r.action.value, target.value_when_there))
    claim = matching_one.any_of()
    situation = situate(state, request, context, target.value_when_there)
    holding = View(all_hold(View(claim.value).constraints.value, situation))()
    principal = r.principal()
    return z3.And(
        s.principals.has(principal),
        s.principals.at(principal).active(),
        target.there,
        z3.Not(any_breached(state, active, Term(literal("dynamic"), str))),
        z3.Exists(list(claim.binders), z3.And(claim.guard, holding)),
    )


def reason_is(result: Symbolic, reason: type) -> z3.BoolRef:
    """Return whether the result is a deny for the reason."""
    found = []
    for guard, item in guarded(result):
        if isinstance(item, Made) and item.kind is policy.Deny:
            found.append(z3.And(guard, isinstance_of(Facts(), item.fields["reason"], (reason,))))
    return z3.Or(found)


def told_active(result: Symbolic, active: Symbolic) -> z3.BoolRef:
    """Return that of a clash only active roles are told."""
    found = []
    for guard, item in guarded(result):
        reason = item.fields.get("reason") if isinstance(item, Made) else None
        if isinstance(reason, Made) and reason.kind is policy.SessionClash:
            told = drawn(reason.fields["roles"])
            found.append(z3.Implies(guard, forall(told, contains(active, told.value))))
    return z3.And(found)


@defines(policy.failing, "P-DENY-DEFAULT")
def failing(claim: Symbolic, situation: Symbolic) -> Symbolic:
    """Those of the claim's constraints that do not hold."""

    def draw() -> Drawn:
        one = View(claim).constraints.any_of()
        fails = z3.Not(View(holds(one.value, situation))())
        return Drawn(one.binders, z3.And(one.guard, fails), one.value)

    return Bag(draw)


def some_match(matching: Symbolic, _situation: Symbolic) -> list[Clause]:
    """Return what a caller of `nearest_failure` owes."""
    return [("some claim matches", exists(drawn(matching), TRUE))]


def some_failure(_matching: Symbolic, _situation: Symbolic) -> Symbolic:
    """Return, for callers, any reason of its kind: which claim came nearest decides nothing."""
    return argument("nearest", policy.ConstraintFailed)


@describes(policy.nearest_failure, "P-DENY-DEFAULT", summary=some_failure, requires=some_match)
def nearest_failure(result: Symbolic, matching: Symbolic, situation: Symbolic) -> z3.BoolRef:
    """One of the claims, and what each of its constraints saw that does not hold."""
    told, claim = View(result), drawn(matching)

    def draw() -> Drawn:
        one = drawn(failing(claim.value, situation))
        return Drawn(one.binders, one.guard, observe(one.value, situation))

    named = told.claim() == View(claim.value).field("id")()
    return exists(claim, z3.And(named, same(told.failures.value, Bag(draw))))


@describes(policy.evaluate, "P-SOUND")
def evaluate(result: Symbolic, state: Symbolic, request: Symbolic, context: Symbolic) -> z3.BoolRef:
    """Allow exactly when granted; else the first reason that applies, in the order of the rule."""
    there = View(state)
    some = there.value_when_there
    s, r = View(some), View(request)
    allowed = isinstance_of(Facts(), result, (policy.Allow,))
    principal, target = r.principal(), View(known_target(some, request))
    active = active_roles(some, request, View(context).instant.value)
    clash = any_breached(some, active, Term(literal("dynamic"), str))
    member = fresh(str, "role")
    roleless = z3.Not(z3.Exists([member], contains(active, Term(member, str))))
    match = View(matching_claims(some, active, r.action.value, target.value_when_there)).any_of()
    unmatched = z3.Not(z3.Exists(list(match.binders), match.guard))
    first = [
        (z3.Not(there.there), policy.UnknownOrganization),
        (z3.Not(s.principals.has(principal)), policy.UnknownPrincipal),
        (z3.Not(s.principals.at(principal).active()), policy.Suspended),
        (z3.Not(target.there), policy.UnknownResource),
        (clash, policy.SessionClash),
        (roleless, policy.NoRole),
        (unmatched, policy.NoMatchingClaim),
        (z3.Not(granted(some, request, context)), policy.ConstraintFailed),
    ]
    reasons, earlier = [], z3.BoolVal(False)
    for applies, reason in first:
        reasons.append(reason_is(result, reason) == z3.And(z3.Not(earlier), applies))
        earlier = z3.Or(earlier, applies)
    truly = allowed == z3.And(there.there, granted(some, request, context))
    return z3.And(truly, *reasons, told_active(result, active))
