"""The valid name that was probably meant."""

import pytest

from grantproof.policyfile.nearest_name import COMPARED_MAX, nearest_name

MANY = frozenset(f"role-{number:05}" for number in range(COMPARED_MAX + 1))


@pytest.mark.parametrize("name", ["clrek", "clark", "clerks", "cler", "lerk"])
def test_a_mistyped_name_is_found_among_few(name: str) -> None:
    """Whichever hand slipped."""
    assert nearest_name(name, {"clerk", "boss", "auditor"}) == "clerk"


@pytest.mark.parametrize(
    "name", ["role-0007", "role-000077", "role-0007x", "rloe-00007", "role_00007", "ROLE-00007"]
)
def test_a_mistyped_name_is_found_among_many(name: str) -> None:
    """One letter too few, too many, changed or swapped; another case or another dash."""
    assert nearest_name(name, MANY) in MANY


def test_what_is_like_nothing_is_given_no_advice() -> None:
    """Neither among few nor among many nor among none."""
    assert nearest_name("zzz", {"clerk"}) is None
    assert nearest_name("zzz", MANY) is None
    assert nearest_name("zzz", ()) is None


def test_the_advice_does_not_depend_on_an_order() -> None:
    """Names that are equally near are chosen between in a fixed way."""
    assert nearest_name("ab", ["ax", "ay"]) == nearest_name("ab", ["ay", "ax"])
