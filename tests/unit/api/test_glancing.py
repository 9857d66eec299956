"""What is answered at a glance, and what is looked at more closely."""

import json
from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from grantproof.api import glancing
from grantproof.api.evaluations import encode, evaluation
from grantproof.api.glancing import Asking, Glances
from grantproof.api.questions import PLAIN_NAMES, PlainQuestion, Question, asked, whole
from grantproof.api.recording import Diary
from grantproof.core.constraints import GeoFence, MaxUsage, RateLimit, TimeWindow
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import PrincipalId
from grantproof.core.index import Index
from grantproof.core.model import Assignment, Claim
from grantproof.core.policy import ConstraintFailed, NoMatchingClaim
from grantproof.service.authors import Author
from grantproof.service.callers import Caller, Scope
from grantproof.service.contracts import Contracts
from grantproof.service.decision_log import Entry, Record
from grantproof.service.outcomes import none
from grantproof.service.pdp import DecisionPoint
from grantproof.service.pip import Supplied
from tests.organizations import (
    ANN,
    C2,
    CLERK,
    EU,
    HEAD,
    PLAN,
    READ,
    claim,
    library,
    made_of,
    people,
    roles,
)

NOON = 1_795_262_400
"""A Saturday."""
TRUSTED = Caller.with_scopes(None, {Scope.TRUSTED_CONTEXT}, author=Author("key:a"))
ANYBODY = Caller.with_scopes(None, {Scope.EVALUATE}, author=Author("key:b"))
BOB = PrincipalId("bob")
PLAIN = Question(ANN, READ, PLAN)


class Clock:
    """A clock that nobody asks."""

    def now(self) -> int:
        """Raise."""
        raise AssertionError


class Door:
    """Answers questions on an organization where ann is a clerk and bob a head."""

    def __init__(self, *claims: Claim, caller: Caller = TRUSTED) -> None:
        self.contracts = Contracts()
        self.point = DecisionPoint(Clock(), None, contracts=self.contracts)
        self.glances = Glances(self.point)
        facts = *people(ANN, BOB), *roles(CLERK, HEAD), *library(), *claims
        held = Assignment(ANN, CLERK), Assignment(BOB, HEAD)
        self.index = Index(made_of(*facts, *held, revision=7))
        self.diary = Diary(Record(0, "r-1", caller.author.actor, "", 0, []))
        self.asking = Asking(caller, NOON, self.diary, none())
        self.closer: list[PlainQuestion] = []
        for principal in (ANN, BOB):
            self.closely(replaced(PLAIN, principal_id=principal, usage=0, rate=0))

    def answers(self, *questions: PlainQuestion, plain: bool = False) -> list[str]:
        """What is answered; what takes a closer look is empty."""
        answers, looked = self.glances.answers, self.looked
        return answers(self.index, questions, self.asking, closely=looked, plain=plain)

    def looked(self, question: PlainQuestion) -> str:
        """Note that a closer look was taken."""
        self.closer.append(question)
        self.diary.skip()
        return ""

    def closely(self, question: Question, *, instant: int = NOON) -> str:
        """What a closer look finds."""
        request, supplied = asked(question, trusted=True)
        answer = self.point.decide(self.index, request, supplied, instant=instant)
        return encode(evaluation(answer, review=False)).decode()


def replaced(question: Question, **changes: Any) -> Question:
    """The question with changes."""
    fields = {name: getattr(question, name) for name in question.__struct_fields__}
    return Question(**{**fields, **changes})


def as_plain(question: Question) -> PlainQuestion | None:
    """The question as a plain one, if it says no more."""
    fields = structs.asdict(question)
    said = {name for name, value in fields.items() if value is not None and value is not False}
    if not said <= PLAIN_NAMES:
        return None
    return PlainQuestion(**{name: fields[name] for name in PLAIN_NAMES})


WORKING = claim(TimeWindow(8, 18), GeoFence(frozenset({EU})), MaxUsage(9))
HERE: dict[str, Any] = {"hour": 9, "region": "eu", "usage": 8}
QUESTIONS = [
    replaced(PLAIN, **HERE),
    replaced(PLAIN, **HERE, weekday=3),
    replaced(PLAIN, **{**HERE, "hour": None, "weekday": 3}),
    replaced(PLAIN, **{**HERE, "hour": 7}),
    replaced(PLAIN, **{**HERE, "hour": 7, "weekday": 2}),
    replaced(PLAIN, **{**HERE, "region": "us", "usage": 9}),
    replaced(PLAIN, **{**HERE, "region": None}),
    replaced(PLAIN, **HERE, resource_kind="file"),
    replaced(PLAIN, **HERE, principal_id=BOB),
    replaced(PLAIN, **HERE, attributes={"level": 1}, position="48.1,11.5"),
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_glance_says_what_a_closer_look_finds(question: Question) -> None:
    """Word for word, whatever is supplied; nobody has to look."""
    door = Door(WORKING)
    assert door.answers(question) == [door.closely(question)]
    plain = as_plain(question)
    if plain is not None:
        assert whole(plain) == question
        for known in (True, False):
            assert door.answers(plain, plain=known) == [door.closely(question)]
    assert door.closer == []


def test_what_holds_for_ever_is_said_to() -> None:
    """The passing of time matters only where a claim looks at it."""
    door = Door(claim(MaxUsage(9)))
    told = door.answers(replaced(PLAIN, usage=8), replaced(PLAIN, usage=9))
    assert [json.loads(one)["valid_until"] for one in told] == [None, None]
    assert told[1] == door.closely(replaced(PLAIN, usage=9))


@pytest.mark.parametrize(
    "more",
    [
        {"explain": True},
        {"session_id": "s"},
        {"active_roles": ["clerk"]},
        {"region": "*"},
        {"position": "north"},
        {"attributes": {"?": 1}},
        {"resource_kind": "folder"},
        {"principal_id": "nobody"},
        {"principal_id": "?"},
        {"resource_id": "docs/none"},
        {"action": "sing"},
        {"usage": None},
    ],
)
def test_everything_else_takes_a_closer_look(more: dict[str, Any]) -> None:
    """A session, a certificate, a counter, what is not compiled, and whatever is not legal."""
    door = Door(WORKING)
    question = replaced(PLAIN, **{**HERE, **more})
    # Now the region is known: nothing but what is asked here is looked at.
    assert door.answers(replaced(PLAIN, **HERE)) != [""]
    assert door.answers(question) == [""]
    plain = as_plain(question)
    if plain is not None:
        assert door.answers(plain, plain=True) == [""]
    assert door.closer == [question, *([] if plain is None else [plain])]
    assert sum(door.asking.counted.values()) == 1


@pytest.mark.parametrize("field", ["hour", "weekday", "usage", "rate"])
def test_only_a_trusted_caller_says_what_is_the_services_own(field: str) -> None:
    """Another is looked at closely, which refuses it."""
    question = replaced(PLAIN, **{field: 0})
    assert Door(claim()).answers(question) != [""]
    assert Door(claim(), caller=ANYBODY).answers(question) == [""]
    assert Door(claim(), caller=ANYBODY).answers(replaced(PLAIN, region="eu")) != [""]


def test_what_hangs_on_counts_that_nobody_gave_takes_a_closer_look() -> None:
    """Also where the claim that grants has the one that it looks at."""
    used, usage_and_rate = replaced(PLAIN, usage=0), replaced(PLAIN, usage=0, rate=0)
    assert Door(claim(MaxUsage(9))).answers(used, PLAIN)[1] == ""
    assert Door(claim(MaxUsage(9))).answers(used) != [""]
    assert Door(claim(RateLimit(9))).answers(used) == [""]
    both = Door(claim(MaxUsage(9)), claim(RateLimit(9), id=C2))
    assert both.answers(used, usage_and_rate)[0] == ""
    assert both.closer == [used]
    assert Door(claim(), claim(MaxUsage(9), id=C2)).answers(PLAIN) != [""]


def test_every_answer_counts_towards_the_next_that_is_checked() -> None:
    """The one that is due is looked at closely, which checks it; the others go on."""
    door = Door(claim())
    inspection = door.contracts.inspection
    inspection.left = 3
    assert door.answers(PLAIN, PLAIN, PLAIN)[2] == ""
    assert (door.closer, inspection.left) == ([PLAIN], 1)
    inspection.left = 9
    door.answers(PLAIN, replaced(PLAIN, explain=True), PLAIN)
    assert inspection.left == 7


def test_answers_are_counted_by_how_they_ended() -> None:
    """Those that were looked at closely are counted by whoever looked."""
    door = Door(WORKING)
    none_of_it = replaced(PLAIN, **HERE, principal_id=BOB)
    door.answers(*QUESTIONS[:4], none_of_it, none_of_it, replaced(PLAIN, explain=True))
    counted = {ending: count for ending, count in door.asking.counted.items() if count > 0}
    assert counted == {Claim: 3, ConstraintFailed: 1, NoMatchingClaim: 2}


def test_entries_of_the_log_are_in_the_places_of_the_questions() -> None:
    """Each as it was asked, with the true reason; also where one is looked at closely."""
    door = Door(WORKING)
    asked = [QUESTIONS[0], replaced(PLAIN, explain=True), QUESTIONS[3], replaced(PLAIN, hour=9)]
    asked[3] = replaced(asked[3], principal_id=BOB, usage=0)
    door.answers(*asked)
    assert door.diary.record.decisions == [
        Entry(asked[0], "Allow", claim="c1"),
        None,
        Entry(asked[2], "Deny", "constraint_failed", "c1"),
        Entry(asked[3], "Deny", "no_matching_claim"),
    ]


def test_what_is_said_is_of_the_instant_the_revision_and_the_place() -> None:
    """Nothing is told from memory that is true no longer."""
    door = Door(WORKING)
    question = replaced(PLAIN, region="eu", usage=8)
    for instant in (NOON, NOON + 1, NOON + 8 * 3_600):
        door.asking = door.asking._replace(instant=instant)
        assert door.answers(question) == [door.closely(question, instant=instant)]
    state = door.index.state
    for other in (replace(state, time_zone="Asia/Tokyo"), replace(state, revision=8)):
        door.index = Index(other)
        found = door.closely(question, instant=door.asking.instant)
        assert door.answers(question) == [found]
    assert door.closer == []


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody fills the memory by naming regions, or by asking of one organization after another."""
    monkeypatch.setattr(glancing, "REMEMBERED_MAX", 2)
    monkeypatch.setattr(glancing, "FRAMES_MAX", 1)
    door = Door(claim())
    told = door.answers(*(replaced(PLAIN, region=f"r{number}") for number in range(5)))
    assert len(set(told)) == 1
    assert len(door.glances._regions) <= 2  # noqa: SLF001 - nothing else shows how much it keeps
    door.index = Index(replace(door.index.state, id=type(door.index.state.id)("other")))
    door.closely(PLAIN)
    assert door.answers(PLAIN) == told[:1]
    assert len(door.glances._frames) == 1  # noqa: SLF001 - nothing else shows how much it keeps


@pytest.mark.parametrize("wrong", [{"hour": 24}, {"weekday": 7}, {"usage": -1}, {"rate": -1}])
def test_an_illegal_context_cannot_be_supplied(wrong: dict[str, Any]) -> None:
    """A table of the hours of the week is looked up with it."""
    with pytest.raises(Illegal) as raised:
        Supplied(**wrong)
    assert raised.value.field in wrong
