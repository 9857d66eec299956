"""P-SOD-SAFE: after an accepted command nobody holds too much of a static set, at any instant.

Of one principal, set and instant, any of them. Who is affected was checked at every start, which is
every instant; who is not gains no role that counts. Each of these is a theorem of its own, whose
conclusion is supposed here.
"""

import typing
from types import FunctionType

import z3

from grantproof.core.commands.refusal import gaining
from grantproof.core.identifiers import PrincipalId
from grantproof.core.model import SodSet
from specs.definitions.duty import breached_at_some_start, exceeds
from specs.definitions.hierarchy import effective_roles
from specs.definitions.world import SOD_LEAST, counting
from specs.kernel.membership import card, combined, contains
from specs.kernel.shapes import argument
from specs.kernel.sorts import Name, Object
from specs.kernel.values import Clause, Symbolic, Term, fresh_set
from specs.kernel.view import View, literal
from specs.properties.commands import About, Change, about_commands
from specs.properties.p_sod_exact import SET_AND_ROLE, Who, gains_nothing
from specs.properties.p_sod_refused import exactly
from specs.properties.registry import Stated, some, states

TOO_MANY = {
    when: z3.Function(f"too many held {when}", Object, z3.BoolSort())
    for when in ("before", "after")
}
"""Whether the principal exceeds a set at the instant, before the command and after it."""


def within(sod_set: View, few: Symbolic, many: Symbolic) -> z3.BoolRef:
    """Return that who has of the set's roles the few has the many."""
    role = z3.FreshConst(Name, "role")
    member = Term(role, str)
    held = z3.And(sod_set.roles.has(role), contains(few, member))
    return z3.ForAll([role], z3.Implies(held, contains(many, member)))


def none_of(sod_set: View, held: Symbolic) -> z3.BoolRef:
    """Return that no role of the set is held."""
    role = z3.FreshConst(Name, "role")
    both = z3.And(sod_set.roles.has(role), contains(held, Term(role, str)))
    return z3.ForAll([role], z3.Not(both))


@states("P-SOD-SAFE")
def only_its_roles_count() -> Stated:
    """Who exceeds a set exceeds it with no fewer of its roles, and with none nobody does."""
    sod_set = some(SodSet, "sod_set")
    few, many = fresh_set(str, "few"), fresh_set(str, "many")
    smaller = within(sod_set, few, many)
    counts = [card(combined(sod_set.roles.value, held, z3.And)) for held in (few, many)]
    known = [
        ("a set forbids 2 or more", sod_set.n() >= SOD_LEAST),
        ("a count grows with its set", z3.Implies(smaller, counts[0] <= counts[1])),
        *counting(),
    ]
    by_few, by_many = (View(exceeds(sod_set.value, held))() for held in (few, many))
    return known, [
        ("no fewer exceed too", z3.Implies(z3.And(smaller, by_few), by_many)),
        ("none never", z3.Implies(none_of(sod_set, few), z3.Not(by_few))),
    ]


def stays_safe(command: type, change: Change) -> list[Clause]:
    """Return that the principal does not exceed the set after, if it did not before."""
    principal, now = argument("principal", PrincipalId), argument("instant", int)
    name = z3.Const("this set", Name)
    held = {
        when: effective_roles(state, principal, now)
        for when, state in (("before", change.state), ("after", change.after))
    }
    exceeded = {
        when: is_exceeded(state, name, when)
        for when, state in (("before", change.state), ("after", change.after))
    }
    affected = change.running.invoke(
        typing.cast(FunctionType, gaining), [change.state, change.command], change.accepted
    )
    gained = gains_nothing(command, change, Who(affected, principal, now))
    checked = z3.Not(breached_at_some_start(change.after, principal))
    stored = View(change.after).sod_sets.at(name)
    counts = {when: too_many(stored()) for when, too_many in TOO_MANY.items()}
    fewer = within(stored, held["after"], held["before"])
    proved = [
        *((told, z3.ForAll(list(SET_AND_ROLE), goal)) for told, goal in gained),
        exactly(change, affected),
        ("checked at starts, safe ever", z3.Implies(checked, z3.Not(exceeded["after"]))),
        ("no fewer", z3.Implies(z3.And(fewer, counts["after"]), counts["before"])),
        ("none", z3.Implies(none_of(stored, held["after"]), z3.Not(counts["after"]))),
    ]
    facts = [(told, z3.Implies(change.accepted, fact)) for told, fact in proved]
    change.known += [*facts, ("safe before", z3.Not(exceeded["before"]))]
    change.more = True
    return [("safe after", z3.Not(exceeded["after"]))]


def is_exceeded(state: Symbolic, name: z3.ExprRef, when: str) -> z3.BoolRef:
    """Return whether there is a static set of the name of which too many are held."""
    stored = View(state).sod_sets
    static = stored.at(name).mode() == literal("static")
    return z3.And(stored.has(name), static, TOO_MANY[when](stored.at(name)()))


about_commands(About("P-SOD-SAFE", stays_safe))
