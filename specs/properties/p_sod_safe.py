"""P-SOD-SAFE: who breaks no static set when an assignment starts breaks none at any instant.

Finitely many assignments start, so there is a latest start before an instant, if there is any:
that is trusted. A count does not fall when a set grows: an instance for the two sets that matter.
Each theorem concludes what the next one supposes.
"""

from dataclasses import dataclass

import z3

from grantproof.core.identifiers import PrincipalId
from grantproof.core.limits import INSTANT_MIN
from grantproof.core.model import SodSet
from grantproof.core.organization import Organization
from specs.definitions.duty import (
    any_breached,
    breached_at_some_start,
    exceeds,
    starts,
    unfolded_breach,
)
from specs.definitions.hierarchy import assigned_roles, effective_roles, groups_of
from specs.definitions.unfolding import unfolded, unfolded_at
from specs.definitions.world import SOD_LEAST, counting
from specs.kernel.membership import card, combined, contains
from specs.kernel.sorts import Name
from specs.kernel.values import Clause, Symbolic, Term, fresh_set
from specs.kernel.view import View, literal
from specs.properties.registry import Stated, some, states


def within(one: Symbolic, other: Symbolic, *, name: str = "") -> Clause:
    """Return that every role of the one set is in the other."""
    role = z3.FreshConst(Name, "role")
    member = Term(role, str)
    return name, z3.ForAll([role], z3.Implies(contains(one, member), contains(other, member)))


def begin(validity: View) -> z3.ArithRef:
    """Return when a validity starts: at the least instant where it says nothing."""
    return z3.If(validity.start.there, validity.start(), INSTANT_MIN)


G, R = z3.Consts("g r", Name)


@dataclass(frozen=True)
class Held:
    """A way to hold the role R: over which of G and R it ranges, when it is one, and since when."""

    name: str
    binders: tuple[z3.ExprRef, ...]
    when: z3.BoolRef
    since: Term


def ways(state: View, principal: View) -> tuple[Held, Held]:
    """Return how an assignment of the principal, or of its groups, gives a role."""
    direct, through = state.assignments.forward, state.group_assignments.forward
    in_group = contains(groups_of(state.value, principal.value), Term(G, str))
    since = (begin(direct.at(principal()).at(R)), begin(through.at(G).at(R)))
    own = z3.And(direct.has(principal()), direct.at(principal()).has(R))
    given = z3.And(in_group, through.has(G), through.at(G).has(R))
    return (
        Held("a direct assignment starts at a start", (R,), own, Term(since[0], int)),
        Held("one through a group does", (G, R), given, Term(since[1], int)),
    )


def starts_at(held: Held, state: View, principal: View) -> z3.BoolRef:
    """Return that, where it is held, it is since a start."""
    begins = starts(state.value, principal.value)
    return z3.Implies(held.when, contains(begins, held.since))


def every_start(state: View, principal: View) -> list[Clause]:
    """Return that where an assignment of the principal or of its groups starts is a start."""
    return [
        (held.name, z3.ForAll(list(held.binders), starts_at(held, state, principal)))
        for held in ways(state, principal)
    ]


@states("P-SOD-SAFE")
def assignments_start_at_starts() -> Stated:
    """Every assignment of the principal starts at one of its starts: any role, any group."""
    state, principal = some(Organization, "state"), some(PrincipalId, "principal")
    known, goals = [], []
    for held in ways(state, principal):
        meant = unfolded_at(held.since, starts, state.value, principal.value)
        known.append((f"what starts is, where {held.name}", meant))
        goals.append((held.name, starts_at(held, state, principal)))
    return known, goals


def _latest(state: View, principal: View, now: z3.ArithRef) -> tuple[z3.ArithRef, Clause]:
    latest, other = z3.Ints("latest other")
    begins = starts(state.value, principal.value)
    before = z3.And(contains(begins, Term(other, int)), other <= now)
    is_latest = z3.And(
        contains(begins, Term(latest, int)),
        latest <= now,
        z3.ForAll([other], z3.Implies(before, other <= latest)),
    )
    return latest, ("the latest start before now", is_latest)


@states("P-SOD-SAFE")
def held_at_the_latest_start() -> Stated:
    """What is held at an instant was held at the latest start before it."""
    state, principal = some(Organization, "state"), some(PrincipalId, "principal")
    now = z3.Int("now")
    latest, is_latest = _latest(state, principal, now)
    instants = [Term(at, int) for at in (now, latest)]
    known = [*every_start(state, principal), is_latest, ("now is an instant", now >= INSTANT_MIN)]
    steps = []
    for definition, name in ((assigned_roles, "assigned"), (effective_roles, "held")):
        known += [
            (f"what {name} is", unfolded(definition, state.value, principal.value, at))
            for at in instants
        ]
        roles = [definition(state.value, principal.value, at) for at in instants]
        steps.append(within(roles[0], roles[1], name=f"{name} now, {name} then"))
    return known, steps


@states("P-SOD-SAFE")
def nothing_is_held_before_the_first_start() -> Stated:
    """At an instant before every start no role is held."""
    state, principal = some(Organization, "state"), some(PrincipalId, "principal")
    now, other = z3.Ints("now other")
    begins = starts(state.value, principal.value)
    early = z3.ForAll([other], z3.Implies(contains(begins, Term(other, int)), other > now))
    known = [
        *every_start(state, principal),
        ("every start is later", early),
        ("now is an instant", now >= INSTANT_MIN),
    ]
    steps, at = [], Term(now, int)
    for definition, name in ((assigned_roles, "assigned"), (effective_roles, "held")):
        known.append((f"what {name} is", unfolded(definition, state.value, principal.value, at)))
        role = z3.FreshConst(Name, "role")
        held = contains(definition(state.value, principal.value, at), Term(role, str))
        steps.append((f"nothing is {name}", z3.ForAll([role], z3.Not(held))))
    return known, steps


@states("P-SOD-SAFE")
def fewer_roles_exceed_less() -> Stated:
    """Who exceeds a set with some roles exceeds it with more; with none nobody does."""
    sod_set, nobody = some(SodSet, "sod_set"), z3.Const("r", Name)
    few, many = fresh_set(str, "few"), fresh_set(str, "many")
    counted = [combined(sod_set.roles.value, held, z3.And) for held in (few, many)]
    _, smaller = within(counted[0], counted[1])
    known = [
        ("a set forbids 2 or more", sod_set.n() >= SOD_LEAST),
        ("a count grows with its set", z3.Implies(smaller, card(counted[0]) <= card(counted[1]))),
        within(few, many, name="fewer"),
        *counting(),
    ]
    by_few, by_many = (View(exceeds(sod_set.value, held))() for held in (few, many))
    none = z3.ForAll([nobody], z3.Not(contains(few, Term(nobody, str))))
    return known, [
        ("exceeded by fewer, exceeded by more", z3.Implies(by_few, by_many)),
        ("exceeded by none, never", z3.Implies(none, z3.Not(by_few))),
    ]


@states("P-SOD-SAFE")
def at_every_instant() -> Stated:
    """Who exceeds no static set at any start exceeds none at any instant."""
    state, principal = some(Organization, "state"), some(PrincipalId, "principal")
    now, name, role = z3.Int("now"), z3.Const("set", Name), z3.Const("role", Name)
    latest, is_latest = _latest(state, principal, now)
    then, held = (
        effective_roles(state.value, principal.value, Term(at, int)) for at in (latest, now)
    )
    stored = state.sod_sets.at(name)
    by_now, by_then = (View(exceeds(stored.value, roles))() for roles in (held, then))
    is_static = z3.And(state.sod_sets.has(name), stored.mode() == literal("static"))
    nothing = z3.ForAll([role], z3.Not(contains(held, Term(role, str))))
    kept = z3.And(is_latest[1], within(held, then)[1])
    clash = breached_at_some_start(state.value, principal.value)
    static = Term(literal("static"), str)
    meant = any_breached(state.value, then, static) == unfolded_breach(state.value, then, static)
    return [
        ("before every start nothing is held, later what was at the latest", z3.Or(nothing, kept)),
        ("more exceed more", z3.Implies(z3.And(within(held, then)[1], by_now), by_then)),
        ("nothing exceeds nothing", z3.Implies(nothing, z3.Not(by_now))),
        ("what a breach is", meant),
        ("no set is exceeded at a start", z3.Not(clash)),
        ("the set is a static one", is_static),
    ], [("not exceeded", z3.Not(by_now))]
