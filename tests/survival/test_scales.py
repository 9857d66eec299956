"""The table of scales: what is chosen, and that the full scale is the larger one."""

from dataclasses import astuple, fields

import pytest

from tests.survival.scales import SCALES, Scale, chosen


def test_nothing_chosen_is_the_small_scale_and_a_wrong_name_is_refused() -> None:
    """A typing error must not run the small scale under the name of the full one."""
    assert chosen("") is chosen("small") is SCALES["small"]
    assert chosen("full") is SCALES["full"]
    with pytest.raises(ValueError, match="must be one of small, full, not `fulll`"):
        chosen("fulll")


def test_the_full_scale_is_what_is_promised() -> None:
    """Ten kills amid a thousand changes, 64 administrators for 30 s, 100,000 requests."""
    full, small = SCALES["full"], SCALES["small"]
    assert (full.kills, full.writes) == (10, 1_000)
    assert (full.racers, full.racing_seconds) == (64, 30)
    assert full.hostile_requests == 100_000
    names = [field.name for field in fields(Scale)]
    pairs = zip(names, astuple(small), astuple(full), strict=True)
    assert [name for name, few, many in pairs if few >= many] == []
