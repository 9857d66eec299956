"""P-REJECT: a command is refused exactly on the declared grounds, and what a refusal names is so.

A rejection carries no state, so the caller's is untouched by construction. Each ground is looked
into only where those before it find nothing. Of a cycle and of who breaks a set it is proved that
there is one; the path shown is found by a search that is tested.
"""

import typing
from functools import partial
from typing import Final

import z3

from grantproof.core import model as m
from grantproof.core.commands.bounds import over_limit
from grantproof.core.commands.guarding import named_by_guardrail
from grantproof.core.commands.language import AddParent, NestGroup
from grantproof.core.errors import (
    AlreadyExists,
    AlreadySo,
    Missing,
    NamedByGuardrail,
    NamedBySodSet,
    OverLimit,
    StillReferenced,
)
from specs.definitions import refusals
from specs.definitions.deletions import ENTITY, depends_by_name, is_one, names_what_goes
from specs.definitions.facts import FACETS
from specs.definitions.hierarchy import reaches
from specs.definitions.references import formatted, is_named_by
from specs.definitions.refusals import OF_GROUPS, Ids, is_there
from specs.kernel.membership import class_of, drawn
from specs.kernel.sorts import Name, Object, tag_is
from specs.kernel.values import Clause, Items, Made, Symbolic, Term, forall, guarded
from specs.kernel.view import View
from specs.properties.commands import About, Change, about_commands, by_definition

EDGES = {AddParent: ("roles", "role", "parent"), NestGroup: ("groups", "group", "container")}
FACTS: Final[dict[str, tuple[type, ...]]] = {
    "assignment": (m.Assignment, m.GroupAssignment),
    "membership": (m.Membership,),
    "nesting": (m.Nesting,),
    "parent": (m.Inheritance,),
    "claim": (m.Claim,),
    "resource": (m.Resource,),
}
"""The facts that may refer to an entity, by the noun under which they are listed."""
PREFIXES: Final = {"group": "group", "role": "role", "separation-of-duty set": "sod-set"}
"""Under which prefix an entity is a resource too, by its noun."""
ELSEWHERE: Final = "_breaks_sod"
"""The ground that P-SOD-EXACT is about."""
FACTS_THAT_REFER: Final = tuple(cls for classes in FACTS.values() for cls in classes)


def noun_of(value: Symbolic) -> str:
    """Return the noun that a witness names, which the source writes out."""
    return str(typing.cast(Term, value).expr).strip("'|")


def ids_of(value: Symbolic) -> Ids:
    """Return the ids that a witness names."""
    return tuple(View(one)() for one in typing.cast(Items, value).values)


def grounds(command: type, change: Change) -> dict[str, z3.BoolRef]:
    """Return, by the function that looks into it, when each ground is there."""
    state, given = View(change.state), View(change.command)
    needed = refusals.needs(state, given, command)
    gaps = [
        need.some(z3.Not(is_there(state, need.noun, need.ids, of_groups=command in OF_GROUPS)))
        for need in needed
    ]
    found = {
        "_missing": z3.Or(gaps),
        "_in_the_way": refusals.in_the_way(state, given, command),
        "_closes_cycle": z3.BoolVal(False),
        "named_by_guardrail": refusals.named_by_guardrail(state, change.command, command),
        "_still_needed": z3.BoolVal(False),
        "over_limit": refusals.over_limit(state, given, command),
    }
    if command in EDGES:
        graph, low, high = EDGES[command]
        parents = state.field(graph).parents.value
        found["_closes_cycle"] = reaches(parents, given.field(high)(), given.field(low)())
    if command in ENTITY:
        found["_still_needed"] = refusals.still_needed(change.state, change.command, command)
    return found


def refused_as_declared(command: type, change: Change) -> list[Clause]:
    """Return that each ground is found exactly if it is there, and that its witness is true."""
    declared, goals = grounds(command, change), []
    if change.grounds.keys() != {*declared, ELSEWHERE}:
        raise LookupError
    for name, there in declared.items():
        when, found = change.grounds[name]
        goals.append((f"{name} exactly", z3.Implies(when, View(found).there == there)))
        for guard, witness in guarded(found):
            if isinstance(witness, Made):
                true = is_true(command, change, witness)
                told = f"{name}: what {class_of(witness).__name__} names is so"
                goals.append((told, z3.Implies(z3.And(when, guard), true)))
    refused = [z3.And(when, View(found).there) for when, found in change.grounds.values()]
    goals.append(("refused exactly on a ground", z3.Not(change.accepted) == z3.Or(refused)))
    if command in ENTITY:
        change.known += by_definition(facts_are_values(change.state))
    return goals


def facts_are_values(state: Symbolic) -> list[Clause]:
    """Return that for the name of each fact that is there, there is a value, as it is kept."""
    clauses = []
    for cls in FACTS_THAT_REFER:
        facet = FACETS[cls]
        keys = [z3.FreshConst(Name, key) for key in facet.keys]
        value = z3.Function(f"fact {cls.__name__}", *(Name for _ in keys), Object)(*keys)
        fact = Term(value, cls)
        is_it = is_one(state, fact, partial(_named_so, keys))
        there = facet.there(View(state), *keys)
        whole = z3.And(tag_is(value, cls), is_it)
        clauses.append((f"{cls.__name__} is a value", z3.ForAll(keys, z3.Implies(there, whole))))
    return clauses


def _named_so(keys: Ids, _cls: type, names: Ids) -> z3.BoolRef:
    return alike(names, keys)


def alike(names: Ids, others: Ids) -> z3.BoolRef:
    """Return whether the names are the same."""
    return z3.And([one == other for one, other in zip(names, others, strict=True)])


def is_true(command: type, change: Change, witness: Made) -> z3.BoolRef:
    """Return whether what the witness names is so in the state."""
    state, given = View(change.state), View(change.command)
    of_groups, fields = command in OF_GROUPS, witness.fields
    if witness.kind is Missing:
        noun, ids = noun_of(fields["noun"]), ids_of(fields["ids"])
        asked = [
            need.some(alike(ids, need.ids))
            for need in refusals.needs(state, given, command)
            if need.noun == noun
        ]
        return z3.And(z3.Or(asked), z3.Not(is_there(state, noun, ids, of_groups=of_groups)))
    if witness.kind is AlreadyExists:
        noun, ids = noun_of(fields["noun"]), ids_of(fields["ids"])
        return is_there(state, noun, ids, of_groups=of_groups)
    if witness.kind is AlreadySo:
        active = state.principals.at(View(fields["principal"])()).active()
        return active == z3.BoolVal(noun_of(fields["status"]) == "active")
    if witness.kind is NamedBySodSet:
        return names_it(state, witness)
    if witness.kind is NamedByGuardrail:
        return guards_it(command, change, witness)
    if witness.kind is StillReferenced:
        return refers_to_it(command, change, witness)
    if witness.kind is OverLimit:
        passed = [
            z3.And(one.when, one.after > one.maximum, View(fields["maximum"])() == one.maximum)
            for one in refusals.limited(state, given, command)
        ]
        return z3.Or(passed)
    return z3.BoolVal(False)


def names_it(state: View, witness: Made) -> z3.BoolRef:
    """Return that each set that is listed is there, and names the role."""
    role, one = View(witness.fields["role"])(), drawn(witness.fields["sod_sets"])
    name = View(one.value)()
    return forall(one, z3.And(state.sod_sets.has(name), state.sod_sets.at(name).roles.has(role)))


def guards_it(command: type, change: Change, witness: Made) -> z3.BoolRef:
    """Return that what is named goes, and that each guardrail that is listed names it."""
    state, noun = View(change.state), noun_of(witness.fields["noun"])
    named, one = View(witness.fields["id"])(), drawn(witness.fields["guardrails"])
    guardrail, name = View(one.value)(), z3.FreshConst(Object, "name")
    pattern = View(Term(name, m.ResourcePattern))
    if noun == "kind":
        of_kind = pattern.when(m.OfKind).field("kind")() == named
        says = z3.And(tag_is(name, m.OfKind), of_kind)
    else:
        resource = formatted(PREFIXES[noun], named) if noun in PREFIXES else named
        exactly = pattern.when(m.Exactly).field("value")() == resource
        says = z3.And(tag_is(name, m.Exactly), exactly)
    goes = names_what_goes(state, change.command, command, pattern=pattern)
    there = is_named_by(state, guardrail, name)
    return forall(one, z3.Exists([name], z3.And(says, goes, there)))


def refers_to_it(command: type, change: Change, witness: Made) -> z3.BoolRef:
    """Return that the entity is the one to be deleted, and that each reference listed is to it."""
    entity = View(change.command).field(ENTITY[command][1])()
    one = drawn(witness.fields["references"])
    depends = depends_by_name(change.state, change.command)
    found = []
    for guard, reference in guarded(one.value):
        fields = typing.cast(Made, reference).fields
        ids = list(ids_of(fields["ids"]))
        refers = [depends(cls, ids) for cls in FACTS[noun_of(fields["noun"])]]
        found.append(z3.Implies(guard, z3.Or(refers)))
    return z3.And(View(witness.fields["id"])() == entity, forall(one, z3.And(found)))


about_commands(
    About("P-REJECT", refused_as_declared, opened=(named_by_guardrail, over_limit), refused=True)
)
