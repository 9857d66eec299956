"""Guardrails as values: which of them cannot exist, and which are not the same."""

import pytest
from immutables import Map

from grantproof.core.attributes import attributes
from grantproof.core.constraints import GeoFence, TimeWindow
from grantproof.core.errors import Illegal
from grantproof.core.guardrails import (
    Access,
    Capped,
    Confined,
    Forbidden,
    Having,
    MemberOf,
    Reserved,
)
from grantproof.core.identifiers import Action, GroupId, Region
from grantproof.core.limits import (
    CONSTRAINTS_PER_CLAIM_MAX,
    PRINCIPALS_MAX,
    SELECTORS_PER_GUARDRAIL_MAX,
)
from grantproof.core.model import Any, Exactly

DEPLOY = Access(Exactly(Action("deploy")), Any())


def groups(count: int) -> frozenset[MemberOf]:
    """Return so many selectors."""
    return frozenset(MemberOf(GroupId(f"g{i}")) for i in range(count))


def test_an_access_is_reserved_for_somebody() -> None:
    """To reserve it for nobody is refused: that is to forbid it."""
    with pytest.raises(Illegal) as refused:
        Reserved(DEPLOY, frozenset())
    assert refused.value.field == "who"


def test_to_have_no_attribute_selects_nobody_in_particular() -> None:
    """A selector without attributes is refused."""
    with pytest.raises(Illegal) as refused:
        Having(Map())
    assert refused.value.field == "attributes"


def test_selectors_are_bounded() -> None:
    """So many selectors are legal, one more is not, wherever there are any."""
    most = groups(SELECTORS_PER_GUARDRAIL_MAX)
    assert Reserved(DEPLOY, most).who == Forbidden(DEPLOY, most).who
    for rule in (Reserved, Forbidden):
        with pytest.raises(Illegal) as refused:
            rule(DEPLOY, groups(SELECTORS_PER_GUARDRAIL_MAX + 1))
        assert refused.value.field == "who"


@pytest.mark.parametrize("count", [0, CONSTRAINTS_PER_CLAIM_MAX + 1])
def test_an_access_is_confined_by_one_to_many_constraints(count: int) -> None:
    """None and too many are refused, as many as a claim may have are not."""
    fence = GeoFence(frozenset({Region("eu")}))
    assert len(Confined(DEPLOY, (fence,) * CONSTRAINTS_PER_CLAIM_MAX).constraints) > 0
    with pytest.raises(Illegal) as refused:
        Confined(DEPLOY, (TimeWindow(9, 17),) * count)
    assert refused.value.field == "constraints"


@pytest.mark.parametrize("most", [0, PRINCIPALS_MAX + 1])
def test_a_cap_is_a_number_of_principals(most: int) -> None:
    """One and as many as an organization may have are legal, beyond them nothing is."""
    assert (Capped(DEPLOY, 1).most, Capped(DEPLOY, PRINCIPALS_MAX).most) == (1, PRINCIPALS_MAX)
    with pytest.raises(Illegal) as refused:
        Capped(DEPLOY, most)
    assert refused.value.field == "most"


def test_true_is_not_one() -> None:
    """What asks for the attribute `true` is not what asks for the number 1."""
    assert Having(attributes({"external": True})) != Having(attributes({"external": 1}))
    flagged = Access(Any(), Any(), attributes({"external": True}))
    assert flagged != Access(Any(), Any(), attributes({"external": 1}))
