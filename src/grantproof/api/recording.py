"""The decision log as the door keeps it: whether a request is logged, and whether there is room.

Room is looked for before a request is answered, so that no decision is made, and nothing is
counted, whose entry would then be missing. What is under way may pass the bound of the queue.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, overload

from typing_extensions import override

from grantproof.api.problems import Refused, later
from grantproof.api.questions import Question
from grantproof.core.matching import Request
from grantproof.core.model import Claim
from grantproof.core.policy import ConstraintFailed, NoMatchingClaim, Reason
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


DENY: Final = "Deny"
FAILED: Final = CODES[ConstraintFailed]

Ending = tuple[str, str | None, str | None]
"""The decision, the code of its reason, and the claim that mattered."""


class Deed(NamedTuple):
    """Who wants to do what on which, as the caller named them."""

    principal: str
    action: str
    resource: str


Glanced = Claim | NoMatchingClaim | str
"""How a decision at a glance ended; a string is the claim that came nearest to granting."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What the entries of one request have in common."""

    instant: int
    request_id: str
    actor: str
    organization: str
    revision: int

    def entry(
        self, deed: Deed, context: Mapping[str, object], ending: Ending, *, item: int | None
    ) -> Entry:
        """Return the entry of a decision, of which the decision, its reason and claim are told."""
        decision, reason, claim = ending
        return Entry(
            self.instant,
            self.request_id,
            self.actor,
            self.organization,
            *deed,
            context,
            decision,
            reason,
            claim,
            self.revision,
            item,
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """Decisions at a glance on questions that follow one another, up to the one at `stop`."""

    questions: Sequence[Question]
    endings: Sequence[Glanced]
    stop: int


class Page(Sequence[Entry]):
    """Entries of decisions at a glance, made when they are written: no answer waits for them."""

    __slots__ = ("_occasion", "_place", "_stretch")

    def __init__(self, occasion: Occasion, stretch: Stretch, place: int | None) -> None:
        self._place = place
        self._occasion = occasion
        self._stretch = stretch

    @override
    def __len__(self) -> int:
        return len(self._stretch.endings)

    @overload
    def __getitem__(self, at: int) -> Entry: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Entry]: ...
    @override
    def __getitem__(self, at: int | slice) -> Entry | Sequence[Entry]:
        places = range(len(self))[at]
        if isinstance(places, int):
            return self._entry(places)
        return [self._entry(place) for place in places]

    def _entry(self, at: int) -> Entry:
        stretch = self._stretch
        ending, place = stretch.endings[at], stretch.stop - len(stretch.endings) + at
        question = stretch.questions[place]
        if isinstance(ending, str):
            told: Ending = DENY, FAILED, ending
        else:
            told = _told(ending)
        item = None if self._place is None else self._place + place
        deed = Deed(question.principal_id, question.action, question.resource_id)
        return self._occasion.entry(deed, _said(question), told, item=item)


class Diary:
    """The entries of one request."""

    __slots__ = ("_actor", "_organization", "_request_id", "pages")

    def __init__(self, request_id: str, caller: Caller) -> None:
        self._request_id = request_id
        self._actor = caller.author.actor
        self._organization = ""
        self.pages: list[Sequence[Entry]] = []

    def start(self, organization: str) -> None:
        """Begin with the questions to an organization, anew when they are asked again."""
        self._organization = organization
        self.pages = []

    def glanced(self, stretch: Stretch, place: int | None, *, instant: int, revision: int) -> None:
        """Add decisions at a glance; `place` is where the first question of all is in a batch."""
        if len(stretch.endings) > 0:
            self.pages.append(Page(self._occasion(instant, revision), stretch, place))

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
        said = _said(question)
        if question.session_id is not None and request is not None:
            # Where the roles stand that are said themselves: before the session.
            del said["session_id"]
            said["active_roles"] = sorted(map(str, request.active_roles or ()))
            said["session_id"] = question.session_id
        deed = Deed(question.principal_id, question.action, question.resource_id)
        self.add(deed, said, answer, item=item)

    def add(
        self, deed: Deed, context: Mapping[str, object], answer: Answer, *, item: int | None = None
    ) -> None:
        """Add the decision on a deed, with what the caller said of the context."""
        occasion = self._occasion(answer.decided_at, answer.revision)
        self.pages.append((occasion.entry(deed, context, _told(answer.outcome), item=item),))

    def _occasion(self, instant: int, revision: int) -> Occasion:
        return Occasion(instant, self._request_id, self._actor, self._organization, revision)


def _said(question: Question) -> dict[str, object]:
    """Return what the question says of the context, as an entry has it."""
    said = {name: getattr(question, name) for name in CONTEXT}
    return {name: value for name, value in said.items() if value is not None}


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
            self._log.drop(sum(map(len, diary.pages)))
            return
        for page in diary.pages:
            self._log.take(page)

    async def _room(self, log: DecisionLog) -> None:
        looks = int(WAIT_SECONDS_MAX / LOOK_SECONDS) if self._overflow is Overflow.WAIT else 0
        for _ in range(looks):
            await asyncio.sleep(LOOK_SECONDS)
            if log.has_room():
                return
        raise Refused(later("decision_log_full", "the decision log has no room: try again"))


def _told(outcome: Claim | Reason | Withheld | NoSession) -> Ending:
    if isinstance(outcome, Claim):
        return "Allow", None, str(outcome.id)
    nearest = str(outcome.claim) if isinstance(outcome, ConstraintFailed) else None
    return DENY, CODES[type(outcome)], nearest
