"""Sets of principals as bits of one whole number each: joined, met and counted in a few steps.

A bit is a principal's place among all the ids in order, so the lowest bit is the least id. A set of
100,000 principals takes 12.5 kB, and two of them are joined in a microsecond.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grantproof.core.identifiers import PrincipalId

Mask = int
"""The principals whose bits are set."""

BYTE = 8


class Numbering:
    """The places of ids among all ids in order."""

    def __init__(self, ids: Iterable[PrincipalId]) -> None:
        self.ids: tuple[PrincipalId, ...] = tuple(sorted(ids))
        self._places: Mapping[PrincipalId, int] = {one: at for at, one in enumerate(self.ids)}

    def place(self, principal: PrincipalId) -> int:
        """Return the bit of the principal, which must be one of the ids."""
        return self._places[principal]

    def mask(self, principals: Iterable[PrincipalId]) -> Mask:
        """Return the set of these principals."""
        return mask_of((self._places[one] for one in principals), size=len(self.ids))

    def principals(self, mask: Mask) -> "Population":
        """Return the principals of the set."""
        return Population(self.ids, mask)


@dataclass(frozen=True, slots=True)
class Population:
    """Some of the ids, in order: counted at once, listed one by one."""

    ids: tuple[PrincipalId, ...]
    mask: Mask

    def __len__(self) -> int:
        return self.mask.bit_count()

    def __iter__(self) -> Iterator[PrincipalId]:
        return (self.ids[place] for place in places(self.mask))

    @property
    def least(self) -> PrincipalId:
        """The least id of a set that is not empty."""
        return self.ids[lowest(self.mask)]


def mask_of(some: Iterable[int], *, size: int) -> Mask:
    """Return the set of the places, all below `size`."""
    bits = bytearray(size // BYTE + 1)
    for place in some:
        bits[place // BYTE] |= 1 << place % BYTE
    return int.from_bytes(bits, "little")


def places(mask: Mask) -> Iterator[int]:
    """Yield the places in the set, lowest first."""
    for at, byte in enumerate(mask.to_bytes(mask.bit_length() // BYTE + 1, "little")):
        if byte:
            yield from (at * BYTE + bit for bit in range(BYTE) if byte >> bit & 1)


def lowest(mask: Mask) -> int:
    """Return the lowest place in a set that is not empty."""
    return (mask & -mask).bit_length() - 1
