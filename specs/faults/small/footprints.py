"""Executable property of the check in production: a footprint says what the whole state says.

Of every command, done without asking whether it is refused: so the states that it leaves are often
not valid, which is what the check of a change is there to see.
"""

from grantproof.core.commands.delta import delta
from grantproof.core.commands.language import SingleCommand
from grantproof.core.footprint import broken
from grantproof.core.invariants import Violation, valid
from grantproof.core.organization import changed
from specs.faults.small import words
from specs.faults.small.acts import commands
from specs.faults.small.property import Objection, Property, Small
from specs.faults.small.worlds import CABINET, CHAIN, DESK, DRAWER


def overlooked(small: Small, command: SingleCommand) -> Objection | None:
    """Object where the check of the change and that of the whole state differ. P-INDUCT."""
    before = small.state
    try:
        done = delta(before, command)
        after = changed(before, done)
        whole = valid(after)
    except KeyError:
        # What names nothing cannot even be done, or not be followed: no state to compare.
        return None
    found = broken(before, after, done)
    # The check takes it that the state was valid before; looked at last, for it takes longest.
    if (len(found) > 0) == (len(whole) > 0) or len(valid(before)) > 0:
        return None
    return Objection(f"broken: {_said(whole)}", f"the check of the change says: {_said(found)}")


def _said(violations: tuple[Violation, ...]) -> str:
    names = dict.fromkeys(one.invariant for one in violations)
    return ", ".join(names) or "nothing"


PROPERTIES = {
    "P-INDUCT": Property((DESK, DRAWER, CHAIN, CABINET), commands, overlooked, words.command)
}
