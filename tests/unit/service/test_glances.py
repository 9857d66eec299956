"""What the decision point answers at a glance, and what it looks at more closely."""

from itertools import count
from typing import Any

import pytest

from grantproof.core.constraints import MaxUsage, RateLimit
from grantproof.core.errors import Illegal
from grantproof.core.index import Index
from grantproof.core.model import Assignment, Claim
from grantproof.service.contracts import Contracts
from grantproof.service.pdp import Answer, DecisionPoint
from grantproof.service.pip import NOTHING_SUPPLIED, Supplied
from tests.organizations import (
    ANN,
    C2,
    CLERK,
    FILE,
    PLAN,
    READ,
    asks,
    claim,
    library,
    made_of,
    people,
    roles,
)

NOON = 1_795_262_400


class Ticking:
    """A clock that nobody asks."""

    def now(self) -> int:
        """Return another instant."""
        return next(count())


def glanced(
    point: DecisionPoint, *claims: Claim, supplied: Supplied = NOTHING_SUPPLIED
) -> Answer | None:
    """What is answered at a glance where the claims were asked about before."""
    index = Index(made_of(*people(ANN), *roles(CLERK), *library(), *claims, Assignment(ANN, CLERK)))
    point.open(index, asks(), supplied, instant=NOON)
    return point.glance(index, ANN, READ, PLAN, FILE, supplied, NOON)


def test_what_hangs_on_counts_that_nobody_gave_is_no_matter_of_a_glance() -> None:
    """Also where the claim that grants has the one that it looks at."""
    point = DecisionPoint(Ticking(), None)
    counted, limited = claim(MaxUsage(9)), claim(RateLimit(9), id=C2)
    given = Supplied(usage=0)
    alone = glanced(point, counted, supplied=given)
    assert alone is not None
    assert alone.outcome == counted
    assert glanced(point, counted, limited, supplied=given) is None
    both = glanced(point, counted, limited, supplied=Supplied(usage=0, rate=0))
    assert both is not None
    assert both.metered is None


def test_every_answer_counts_towards_the_next_that_is_checked() -> None:
    """The one that is due is looked at closely, which checks it."""
    contracts = Contracts()
    point = DecisionPoint(Ticking(), None, contracts=contracts)
    contracts.inspection.left = 3
    assert glanced(point, claim()) is not None
    assert contracts.inspection.left == 1
    contracts.inspection.left = 2
    assert glanced(point, claim()) is None


@pytest.mark.parametrize("wrong", [{"hour": 24}, {"weekday": 7}, {"usage": -1}, {"rate": -1}])
def test_an_illegal_context_cannot_be_supplied(wrong: dict[str, Any]) -> None:
    """A table of the hours of the week is looked up with it."""
    with pytest.raises(Illegal) as raised:
        Supplied(**wrong)
    assert raised.value.field in wrong
