"""The two sides of a comparison: a policy file, or an organization of the local database.

`org:ID` is the organization as it is, `org:ID@REVISION` as it was when it had that revision.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.policy_files import state_of_policy
from grantproof.cli.progress import progress

if TYPE_CHECKING:
    from grantproof.cli.operator import Operator
    from grantproof.core.organization import Organization

STORED: Final = "org:"
DIGITS_MAX: Final = 18


@dataclass(frozen=True, slots=True)
class Side:
    """A state, and what it is called in the answer."""

    name: str
    state: "Organization"


def side(operator: "Operator", text: str) -> Side:
    """Return the state that the text names; raises `Stop`."""
    if text.startswith(STORED):
        return Side(text, _stored(operator, text))
    try:
        with progress() as bar:
            return Side(text, state_of_policy([text], bar))
    except Stop as end:
        # What cannot be compared is no difference, which is what code 1 would say.
        raise Stop(ExitCode.USAGE, *end.lines) from None


def zones_line(old: Side, new: Side) -> str | None:
    """Return that hours are told in other zones, which decisions at an hour do not show."""
    zones = (old.state.time_zone, new.state.time_zone)
    if zones[0] == zones[1]:
        return None
    return (
        f"the time zone was `{zones[0]}` and is `{zones[1]}`: hours are compared as they are told"
    )


def _stored(operator: "Operator", text: str) -> "Organization":
    from grantproof.core.identifiers import OrganizationId
    from grantproof.policyfile.wire import Unreadable

    name, revision = _name_and_revision(text.removeprefix(STORED))
    current = operator.state_of(name)
    if revision is None:
        return current
    if revision > current.revision:
        line = f"organization `{name}` is at revision {current.revision}, before {revision}"
        raise Stop(ExitCode.NO, line)
    try:
        return operator.state_at(OrganizationId(name), revision)
    except Unreadable as error:
        raise Stop(ExitCode.UNDETERMINED, str(error)) from None


def _name_and_revision(text: str) -> tuple[str, int | None]:
    """Return what stands before the last `@`, and the number after it; an id may hold the sign."""
    name, _, last = text.rpartition("@")
    if name and last.isascii() and last.isdigit() and len(last) <= DIGITS_MAX:
        return name, int(last)
    return text, None
