"""P-REF: a command that is accepted leaves nothing dangling."""

import z3

from grantproof.core.commands.guarding import named_by_guardrail
from grantproof.core.organization import Organization
from specs.definitions.deletions import is_inside_its_parent
from specs.definitions.hierarchy import edge, preorder
from specs.definitions.indexes import resources
from specs.definitions.references import references
from specs.kernel.values import Clause, Symbolic, fresh
from specs.kernel.view import View
from specs.properties.commands import About, Change, about_commands
from specs.properties.registry import Stated, some, states


def nothing_dangles(_command: type, change: Change) -> list[Clause]:
    """Return that after the command every reference leads somewhere."""
    return [*references(change.after), *ends(change.after)]


def ends(state: Symbolic) -> list[Clause]:
    """Return that the parents of roles are roles, and the containers of groups groups."""
    clauses = []
    for name in ("roles", "groups"):
        parents = View(state).field(name).parents
        low, high = fresh(str, "low"), fresh(str, "high")
        there = z3.Implies(edge(parents.value, low, high), parents.has(high))
        clauses.append((f"edges of {name} refer", z3.ForAll([low, high], there)))
    return clauses


@states("P-REF")
def inside_the_parent() -> Stated:
    """A resource is inside its parent: what is inside what is reached by the index."""
    state = some(Organization, "state")
    known = [*resources(state), *preorder(state.resources_in_parent.value)]
    return known, [is_inside_its_parent(state)]


about_commands(About("P-REF", nothing_dangles, owed=True, opened=(named_by_guardrail,)))
