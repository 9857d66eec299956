"""Separation of duty: counts of effective roles, in any order. P-SOD-SYM, P-SOD-SAFE, P-DSD."""

from types import FunctionType
from typing import Final

import z3

from grantproof.core import duty, hierarchy
from grantproof.core.errors import BreaksSod, HeldRole
from grantproof.core.limits import INSTANT_MIN
from specs.definitions.hierarchy import (
    effective_roles,
    groups_of,
    image,
)
from specs.definitions.registry import defines, describes
from specs.kernel.expressions import constructed
from specs.kernel.membership import card, combined, contains, drawn, drawn_from_any
from specs.kernel.shapes import located
from specs.kernel.sorts import Name
from specs.kernel.values import NOTHING, Bag, Drawn, Symbolic, Term, cases, fresh, set_of, truth
from specs.kernel.view import View, literal

BREACH: Final[FunctionType] = vars(duty)["_breach"]


@defines(duty.exceeds, "P-SOD-SYM")
def exceeds(sod_set: Symbolic, roles: Symbolic) -> Symbolic:
    """Not fewer than `n` are in both; the sets have no order."""
    s = View(sod_set)
    both = combined(s.roles.value, roles, z3.And)
    return truth(z3.Not(card(both) < s.n()))


@defines(duty.active_roles, "P-DSD", opaque=True)
def active_roles(state: Symbolic, request: Symbolic, instant: Symbolic) -> Symbolic:
    """All effective roles; in a session, what is reached from those chosen that are effective."""
    chosen = View(request).active_roles
    effective = effective_roles(state, View(request).principal.value, instant)
    lawful = combined(chosen.value_when_there, effective, z3.And)
    session = image(lawful, View(state).roles.parents.value)

    def has(role: z3.ExprRef) -> z3.BoolRef:
        member = Term(role, str)
        return z3.If(chosen.there, contains(session, member), contains(effective, member))

    return set_of(str, has)


@defines(duty.sets_naming, "P-SOD-SYM")
def sets_naming(state: Symbolic, roles: Symbolic) -> Symbolic:
    """Every stored set that has one of the roles."""
    s = View(state)

    def draw() -> Drawn:
        name, role = fresh(str, "set"), fresh(str, "role")
        stored = s.sod_sets.at(name)
        named = z3.And(
            s.sod_sets.has(name), stored.roles.has(role), contains(roles, Term(role, str))
        )
        return Drawn((name, role), named, stored.value)

    return Bag(draw)


def any_breached(state: Symbolic, roles: Symbolic, mode: Symbolic) -> z3.BoolRef:
    """Return whether a stored set of the mode is exceeded: as a symbol, if `roles` has a place."""
    if isinstance(roles, Bag) and roles.place:
        at = (*roles.at, View(state)(), View(mode)())
        sorts = [term.sort() for term in at]
        return z3.Function(f"breached {roles.place}", *sorts, z3.BoolSort())(*at)
    return unfolded_breach(state, roles, mode)


def unfolded_breach(state: Symbolic, roles: Symbolic, mode: Symbolic) -> z3.BoolRef:
    """Return that some stored set of the mode is exceeded by the roles, spelled out."""
    s, name = View(state), fresh(str, "set")
    stored = s.sod_sets.at(name)
    of_mode = stored.mode() == View(mode)()
    exceeded = View(exceeds(stored.value, roles))()
    return z3.Exists([name], z3.And(s.sod_sets.has(name), of_mode, exceeded))


def some_breached(state: Symbolic, roles: Symbolic, mode: Symbolic) -> Symbolic:
    """Return, for callers, some set where one is breached, else nothing."""
    found = any_breached(state, roles, mode)
    name = z3.FreshConst(Name, "breached")
    return cases((found, View(state).sod_sets.at(name).value), (z3.Not(found), NOTHING))


@describes(duty.breached, "P-SOD-EXACT", summary=some_breached)
def breached(result: Symbolic, state: Symbolic, roles: Symbolic, mode: Symbolic) -> z3.BoolRef:
    """Nothing exactly when no stored set of the mode is exceeded."""
    return View(result).there == unfolded_breach(state, roles, mode)


def some_dynamic(state: Symbolic, active: Symbolic) -> Symbolic:
    """Return, for callers, some dynamic set that is breached, else nothing."""
    return some_breached(state, active, Term(literal("dynamic"), str))


@describes(duty.dynamic_clash, "P-DSD", summary=some_dynamic)
def dynamic_clash(result: Symbolic, state: Symbolic, active: Symbolic) -> z3.BoolRef:
    """Nothing exactly when no dynamic set is exceeded."""
    return View(result).there == any_breached(state, active, Term(literal("dynamic"), str))


@defines(hierarchy.validities, "P-SOD-SAFE")
def validities(state: Symbolic, principal: Symbolic) -> Symbolic:
    """Those of the principal's assignments and of the assignments of its groups."""
    s, p = View(state), View(principal)()
    groups = groups_of(state, principal)

    def direct() -> Drawn:
        role = fresh(str, "role")
        held = s.assignments.forward.at(p)
        return Drawn(
            (role,), z3.And(s.assignments.forward.has(p), held.has(role)), held.at(role).value
        )

    def through() -> Drawn:
        group, role = fresh(str, "group"), fresh(str, "role")
        held = s.group_assignments.forward.at(group)
        there = z3.And(
            contains(groups, Term(group, str)),
            s.group_assignments.forward.has(group),
            held.has(role),
        )
        return Drawn((group, role), there, held.at(role).value)

    return Bag(
        lambda: drawn_from_any([(z3.BoolVal(True), Bag(direct)), (z3.BoolVal(True), Bag(through))])
    )


@defines(duty.starts, "P-SOD-SAFE", opaque=True)
def starts(state: Symbolic, principal: Symbolic) -> Symbolic:
    """The start of each validity, the least instant for one without."""
    one = drawn(validities(state, principal))

    def has(instant: z3.ExprRef) -> z3.BoolRef:
        start = View(one.value).start
        begins = z3.If(start.there, start(), z3.IntVal(INSTANT_MIN))
        return z3.Exists(list(one.binders), z3.And(one.guard, instant == begins))

    return set_of(int, has)


def breached_at_some_start(state: Symbolic, principal: Symbolic) -> z3.BoolRef:
    """Return whether at some start a static set is exceeded by the effective roles."""
    instant = z3.FreshInt("instant")
    effective = effective_roles(state, principal, Term(instant, int))
    breach = any_breached(state, effective, Term(literal("static"), str))
    begins = contains(starts(state, principal), Term(instant, int))
    return z3.Exists([instant], z3.And(begins, breach))


def how_held(state: Symbolic, principal: Symbolic, role: Symbolic, instant: Symbolic) -> Symbolic:
    """Return the way in which a role is held, if it is, as a symbol: which one is tested."""
    at = tuple(View(one)() for one in (state, principal, role, instant))
    return located("=how_held", at, HeldRole | None)


@defines(BREACH, "P-SOD-EXACT")
def breach(state: Symbolic, principal: Symbolic, sod_set: Symbolic, instant: Symbolic) -> Symbolic:
    """The set, who breaks it and since when, and the way to each of its roles that is held."""
    broken, since = View(sod_set), View(instant)()
    always = since == INSTANT_MIN

    def draw() -> Drawn:
        role = fresh(str, "role")
        way = View(how_held(state, principal, Term(role, str), instant))
        return Drawn((role,), z3.And(broken.roles.has(role), way.there), way.value_when_there)

    told = {
        "sod_set": broken.field("id").value,
        "n": broken.n.value,
        "principal": principal,
        "instant": cases((always, NOTHING), (z3.Not(always), Term(since, int))),
        "held": Bag(draw),
    }
    return constructed(BreaksSod, told)


def some_static(state: Symbolic, principal: Symbolic) -> Symbolic:
    """Return, for callers, some breach where the principal breaks a static set, else nothing."""
    found = breached_at_some_start(state, principal)
    clash = located("=static_clash", (View(state)(), View(principal)()), BreaksSod)
    return cases((found, clash), (z3.Not(found), NOTHING))


@describes(duty.static_clash, "P-SOD-SAFE", summary=some_static)
def static_clash(result: Symbolic, state: Symbolic, principal: Symbolic) -> z3.BoolRef:
    """Nothing exactly when at no start a static set is exceeded by the effective roles."""
    return View(result).there == breached_at_some_start(state, principal)
