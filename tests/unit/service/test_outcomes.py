"""Decisions are counted by their ending, every one of which is there from the start."""

from typing import get_args

from grantproof.core.model import Claim
from grantproof.core.policy import NoRole, Reason
from grantproof.core.sessions import NoSession
from grantproof.core.withheld import Withheld
from grantproof.service.outcomes import ENDINGS, Outcomes, none


def test_every_ending_is_there() -> None:
    """An allow, every reason of the core, and that an allow is withheld."""
    assert set(ENDINGS) == {Claim, *get_args(Reason), Withheld, NoSession}
    assert none() == dict.fromkeys(ENDINGS, 0)


def test_counts_that_were_kept_apart_are_added() -> None:
    """Once it is certain that they are answered."""
    outcomes, apart = Outcomes(), none()
    outcomes.counts[Claim] += 1
    apart[Claim] += 2
    apart[NoRole] += 3
    outcomes.add(apart)
    assert outcomes.tally() == {**none(), Claim: 3, NoRole: 3}


def test_a_tally_stays_as_it_was() -> None:
    """Whoever reads has a copy."""
    outcomes = Outcomes()
    tally = outcomes.tally()
    outcomes.counts[NoRole] += 1
    assert tally == none()
