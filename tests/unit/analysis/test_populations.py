"""Sets of principals as bits: the same sets, whatever they are made of."""

from grantproof.analysis.populations import Numbering, lowest, places
from grantproof.core.identifiers import PrincipalId

IDS = [PrincipalId(f"p{number:03}") for number in range(300)]
NUMBERING = Numbering(reversed(IDS))


def test_a_set_holds_who_was_put_in() -> None:
    """Across the bounds of bytes, in the order of ids, the least one first."""
    some = [IDS[at] for at in (299, 8, 7, 64, 0)]
    people = NUMBERING.principals(NUMBERING.mask(some))
    assert (list(people), len(people), people.least) == (sorted(some), 5, IDS[0])


def test_nobody_is_no_bit() -> None:
    """The empty set has no members and is no number but 0."""
    assert NUMBERING.mask([]) == 0
    assert list(NUMBERING.principals(0)) == []


def test_places_are_listed_lowest_first() -> None:
    """As many as there are, and the lowest is found alone."""
    assert list(places(0b1000_0000_0101)) == [0, 2, 11]
    assert lowest(0b1000) == 3
