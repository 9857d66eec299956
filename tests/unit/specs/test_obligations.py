"""What must be proved of a function: that it answers, and rightly, whatever path it takes."""

import inspect

import pytest

from grantproof.core import constraints
from specs.kernel.proof import Theorem, decide
from specs.run import verdict

USAGE = "    return usage is not None and usage < maximum.limit\n"
NAME = f"{constraints.__name__}.usage_holds"


def patches(new: str) -> dict[str, str]:
    """The module with another body of the function."""
    text = inspect.getsource(constraints)
    assert text.count(USAGE) == 1
    return {constraints.__name__: text.replace(USAGE, new)}


@pytest.mark.parametrize(
    "body",
    ["    raise LookupError\n", f"    if usage == 7:\n        raise LookupError\n{USAGE}"],
    ids=["always", "sometimes"],
)
def test_a_function_that_raises_instead_of_answering_is_refuted(body: str) -> None:
    """Whoever calls it relies on its definition, which says what it gives of all arguments."""
    result = verdict(NAME, patches(body), seeds=(0,))
    assert result.verdict == "refuted"
    assert "is not taken" in result.detail


def test_a_path_that_raises_where_nothing_leads_is_no_objection() -> None:
    """Only what can happen counts."""
    body = f"    if usage is None and usage is not None:\n        raise LookupError\n{USAGE}"
    assert verdict(NAME, patches(body), seeds=(0,)).holds


def test_a_theorem_without_a_goal_is_vacuous() -> None:
    """Where nothing is to be proved, nothing is."""
    result = decide(Theorem("P-SOUND", "made up", (), ()))
    assert (result.verdict, result.detail) == ("vacuous", "there is nothing to prove")
