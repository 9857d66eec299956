"""P-DAG of resources: after every accepted command no resource is inside itself.

A resource gets its parent when it is made, and never another; so only two commands have anything to
show. What only removes facts leaves fewer edges, and fewer edges close no cycle.
"""

from functools import partial

import z3

from grantproof.core.commands.language import CreateResource, SetResourceAttributes
from grantproof.core.organization import Organization
from specs.definitions.hierarchy import edge, least, preorder, reaches
from specs.definitions.refusals import at
from specs.kernel.values import Clause, Symbolic, fresh
from specs.kernel.view import View
from specs.properties.commands import About, Change, about_commands, by_definition
from specs.properties.registry import Stated, some, states

PLACING = (CreateResource, SetResourceAttributes)


def closes_none(edges: Symbolic) -> z3.BoolRef:
    """Return that no edge leads to where it came from."""
    x, y = fresh(str, "x"), fresh(str, "y")
    return z3.ForAll([x, y], z3.Not(z3.And(edge(edges, x, y), reaches(edges, y, x))))


def stays_acyclic(command: type, change: Change) -> list[Clause]:
    """Return that no resource is inside itself after the command, if none was before."""
    before, made = View(change.state), View(change.command)
    inside, left = (View(s).resources_in_parent.value for s in (change.state, change.after))

    def reached(outer: z3.ExprRef, inner: z3.ExprRef) -> z3.BoolRef:
        already = reaches(inside, outer, inner)
        if command is not CreateResource:
            return already
        resource = made.resource
        new = z3.And(resource.parent.there, inner == resource.id())
        return z3.Or(already, z3.And(new, reaches(inside, outer, resource.parent())))

    def registered(outer: z3.ExprRef, inner: z3.ExprRef) -> z3.BoolRef:
        return z3.Or(outer == inner, before.resources.has(outer))

    laws = [*preorder(inside), *preorder(left), least(left, reached), least(inside, registered)]
    change.known += by_definition(laws)
    kept = z3.Implies(closes_none(inside), closes_none(left))
    return [("resources stay acyclic", kept)]


@states("P-DAG")
def fewer_edges() -> Stated:
    """Of an acyclic graph some of the edges are acyclic, be it of roles, groups or resources."""
    before, after = some(Organization, "before"), some(Organization, "after")
    known, goals = [], []
    for path in ("roles.parents", "groups.parents", "resources_in_parent"):
        many, few = at(before, path), at(after, path)
        x, y = fresh(str, "x"), fresh(str, "y")
        left = z3.Implies(edge(few.value, x, y), edge(many.value, x, y))
        known += [*preorder(many.value), least(few.value, partial(reaches, many.value))]
        known.append((f"no more edges in {path}", z3.ForAll([x, y], left)))
        kept = z3.Implies(closes_none(many.value), closes_none(few.value))
        goals.append((f"{path} stays acyclic", kept))
    return known, goals


about_commands(About("P-DAG", stays_acyclic), PLACING)
