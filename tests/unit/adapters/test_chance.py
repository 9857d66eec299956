"""Chance: as much as was asked for, and never the same twice."""

from grantproof.adapters.chance import SystemChance


def test_draws_differ_and_have_the_length_that_was_asked_for() -> None:
    """A hundred draws of 256 bits, all different."""
    drawn = {SystemChance().draw(32) for _ in range(100)}
    assert len(drawn) == 100
    assert {len(one) for one in drawn} == {32}
