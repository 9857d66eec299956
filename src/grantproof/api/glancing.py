"""Answers at a glance: what the tables have at hand is decided and written in one pass.

Most questions meet a principal and a target that are compiled already, and need no counter, session
or certificate. Of their answers only the claim or the reason differs, so the rest is written once
an instant and each answer is put together from it. Everything else is looked at more closely.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from grantproof.api.evaluations import encode
from grantproof.api.problems import Refused
from grantproof.api.questions import PlainQuestion, Question, supplied_of
from grantproof.api.recording import ALLOW, DENY, FAILED, MISSED, Diary
from grantproof.core.constraints import HOURS_PER_DAY
from grantproof.core.index import Index
from grantproof.core.messages import reason_message
from grantproof.core.model import Claim
from grantproof.core.policy import ConstraintFailed, NoMatchingClaim
from grantproof.core.shortfall import Shortfalls
from grantproof.core.ways import NO_MATCHING_CLAIM, UNMET, decide
from grantproof.policyfile.answers import CODES, Evaluation
from grantproof.service.callers import Caller
from grantproof.service.decision_log import Entry
from grantproof.service.outcomes import Counts
from grantproof.service.pdp import DecisionPoint
from grantproof.service.pip import local_time

REMEMBERED_MAX: Final = 16_384
FRAMES_MAX: Final = 1_024

CLAIM: Final = "*claim*"
REASON: Final = "*reason*"
"""Stand for what differs; no id and no reason is one of them, for no id holds a `*`."""


class Asking(NamedTuple):
    """What the questions of a request have in common; the decisions on them are `counted`."""

    caller: Caller
    instant: int
    diary: Diary | None
    counted: Counts


@dataclass(frozen=True, slots=True)
class Wording:
    """Answers on one state at one instant that hold as long, in full or up to what differs.

    After `allow` comes the id of the claim, after `unmet` the reason in quotes, `nearest` and the
    id of the claim; then `end`.
    """

    allow: str
    nothing: str
    unmet: str
    nearest: str
    end: str


@dataclass(frozen=True, slots=True)
class Frame:
    """Here and now, and what is then said.

    `midnight` is the hour of the week that the day begins with, `later` what is said where the
    passing of the hour may change the answer, `ever` where it may not.
    """

    revision: int
    instant: int
    time_zone: str
    hour: int
    midnight: int
    later: Wording
    ever: Wording


Closely = Callable[[PlainQuestion], str]
"""Returns the answer to a question as it is written, counted and noted."""


class Glances:
    """Answers questions of one organization at one instant; methods run on the loop."""

    def __init__(self, decisions: DecisionPoint) -> None:
        self._inspection = decisions.inspection
        self._shortfalls = Shortfalls()
        self._frames: dict[str, Frame] = {}
        self._regions: set[str] = set()

    def answers(
        self,
        index: Index,
        questions: Sequence[PlainQuestion],
        asking: Asking,
        *,
        closely: Closely,
        plain: bool = False,
    ) -> list[str]:
        """Return the answers as they are written, in the order of the questions.

        Those that take a closer look are asked `closely`; where it raises, nothing is counted.
        `plain` says that no question says more than a plain one.
        """
        ready, table, frame = index.ready, index.table, self._frame(index, asking.instant)
        midnight, this_hour, later, ever = frame.midnight, frame.hour, frame.later, frame.ever
        regions, nearest, inspection = self._regions, self._shortfalls.nearest, self._inspection
        trusted = asking.caller.trusted_context
        noted = None if asking.diary is None else asking.diary.record.decisions
        written, left, allowed, unmet, closer = list[str](), inspection.left, 0, 0, 0
        for question in questions:
            who, action, resource = question.principal_id, question.action, question.resource_id
            kind, region, hour = question.resource_kind, question.region, question.hour
            weekday, usage, rate = question.weekday, question.usage, question.rate
            verdict = None
            at = midnight if weekday is None else HOURS_PER_DAY * weekday
            at += this_hour if hour is None else hour
            if (
                left > 1
                and (plain or not self._takes_more(question, trusted=trusted))
                and (
                    (
                        (region is None or region in regions)
                        and (trusted or hour is weekday is usage is rate is None)
                    )
                    or self._may_be_said(question, trusted=trusted)
                )
            ):
                verdict = decide(ready, table, who, action, resource, kind, at, region, usage, rate)
            if verdict is None or (
                ((usage is None and verdict.used) or (rate is None and verdict.rated))
                and verdict.hangs_on(usage, rate)
            ):
                inspection.left = left
                written.append(closely(question))
                left, closer = inspection.left, closer + 1
                continue
            left, claim = left - 1, verdict.claim_id
            words = later if verdict.hourly and (hour is None or weekday is None) else ever
            if claim is not None:
                allowed, decision, reason = allowed + 1, ALLOW, None
                written.append(f"{words.allow}{claim}{words.end}")
            elif verdict.answer is UNMET:
                unmet, decision, reason = unmet + 1, DENY, FAILED
                grants, roles = table[action][resource], ready[who]
                claim, why = nearest(grants, roles, at, region, usage, rate)
                # Nothing in it has to be escaped: it is made of ids and numbers.
                written.append(f"{words.unmet}{why}{words.nearest}{claim}{words.end}")
            else:
                decision, reason, claim = DENY, MISSED, None
                written.append(words.nothing)
            if noted is not None:
                noted.append(Entry(question, decision, reason, claim))
        inspection.left = left
        asking.counted[Claim] += allowed
        asking.counted[ConstraintFailed] += unmet
        asking.counted[NoMatchingClaim] += len(questions) - allowed - unmet - closer
        return written

    def _takes_more(self, question: PlainQuestion, *, trusted: bool) -> bool:
        """Return whether what it says beside a plain question takes a closer look."""
        if not isinstance(question, Question):
            return False
        if question.explain or question.session_id is not None or question.active_roles is not None:
            return True
        if question.position is None and question.attributes is None:
            return False
        return not self._may_be_said(question, trusted=trusted)

    def _may_be_said(self, question: PlainQuestion, *, trusted: bool) -> bool:
        """Return whether the context is legal that the question supplies, and the caller may."""
        try:
            supplied_of(question, trusted=trusted)
        except Refused:
            return False
        if question.region is not None:
            if len(self._regions) >= REMEMBERED_MAX:
                self._regions.clear()
            self._regions.add(question.region)
        return True

    def _frame(self, index: Index, instant: int) -> Frame:
        state = index.state
        found = self._frames.get(state.id)
        if (
            found is not None
            and found.instant == instant
            and found.revision == state.revision
            and found.time_zone == state.time_zone
        ):
            return found
        if len(self._frames) >= FRAMES_MAX:
            self._frames.clear()
        local = local_time(instant, state.time_zone)
        frame = self._frames[state.id] = Frame(
            state.revision,
            instant,
            state.time_zone,
            local.hour,
            HOURS_PER_DAY * local.weekday,
            later=_worded(state.revision, instant, until=local.hour_ends),
            ever=_worded(state.revision, instant, until=None),
        )
        return frame


def _worded(revision: int, instant: int, *, until: int | None) -> Wording:
    when = revision, instant, until
    allow, end = _parted(Evaluation("Allow", None, None, *when, CLAIM), CLAIM)
    missed = CODES[NoMatchingClaim]
    nothing = quoted(Evaluation("Deny", reason_message(NO_MATCHING_CLAIM), missed, *when))
    failed = Evaluation("Deny", REASON, CODES[ConstraintFailed], *when, CLAIM)
    unmet, rest = _parted(failed, REASON)
    nearest = rest.partition(CLAIM)[0]
    return Wording(allow, nothing, unmet, nearest, end)


def _parted(evaluation: Evaluation, mark: str) -> tuple[str, str]:
    before, _, after = quoted(evaluation).partition(mark)
    return before, after


def quoted(value: object) -> str:
    """Return the value as it is written in an answer."""
    return encode(value).decode()
