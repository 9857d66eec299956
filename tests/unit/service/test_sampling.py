"""Sampling: as many as the share says, chosen by nothing but chance."""

from collections import Counter
from random import Random

import pytest

from grantproof.core.model import Assignment
from grantproof.service.cases import Asked, reference
from grantproof.service.contracts import Contracts, Shares
from grantproof.service.sampling import NEVER, NoChance, Sampler, Subsample
from tests.organizations import ANN, CLERK, NOON, asks, claim, library, made_of, people, roles

STATE = made_of(*people(ANN), *roles(CLERK), *library(), claim(), Assignment(ANN, CLERK))
ASKED = Asked(STATE, asks(), NOON)
DECISIONS = 40_000


class Drawn:
    """Chance that repeats itself from run to run."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def draw(self, count: int) -> bytes:
        """So many bytes."""
        return self._random.randbytes(count)


class Fixed:
    """Chance that always draws the same."""

    def __init__(self, byte: bytes) -> None:
        self._byte = byte

    def draw(self, count: int) -> bytes:
        """So many of the byte."""
        return self._byte * count


def test_all_and_none_take_no_chance() -> None:
    """The very next one, or none ever."""
    assert Sampler(1.0, NoChance()).gap() == 1
    assert Sampler(0.0, NoChance()).gap() == NEVER
    with pytest.raises(RuntimeError, match="without a source of chance"):
        Sampler(0.5, NoChance()).gap()


def test_a_tenth_is_a_tenth_and_has_no_rhythm() -> None:
    """Gaps of ten on the average, short ones and long ones, the shortest the most frequent."""
    sampler = Sampler(0.1, Drawn(1))
    gaps = Counter(sampler.gap() for _ in range(5_000))
    mean = sum(gap * count for gap, count in gaps.items()) / 5_000
    assert 9.5 < mean < 10.5
    assert gaps.most_common(1)[0][0] == 1
    assert max(gaps) > 50


@pytest.mark.parametrize("byte", [b"\x00", b"\xff"])
@pytest.mark.parametrize("share", [1e-12, 0.001, 0.5, 1 - 1e-12])
def test_the_extremes_of_chance_are_gaps_too(byte: bytes, share: float) -> None:
    """At least one, at most never."""
    assert 1 <= Sampler(share, Fixed(byte)).gap() <= NEVER + 1


def test_a_part_of_a_sample_has_its_share_of_all() -> None:
    """A quarter of what is sampled twice as often is half of it; all and none take no chance."""
    half = Subsample(0.25, of=0.5, chance=Drawn(2))
    assert 4_700 < sum(half.takes() for _ in range(10_000)) < 5_300
    for share, of, taken in ((0.1, 0.1, 5), (0.0, 0.1, 0), (0.0, 0.0, 0)):
        part = Subsample(share, of=of, chance=NoChance())
        assert sum(part.takes() for _ in range(5)) == taken


@pytest.mark.parametrize(
    ("shares", "looks", "certificates", "shadows"),
    [
        (Shares(certificates=0.02, shadow=0.02), 800, 800, 800),
        (Shares(certificates=0.005, shadow=0.02), 800, 200, 800),
        (Shares(certificates=0.02, shadow=0.005), 800, 800, 200),
        (Shares(certificates=0.0, shadow=0.02), 800, 0, 800),
        (Shares(certificates=0.0, shadow=0.0), 0, 0, 0),
    ],
)
def test_one_look_is_for_both_checks(
    shares: Shares, looks: int, certificates: int, shadows: int
) -> None:
    """Each check is made as often as its share says, and no decision is looked at for nothing."""
    contracts = Contracts(shares, chance=Drawn(3))
    inspection, outcome, looked = contracts.inspection, reference(ASKED), 0
    for _ in range(DECISIONS):
        inspection.left -= 1
        if inspection.left <= 0:
            looked += 1
            assert inspection.look(ASKED, outcome) is outcome
    checks = contracts.tally().checks
    found = looked, checks["certificate"], checks["shadow"]
    assert looked == max(found[1:])
    for many, expected in zip(found, (looks, certificates, shadows), strict=True):
        assert abs(many - expected) <= expected / 5
