"""P-REF: a command that is accepted leaves nothing dangling."""

from specs.definitions.references import references
from specs.kernel.values import Clause
from specs.properties.commands import Change, about_commands


def nothing_dangles(_command: type, change: Change) -> list[Clause]:
    """Return that after the command every reference leads somewhere."""
    return references(change.after)


about_commands("P-REF", nothing_dangles, owed=True)
