"""P-REF: a command that is accepted leaves nothing dangling."""

from grantproof.core.organization import Organization
from specs.definitions.deletions import is_inside_its_parent
from specs.definitions.hierarchy import preorder
from specs.definitions.indexes import resources
from specs.definitions.references import references
from specs.kernel.values import Clause
from specs.properties.commands import About, Change, about_commands
from specs.properties.registry import Stated, some, states


def nothing_dangles(_command: type, change: Change) -> list[Clause]:
    """Return that after the command every reference leads somewhere."""
    return references(change.after)


@states("P-REF")
def inside_the_parent() -> Stated:
    """A resource is inside its parent: what is inside what is reached by the index."""
    state = some(Organization, "state")
    known = [*resources(state), *preorder(state.resources_in_parent.value)]
    return known, [is_inside_its_parent(state)]


about_commands(About("P-REF", nothing_dangles, owed=True))
