"""The only way in which a state changes: `apply` a command to an organization.

`refusal` says whether it may happen and `delta` what it does; the two are apart so that each can be
proved. A rejection carries no state: the caller's is untouched. P-REJECT, P-INDUCT.
"""

from dataclasses import dataclass, replace

from grantproof.core.administration import has_administrator
from grantproof.core.attributes import check_text
from grantproof.core.commands.delta import compose, delta
from grantproof.core.commands.language import ChangeSet, Command, SingleCommand
from grantproof.core.commands.refusal import refusal
from grantproof.core.errors import Illegal, LastAdministrator, Refusal, RefusedAt, SingleRefusal
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import ACTOR_LENGTH_MAX, INSTANT_MAX, INSTANT_MIN
from grantproof.core.model import Administered, Delta
from grantproof.core.organization import Organization, changed


@dataclass(frozen=True, slots=True)
class Event:
    """A change that happened: `revision` is the one it made, `instant` epoch seconds.

    `delta` alone suffices to replay it; `command` says what was asked.
    """

    organization: OrganizationId
    revision: int
    instant: int
    actor: str
    command: Command
    delta: Delta

    def __post_init__(self) -> None:
        if not INSTANT_MIN <= self.instant <= INSTANT_MAX:
            raise Illegal("instant", "must be epoch seconds between the years 1970 and 9999")
        if not 0 < len(self.actor) <= ACTOR_LENGTH_MAX:
            raise Illegal("actor", f"must have 1 to {ACTOR_LENGTH_MAX} characters")
        check_text("actor", self.actor)


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


def apply(state: Organization, command: Command, *, actor: str, instant: int) -> Outcome:
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
    event = Event(state.id, state.revision + 1, instant, actor, command, change)
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
    for position, single in enumerate(command.commands):
        proposed = _single(state, single)
        if not isinstance(proposed, _Proposal):
            return RefusedAt(position, proposed)
        steps.append(proposed.change)
        state = proposed.after
    return _Proposal(compose(steps), state)


def _single(state: Organization, command: SingleCommand) -> _Proposal | SingleRefusal:
    witness = refusal(state, command)
    if witness is not None:
        return witness
    change = delta(state, command)
    return _Proposal(change, changed(state, change))
