"""The two sides of a comparison: a policy file, or an organization of the local database.

`org:ID` is the organization as it is, `org:ID@REVISION` as it was when it had that revision.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grantproof.cli.exits import ExitCode, Stop, usage

if TYPE_CHECKING:
    from grantproof.cli.operator import Operator
    from grantproof.core.organization import Organization
    from grantproof.policyfile.organization_document import OrganizationDocument

STORED: Final = "org:"
STANDARD_INPUT: Final = "-"
DIGITS_MAX: Final = 18
STEPS_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Side:
    """A state, and what it is called in the answer."""

    name: str
    state: "Organization"


def side(operator: "Operator", text: str) -> Side:
    """Return the state that the text names; raises `Stop`."""
    if text.startswith(STORED):
        return Side(text, _stored(operator, text))
    return Side(text, state_of(read_policy(text), text))


def zones_line(old: Side, new: Side) -> str | None:
    """Return that hours are told in other zones, which decisions at an hour do not show."""
    zones = (old.state.time_zone, new.state.time_zone)
    if zones[0] == zones[1]:
        return None
    return (
        f"the time zone was `{zones[0]}` and is `{zones[1]}`: hours are compared as they are told"
    )


def read_policy(path: str) -> "OrganizationDocument":
    """Return the organization that a policy file describes; raises `Stop` with every problem."""
    from grantproof.policyfile.organization_document import OrganizationDocument
    from grantproof.policyfile.policy_text import read_organization
    from grantproof.service.pip import check_time_zone

    read = read_organization(_text_of(path))
    if not isinstance(read, OrganizationDocument):
        raise Stop(ExitCode.USAGE, *(problem.in_file(path) for problem in read))
    check_time_zone(read.time_zone)
    return read


def state_of(document: "OrganizationDocument", path: str) -> "Organization":
    """Return the state that the document's commands make; raises `Stop` if one is refused."""
    from grantproof.core.commands import Rejected, apply
    from grantproof.core.commands.language import ChangeSet
    from grantproof.core.messages import refusal_message
    from grantproof.policyfile.organization_document import to_change_set

    state, commands = document.empty(), to_change_set(document)
    for start in range(0, len(commands), STEPS_AT_ONCE):
        some = ChangeSet(commands[start : start + STEPS_AT_ONCE])
        outcome = apply(state, some, actor="diff", instant=0)
        if isinstance(outcome, Rejected):
            raise Stop(ExitCode.USAGE, f"{path}: {refusal_message(outcome.refusal)}")
        state = outcome.state
    return state


def _stored(operator: "Operator", text: str) -> "Organization":
    from grantproof.cli.case import state_at
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
        return state_at(operator, OrganizationId(name), revision)
    except Unreadable as error:
        raise Stop(ExitCode.UNDETERMINED, str(error)) from None


def _name_and_revision(text: str) -> tuple[str, int | None]:
    """Return what stands before the last `@`, and the number after it; an id may hold the sign."""
    name, _, last = text.rpartition("@")
    if name and last.isascii() and last.isdigit() and len(last) <= DIGITS_MAX:
        return name, int(last)
    return text, None


def _text_of(path: str) -> str:
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
    except OSError as error:
        why = (error.strerror or "it cannot be read").lower()
        raise usage(f"the file `{path}` cannot be read: {why}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise usage(f"{path}:{line}:1: not UTF-8") from None
