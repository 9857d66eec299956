"""Percentiles, ratios and the order of runs: what would be wrong silently."""

from functools import partial

import pytest

from bench.measure import Rates, interleaved, percentile, ratio, summed_up


@pytest.mark.parametrize(
    ("share", "expected"), [(0.5, 50), (0.99, 99), (0.999, 100), (1.0, 100), (0.001, 1)]
)
def test_a_percentile_is_of_the_nearest_rank(share: float, expected: int) -> None:
    """Of the numbers from 1 to 100, the 99th is p99, and only the greatest exceeds it."""
    assert percentile(range(1, 101), share) == expected


def test_a_single_figure_is_every_percentile() -> None:
    """One measurement is all that there is."""
    assert {percentile([7], share) for share in (0.01, 0.5, 0.999)} == {7}


def test_what_one_in_a_hundred_waits_is_beyond_p99() -> None:
    """One slow of a hundred does not show in p99, two do, and one of a thousand in p999 only."""
    assert summed_up([1] * 99 + [9]).p99 == 1
    assert summed_up([9, *[1] * 98, 9]).p99 == 9
    assert summed_up([1] * 998 + [9] * 2).p999 == 9


def test_a_ratio_is_taken_within_each_run() -> None:
    """A machine that is twice as slow in one run changes no ratio, which that of medians would."""
    rates = {"one": Rates((10.0, 20.0, 40.0)), "other": Rates((5.0, 10.0, 20.0))}
    found = ratio(rates, "one", over="other")
    assert (found.median, found.least, found.most) == (2.0, 2.0, 2.0)
    uneven = {"one": Rates((10.0, 30.0, 40.0)), "other": Rates((5.0, 10.0, 20.0))}
    assert ratio(uneven, "one", over="other").most == 3.0


def test_every_run_begins_with_another() -> None:
    """Each goes as often as any other, and none always comes after the same one."""
    order: list[str] = []

    def noting(name: str) -> float:
        order.append(name)
        return float(len(order))

    rates = interleaved({name: partial(noting, name) for name in "abc"}, runs=3)
    assert "".join(order[-9:]) == "abcbcacab"
    assert [rate - 9 for rate in rates["a"].runs] == [1.0, 6.0, 8.0]
