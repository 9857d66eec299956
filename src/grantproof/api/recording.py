"""The decision log as the door keeps it: whether a request is logged, and whether there is room.

Room is looked for before a request is answered, so that no decision is made, and nothing is
counted, whose entry would then be missing. What is under way may pass the bound of the queue.
"""

import asyncio
from typing import Final

from msgspec import Struct, structs

from grantproof.api.problems import Refused, later
from grantproof.api.questions import Question
from grantproof.core.matching import Request
from grantproof.core.model import Claim
from grantproof.core.policy import ConstraintFailed, NoMatchingClaim, Reason
from grantproof.core.sessions import NoSession
from grantproof.core.withheld import Withheld
from grantproof.policyfile.answers import CODES
from grantproof.service.callers import Caller
from grantproof.service.decision_log import (
    Asked,
    DecisionLog,
    Entry,
    Overflow,
    Record,
    sampled,
)
from grantproof.service.pdp import Answer

WAIT_SECONDS_MAX: Final = 10.0
LOOK_SECONDS: Final = 0.01
ALLOW: Final = "Allow"
DENY: Final = "Deny"
FAILED: Final = CODES[ConstraintFailed]
MISSED: Final = CODES[NoMatchingClaim]

Ending = tuple[str, str | None, str | None]
"""The decision, the code of its reason, and the claim that mattered."""


class Diary(Struct, gc=False):
    """The record of one request while it is answered; `names` are what its questions may say."""

    record: Record
    names: frozenset[str] | None = None

    def start(
        self, organization: str, *, instant: int, revision: int, names: frozenset[str] | None = None
    ) -> None:
        """Begin with the questions to an organization, anew when they are asked again."""
        record, self.names = self.record, names
        record.organization, record.instant, record.revision = organization, instant, revision
        record.decisions.clear()
        record.malformed = 0

    def note(self, question: Question, answer: Answer, *, request: Request | None = None) -> None:
        """Add the decision on a question, with its true reason, whatever the caller is told.

        `request` is as it was decided, with the roles that its stored session had.
        """
        if question.session_id is not None and request is not None:
            roles = sorted(map(str, request.active_roles or ()))
            question = structs.replace(question, active_roles=roles)
        self.add(question, answer)

    def add(self, asked: Asked, answer: Answer) -> None:
        """Add the decision on what was asked."""
        self.record.decisions.append(Entry(asked, *_told(answer.outcome)))

    def skip(self) -> None:
        """Leave the place of a question empty that was malformed."""
        self.record.decisions.append(None)
        self.record.malformed += 1


class Recording:
    """Opens a diary for a request that is logged, and hands it over when it is answered."""

    def __init__(self, log: DecisionLog | None, *, share: float, overflow: Overflow) -> None:
        self._log = log
        self.keeps: Final = log is not None
        """Whether any request is logged."""
        self._share = share
        self._overflow = overflow

    async def begin(self, request_id: str, caller: Caller) -> Diary | None:
        """Return the diary of a request, nothing where it is not logged.

        Raises `Refused` when there is no room and the setting does not let entries drop.
        """
        diary, log = self.opened(request_id, caller), self._log
        if diary is not None and log is not None and not self.has_room:
            await self._room(log)
        return diary

    def opened(self, request_id: str, caller: Caller) -> Diary | None:
        """Return the diary of a request for which there is room, nothing where it is not logged."""
        logged = self._log is not None and sampled(request_id, self._share)
        if not logged:
            return None
        return Diary(Record(0, request_id, caller.author.actor, "", 0, []))

    @property
    def has_room(self) -> bool:
        """Whether a request may be answered without waiting for room."""
        log = self._log
        return log is None or log.has_room() or self._overflow is Overflow.DROP

    def keep(self, diary: Diary) -> None:
        """Hand over the entries of a request that was answered."""
        if self._log is None:
            return
        if self._overflow is Overflow.DROP and not self._log.has_room():
            self._log.drop(diary.record.count)
        else:
            self._log.take(diary.record, names=diary.names)

    async def _room(self, log: DecisionLog) -> None:
        looks = int(WAIT_SECONDS_MAX / LOOK_SECONDS) if self._overflow is Overflow.WAIT else 0
        for _ in range(looks):
            await asyncio.sleep(LOOK_SECONDS)
            if log.has_room():
                return
        raise Refused(later("decision_log_full", "the decision log has no room: try again"))


def _told(outcome: Claim | Reason | Withheld | NoSession) -> Ending:
    if isinstance(outcome, Claim):
        return ALLOW, None, str(outcome.id)
    nearest = str(outcome.claim) if isinstance(outcome, ConstraintFailed) else None
    return DENY, CODES[type(outcome)], nearest
