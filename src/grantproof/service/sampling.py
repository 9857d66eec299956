"""Sampling: which of many is looked at, by chance, at the cost of one comparison for the others."""

import math
from typing import Final, Protocol

NEVER: Final = 2**62
"""So many that they are never reached."""
DRAWN_BYTES: Final = 8


class Chance(Protocol):
    """A source of random bytes that nobody can guess."""

    def draw(self, count: int) -> bytes:
        """Return so many random bytes."""
        ...


class NoChance:
    """For what is always done, or never."""

    def draw(self, count: int) -> bytes:
        """Raise, for nobody is to draw."""
        message = f"{count} random bytes were drawn without a source of chance"
        raise RuntimeError(message)


class Sampler:
    """Draws how many go by until the next that is looked at: each is, with a chance of `share`."""

    def __init__(self, share: float, chance: Chance) -> None:
        self._share = share
        self._chance = chance

    def gap(self) -> int:
        """Return the number of the next one, 1 for the very next; `NEVER` for a share of 0.

        Distributed as if each were drawn on its own (the geometric distribution).
        """
        if self._share <= 0:
            return NEVER
        if self._share >= 1:
            return 1
        drawn = int.from_bytes(self._chance.draw(DRAWN_BYTES)) + 1
        part = drawn / 2 ** (8 * DRAWN_BYTES)
        return 1 + min(NEVER, int(math.log(part) / math.log1p(-self._share)))


class Subsample:
    """Draws which of those that are looked at are of a smaller share: a part of a sample."""

    def __init__(self, share: float, *, of: float, chance: Chance) -> None:
        """`share` is at most `of`, with which the whole sample is drawn."""
        self._sampler = Sampler(share / of if of > 0 else 0.0, chance)
        self._until = self._sampler.gap()

    def takes(self) -> bool:
        """Return whether it takes the next of the sample."""
        self._until -= 1
        if self._until > 0:
            return False
        self._until = self._sampler.gap()
        return True
