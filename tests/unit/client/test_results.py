"""Decisions are values without a truth of their own."""

import pytest

from grantproof.client.results import Allow, Decision, Deny, Undetermined

ALLOW = Allow("see", 3, 1_000, None)
DENY = Deny("no_role", "no active role", 3, 1_000, None)
UNDETERMINED = Undetermined("timeout", "no answer within 2 seconds")


@pytest.mark.parametrize(
    "decision", [ALLOW, DENY, UNDETERMINED], ids=lambda one: type(one).__name__
)
def test_no_decision_is_true_or_false(decision: Decision) -> None:
    """`if client.decide(...)` would allow what is denied, so it is an error."""
    with pytest.raises(TypeError, match=r"ask `\.allowed`"):
        bool(decision)


def test_only_an_allow_is_allowed() -> None:
    """A deny is not, and what is not determined is not."""
    assert [one.allowed for one in (ALLOW, DENY, UNDETERMINED)] == [True, False, False]
