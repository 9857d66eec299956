"""The decision log as the door keeps it: whether a request is logged, and whether there is room.

Room is looked for before a request is answered, so that no decision is made, and nothing is
counted, whose entry would then be missing. What is under way may pass the bound of the queue.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

from grantproof.api.problems import Refused, later
from grantproof.api.questions import Question
from grantproof.core.matching import Request
from grantproof.core.model import Claim
from grantproof.core.policy import ConstraintFailed, Reason
from grantproof.core.sessions import NoSession
from grantproof.core.withheld import Withheld
from grantproof.policyfile.answers import CODES
from grantproof.service.callers import Caller
from grantproof.service.decision_log import DecisionLog, Entry, Overflow, sampled
from grantproof.service.pdp import Answer

WAIT_SECONDS_MAX: Final = 10.0
LOOK_SECONDS: Final = 0.01
CONTEXT: Final = (
    "resource_kind",
    "region",
    "position",
    "attributes",
    "hour",
    "weekday",
    "usage",
    "rate",
    "active_roles",
    "session_id",
)
"""What of a question is its context, as the entry has it."""


class Deed(NamedTuple):
    """Who wants to do what on which, as the caller named them."""

    principal: str
    action: str
    resource: str


class Diary:
    """The entries of one request."""

    __slots__ = ("_actor", "_organization", "_request_id", "entries")

    def __init__(self, request_id: str, caller: Caller) -> None:
        self._request_id = request_id
        self._actor = caller.author.actor
        self._organization = ""
        self.entries: list[Entry] = []

    def start(self, organization: str) -> None:
        """Begin with the questions to an organization, anew when they are asked again."""
        self._organization = organization
        self.entries.clear()

    def note(
        self,
        question: Question,
        answer: Answer,
        *,
        request: Request | None = None,
        item: int | None = None,
    ) -> None:
        """Add the decision on a question, with its true reason, whatever the caller is told.

        `request` is as it was decided, with the roles that its stored session had.
        """
        supplied = {name: getattr(question, name) for name in CONTEXT}
        if question.session_id is not None and request is not None:
            supplied["active_roles"] = sorted(map(str, request.active_roles or ()))
        said = {name: value for name, value in supplied.items() if value is not None}
        deed = Deed(question.principal_id, question.action, question.resource_id)
        self.add(deed, said, answer, item=item)

    def add(
        self, deed: Deed, context: Mapping[str, object], answer: Answer, *, item: int | None = None
    ) -> None:
        """Add the decision on a deed, with what the caller said of the context."""
        decision, reason, claim = _told(answer.outcome)
        self.entries.append(
            Entry(
                instant=answer.decided_at,
                request_id=self._request_id,
                actor=self._actor,
                organization=self._organization,
                principal=deed.principal,
                action=deed.action,
                resource=deed.resource,
                context=context,
                decision=decision,
                reason=reason,
                claim=claim,
                revision=answer.revision,
                item=item,
            )
        )


class Recording:
    """Opens a diary for a request that is logged, and hands it over when it is answered."""

    def __init__(self, log: DecisionLog | None, *, share: float, overflow: Overflow) -> None:
        self._log = log
        self._share = share
        self._overflow = overflow

    async def begin(self, request_id: str, caller: Caller) -> Diary | None:
        """Return the diary of a request, nothing where it is not logged.

        Raises `Refused` when there is no room and the setting does not let entries drop.
        """
        log = self._log
        if log is None or not sampled(request_id, self._share):
            return None
        if not log.has_room() and self._overflow is not Overflow.DROP:
            await self._room(log)
        return Diary(request_id, caller)

    def keep(self, diary: Diary) -> None:
        """Hand over the entries of a request that was answered."""
        if self._log is None:
            return
        if self._overflow is Overflow.DROP and not self._log.has_room():
            self._log.drop(len(diary.entries))
        else:
            self._log.take(diary.entries)

    async def _room(self, log: DecisionLog) -> None:
        looks = int(WAIT_SECONDS_MAX / LOOK_SECONDS) if self._overflow is Overflow.WAIT else 0
        for _ in range(looks):
            await asyncio.sleep(LOOK_SECONDS)
            if log.has_room():
                return
        raise Refused(later("decision_log_full", "the decision log has no room: try again"))


def _told(outcome: Claim | Reason | Withheld | NoSession) -> tuple[str, str | None, str | None]:
    """Return the decision, the code of its reason, and the claim that mattered."""
    if isinstance(outcome, Claim):
        return "Allow", None, str(outcome.id)
    nearest = str(outcome.claim) if isinstance(outcome, ConstraintFailed) else None
    return "Deny", CODES[type(outcome)], nearest
