"""Refusals are values; an illegal value says which part breaks which rule."""

from typing import get_args

import pytest

from grantproof.core.errors import Illegal, Refusal, RefusedAt, SingleRefusal


def test_illegal_says_field_and_rule() -> None:
    """Both are kept apart and shown together."""
    illegal = Illegal("start", "must be at least 0")
    assert (illegal.field, illegal.rule) == ("start", "must be at least 0")
    assert str(illegal) == "`start` must be at least 0"


def test_illegal_is_caught_as_a_value_error() -> None:
    """Callers that know nothing of us still catch it."""
    with pytest.raises(ValueError, match="`x` must not be empty"):
        raise Illegal("x", "must not be empty")


def test_there_are_eleven_refusals_and_their_position_in_a_change_set() -> None:
    """The closed union of witnesses; a change set names the position of one of them."""
    names = [refusal.__name__ for refusal in get_args(SingleRefusal)]
    assert names == [
        "AlreadyExists",
        "Missing",
        "AlreadySo",
        "StillReferenced",
        "NamedBySodSet",
        "NamedByGuardrail",
        "WouldCycle",
        "BreaksSod",
        "LastAdministrator",
        "OverLimit",
        "NotPermitted",
    ]
    assert set(get_args(Refusal)) - set(get_args(SingleRefusal)) == {RefusedAt}
