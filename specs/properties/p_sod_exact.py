"""P-SOD-EXACT: the check of those that a command may affect equals the check of all.

Whoever is not `gaining` gains no role that a static set names, so no count rises that was lawful.
Only the commands that add something can make a count rise; for the rest `gaining` is empty.
"""

import typing
from dataclasses import dataclass
from types import FunctionType

import z3

from grantproof.core.commands.language import ChangeSodSet, CreateSodSet
from grantproof.core.commands.refusal import gaining
from grantproof.core.identifiers import PrincipalId
from specs.definitions.hierarchy import effective_roles
from specs.definitions.holders import down
from specs.definitions.unfolding import unfoldings
from specs.kernel.membership import contains
from specs.kernel.shapes import argument
from specs.kernel.sorts import Name
from specs.kernel.values import Clause, Symbolic, Term
from specs.kernel.view import View, literal
from specs.properties.commands import About, Change, about_commands, by_definition
from specs.properties.p_dag import graphs_after

NEW_SET = (CreateSodSet, ChangeSodSet)
SET_AND_ROLE = tuple(z3.Consts("set role", Name))


def others_gain_nothing(command: type, change: Change) -> list[Clause]:
    """Return that a role of a static set, held after by one not gaining, was held before."""
    principal, instant = argument("principal", PrincipalId), argument("instant", int)
    state = View(change.state)
    meant = [law for name in ("roles", "groups") for law in down(state.field(name), name)]
    meant += unfoldings(change.state, principal, instant)
    meant += unfoldings(change.after, principal, instant)
    change.known += [*graphs_after(command, change), *by_definition(meant)]
    owed = change.running.facts.owed
    before_asking = len(owed)
    affected = change.running.invoke(
        typing.cast(FunctionType, gaining), [change.state, change.command], change.accepted
    )
    who = Who(affected, principal, instant)
    return [*gains_nothing(command, change, who), *owed[before_asking:]]


@dataclass(frozen=True)
class Who:
    """Those that a command affects, and one principal at one instant."""

    affected: Symbolic
    principal: Symbolic
    instant: Symbolic


def gains_nothing(command: type, change: Change, who: Who) -> list[Clause]:
    """Return, of any `set` and `role`, that who is not affected gains no role that is bound."""
    name, role = SET_AND_ROLE
    stored = View(change.after).sod_sets
    bound = z3.And(
        z3.Not(contains(who.affected, who.principal)),
        stored.has(name),
        stored.at(name).mode() == literal("static"),
        stored.at(name).roles.has(role),
    )
    held, before = (
        contains(effective_roles(state, who.principal, who.instant), Term(role, str))
        for state in (change.after, change.state)
    )
    goals = [("no role is gained", z3.Implies(z3.And(bound, held), before))]
    if command in NEW_SET:
        is_new = name == View(change.command).sod_set.id()
        unheld = z3.Implies(z3.And(bound, is_new), z3.Not(held))
        goals.append(("no role of the set is held", unheld))
    return goals


about_commands(About("P-SOD-EXACT", others_gain_nothing))
