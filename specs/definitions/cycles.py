"""Which commands are refused because they would close a cycle. P-DAG."""

import z3

from grantproof.core.commands.language import AddParent, NestGroup
from grantproof.core.commands.refusal import _closes_cycle
from specs.definitions.hierarchy import reaches
from specs.definitions.registry import describes
from specs.kernel.sorts import tag_is
from specs.kernel.values import Clause, Symbolic
from specs.kernel.view import View


def upper_ends_are_there(state: Symbolic, command: Symbolic) -> list[Clause]:
    """Return what those that ask have made sure of: what the edge leads to exists."""
    s, c = View(state), View(command)
    parent = s.roles.parents.has(c.when(AddParent).parent())
    container = s.groups.parents.has(c.when(NestGroup).container())
    return [
        ("the parent is there", z3.Implies(tag_is(c(), AddParent), parent)),
        ("the container is there", z3.Implies(tag_is(c(), NestGroup), container)),
    ]


@describes(_closes_cycle, "P-DAG", requires=upper_ends_are_there)
def closes_cycle(result: Symbolic, state: Symbolic, command: Symbolic) -> z3.BoolRef:
    """Something exactly if the upper end of the edge reaches the lower one already."""
    s, c = View(state), View(command)
    edge, nesting = c.when(AddParent), c.when(NestGroup)
    up = reaches(s.roles.parents.value, edge.parent(), edge.role())
    out = reaches(s.groups.parents.value, nesting.container(), nesting.group())
    closes = z3.Or(z3.And(tag_is(c(), AddParent), up), z3.And(tag_is(c(), NestGroup), out))
    return View(result).there == closes
