"""The strategies reach what they are for: allows often enough, and every reason to deny."""

from collections import Counter
from dataclasses import fields
from typing import get_args

from hypothesis import Phase, given, settings

from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, Reason, evaluate
from tests.strategies.organizations import organizations
from tests.strategies.questions import Question, questions

EXAMPLES = 400
ALLOW_SHARE_MIN = 0.2


def test_questions_are_allowed_often_and_denied_for_every_reason() -> None:
    """At least one question in five is allowed, and each reason of a denial occurs."""
    seen: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, phases=[Phase.generate], database=None)
    @given(questions())
    def ask(question: Question) -> None:
        decision = evaluate(question.state, question.request, question.context)
        answer = decision if isinstance(decision, Allow) else decision.reason
        seen[type(answer).__name__] += 1

    ask()
    assert set(seen) == {"Allow"} | {reason.__name__ for reason in get_args(Reason)}
    assert seen["Allow"] >= ALLOW_SHARE_MIN * seen.total()


def test_organizations_hold_everything_often() -> None:
    """Each collection of an organization is filled in a good share of the organizations drawn."""
    filled: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES // 2, phases=[Phase.generate], database=None)
    @given(organizations())
    def look(state: Organization) -> None:
        filled.update(part.name for part in fields(state) if getattr(state, part.name))

    look()
    rare = {name: count for name, count in filled.items() if count < EXAMPLES // 50}
    assert rare == {}
    assert {"groups", "resources", "sod_sets", "administered", "group_assignments"} <= set(filled)
