"""The decision log as the door keeps it: whether a request is logged, and whether there is room.

Room is looked for before a request is answered, so that no decision is made, and nothing is
counted, whose entry would then be missing. What is under way may pass the bound of the queue.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import msgspec
from msgspec import structs

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
    Context,
    DecisionLog,
    Entry,
    Overflow,
    Said,
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


class Deed(NamedTuple):
    """Who wants to do what on which, as the caller named them."""

    principal: str
    action: str
    resource: str


class Diary(msgspec.Struct):
    """The entries of one request, in the order of its questions; `actor` is who asks them."""

    request_id: str
    actor: str
    organization: str = ""
    entries: list[Entry] = []

    def start(self, organization: str) -> None:
        """Begin with the questions to an organization, anew when they are asked again."""
        self.organization = organization
        self.entries.clear()

    def opening(self, instant: int) -> Callable[..., Entry]:
        """Return what makes an entry of a decision at the instant, from the principal on."""
        return partial(Entry, instant, self.request_id, self.actor, self.organization)

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
        said = _said_in(question)
        if question.session_id is not None and request is not None:
            roles = sorted(map(str, request.active_roles or ()))
            said = structs.replace(said, active_roles=roles)
        deed = Deed(question.principal_id, question.action, question.resource_id)
        self.add(deed, said, answer, item=item)

    def add(self, deed: Deed, context: Context, answer: Answer, *, item: int | None = None) -> None:
        """Add the decision on a deed, with what the caller said of the context."""
        decision, reason, claim = _told(answer.outcome)
        entry = Entry(
            instant=answer.decided_at,
            request_id=self.request_id,
            actor=self.actor,
            organization=self.organization,
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
        self.entries.append(entry)


def _said_in(question: Question) -> Said:
    """Return what the question says of the context."""
    return Said(
        question.resource_kind,
        question.region,
        question.position,
        question.attributes,
        question.hour,
        question.weekday,
        question.usage,
        question.rate,
        question.active_roles,
        question.session_id,
    )


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
        return Diary(request_id, caller.author.actor) if logged else None

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


def _told(outcome: Claim | Reason | Withheld | NoSession) -> Ending:
    if isinstance(outcome, Claim):
        return ALLOW, None, str(outcome.id)
    nearest = str(outcome.claim) if isinstance(outcome, ConstraintFailed) else None
    return DENY, CODES[type(outcome)], nearest
