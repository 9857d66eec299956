"""P-DAG: after every accepted command the role and group graphs are acyclic.

An edge is refused exactly when it would close a cycle. What is reached after a command is bounded
by an instance of the least preorder: with one edge more, what was reached, or from the child's side
through the edge; with none more, what was reached.
"""

from collections.abc import Callable

import z3

from grantproof.core.commands.language import AddParent, NestGroup
from specs.definitions.hierarchy import acyclic, least, preorder, reaches
from specs.kernel.values import Clause
from specs.kernel.view import View
from specs.properties.commands import About, Change, about_commands, by_definition

Reached = Callable[[z3.ExprRef, z3.ExprRef], z3.BoolRef]
ENDS = {("roles", AddParent): ("role", "parent"), ("groups", NestGroup): ("group", "container")}
"""The command that adds an edge to a graph, and its fields for the child and the parent."""


def reached_after(name: str, command: type, change: Change) -> Reached:
    """Return what is reached at most after the command."""
    before = View(change.state).field(name).parents.value
    ends = ENDS.get((name, command))
    if ends is None:
        return lambda low, high: reaches(before, low, high)
    child, parent = (View(change.command).field(end)() for end in ends)
    return lambda low, high: z3.Or(
        reaches(before, low, high),
        z3.And(reaches(before, low, child), reaches(before, parent, high)),
    )


def graphs_after(command: type, change: Change) -> list[Clause]:
    """Return that reaching is what it is, before the command and after it."""
    known = []
    for name in ("roles", "groups"):
        before, after = (View(s).field(name).parents.value for s in (change.state, change.after))
        known += [*preorder(before), *preorder(after)]
        known.append(least(after, reached_after(name, command, change)))
    return by_definition(known)


def stays_acyclic(command: type, change: Change) -> list[Clause]:
    """Return that acyclic graphs are acyclic after the command."""
    change.known += graphs_after(command, change)
    return [acyclic(View(change.after).field(name), name) for name in ("roles", "groups")]


about_commands(About("P-DAG", stays_acyclic))
