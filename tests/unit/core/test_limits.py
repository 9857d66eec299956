"""The bounds themselves: their values are part of what is promised."""

from grantproof.core import limits

BOUNDS = {name: value for name, value in vars(limits).items() if name.isupper()}


def test_integers_are_those_of_64_bits() -> None:
    """A value has 64 bits with a sign."""
    assert (limits.INTEGER_MIN, limits.INTEGER_MAX) == (-(2**63), 2**63 - 1)


def test_instants_go_from_1970_to_9999() -> None:
    """The last instant is the last second of the year 9999."""
    days = 2_932_897
    assert (0, days * 86_400 - 1) == (limits.INSTANT_MIN, limits.INSTANT_MAX)


def test_every_other_bound_is_a_positive_integer() -> None:
    """No bound but the lowest values forbids everything."""
    lowest = {"INTEGER_MIN", "INSTANT_MIN"}
    assert all(type(value) is int for value in BOUNDS.values())
    assert [name for name, value in BOUNDS.items() if value <= 0] == sorted(lowest, reverse=True)
