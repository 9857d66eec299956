"""The only way in which a state changes: `apply` a command to an organization.

`refusal` says whether it may happen and `delta` what it does; the two are apart so that each can be
proved. A rejection carries no state: the caller's is untouched. P-REJECT, P-INDUCT.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from grantproof.core.administration import has_administrator
from grantproof.core.commands.assigning import assigned
from grantproof.core.commands.delta import compose, delta
from grantproof.core.commands.language import AssignRole, ChangeSet, Command, SingleCommand
from grantproof.core.commands.origin import check_origin
from grantproof.core.commands.refusal import refusal
from grantproof.core.errors import Illegal, LastAdministrator, Refusal, RefusedAt, SingleRefusal
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import INSTANT_MAX, INSTANT_MIN
from grantproof.core.model import Administered, Assignment, Delta
from grantproof.core.organization import Organization, changed


@dataclass(frozen=True, slots=True)
class Event:
    """A change that happened: `revision` is the one it made, `instant` epoch seconds.

    `delta` alone suffices to replay it; `command` says what was asked. `request_id` names the
    request that brought it, `reason` is why, in the words of whoever asked.
    """

    organization: OrganizationId
    revision: int
    instant: int
    actor: str
    command: Command
    delta: Delta
    request_id: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if not INSTANT_MIN <= self.instant <= INSTANT_MAX:
            raise Illegal("instant", "must be epoch seconds between the years 1970 and 9999")
        check_origin(self.actor, self.request_id, self.reason)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The next revision, and the event that leads to it."""

    state: Organization
    event: Event


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing changed, and the witness that says why."""

    refusal: Refusal


Outcome = Accepted | Rejected


def apply(
    state: Organization,
    command: Command,
    *,
    actor: str,
    instant: int,
    request_id: str | None = None,
    reason: str | None = None,
) -> Outcome:
    """Return what becomes of `state` when `actor` proposes the command at the instant."""
    proposed = _proposed(state, command)
    if not isinstance(proposed, _Proposal):
        return Rejected(proposed)
    change, after = proposed.change, proposed.after
    if state.administered and len(change.removed) > 0 and not has_administrator(after):
        return Rejected(LastAdministrator(state.id))
    if not state.administered and has_administrator(after):
        change = Delta(change.removed, (*change.added, Administered()))
        after = replace(after, administered=True)
    event = Event(state.id, state.revision + 1, instant, actor, command, change, request_id, reason)
    return Accepted(replace(after, revision=event.revision), event)


@dataclass(frozen=True, slots=True)
class _Proposal:
    """What a command that nothing refuses does, and the facts it leaves, at the old revision."""

    change: Delta
    after: Organization


def _proposed(state: Organization, command: Command) -> _Proposal | Refusal:
    if not isinstance(command, ChangeSet):
        return _single(state, command)
    steps: list[Delta] = []
    position = 0
    for _, some in groupby(command.commands, key=type):
        alike = tuple(some)
        together = _together(state, alike)
        if together is not None:
            steps.append(together.change)
            state, position = together.after, position + len(alike)
            continue
        for single in alike:
            proposed = _single(state, single)
            if not isinstance(proposed, _Proposal):
                return RefusedAt(position, proposed)
            steps.append(proposed.change)
            state, position = proposed.after, position + 1
    return _Proposal(compose(steps), state)


def _together(state: Organization, commands: Sequence[SingleCommand]) -> _Proposal | None:
    """Return what assignments do at once; nothing if a command is another, or one is refused."""
    assigning = [command for command in commands if isinstance(command, AssignRole)]
    after = assigned(state, assigning) if len(assigning) == len(commands) else None
    if after is None:
        return None
    made = (Assignment(one.principal, one.role, one.validity) for one in assigning)
    return _Proposal(Delta(added=tuple(made)), after)


def _single(state: Organization, command: SingleCommand) -> _Proposal | SingleRefusal:
    witness = refusal(state, command)
    if witness is not None:
        return witness
    change = delta(state, command)
    return _Proposal(change, changed(state, change))
