"""Sampling: as many as the share says, chosen by nothing but chance."""

from collections import Counter
from random import Random

import pytest

from grantproof.service.sampling import NEVER, NoChance, Sampler


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
