"""Requests are counted by route and status, their durations in fixed buckets."""

import pytest

from grantproof.service.requests import BOUNDS, Requests


@pytest.mark.parametrize(
    ("seconds", "place"),
    [
        (0.0, 0),
        (BOUNDS[0], 0),
        (BOUNDS[0] * 1.01, 1),
        (0.000_1, 1),
        (0.001, 4),
        (0.001_1, 5),
        (BOUNDS[-1], len(BOUNDS) - 1),
        (BOUNDS[-1] * 1.01, len(BOUNDS)),
        (1e9, len(BOUNDS)),
    ],
)
def test_a_duration_belongs_to_the_first_bucket_that_holds_it(seconds: float, place: int) -> None:
    """The bound itself is in; what is beyond all bounds has a bucket of its own."""
    requests = Requests()
    requests.count("/evaluate", 200, seconds)
    durations = requests.tally().durations["/evaluate", 2]
    assert durations.buckets == [int(one == place) for one in range(len(BOUNDS) + 1)]
    assert durations.seconds == seconds


def test_the_bounds_are_from_50_microseconds_to_10_seconds_in_order() -> None:
    """Sorted, for they are searched by halves."""
    assert (BOUNDS[0], BOUNDS[-1]) == (0.000_05, 10)
    assert list(BOUNDS) == sorted(set(BOUNDS))


def test_statuses_are_counted_each_and_durations_by_class() -> None:
    """What is quick because it failed does not make the others look quick."""
    requests = Requests()
    for status in (200, 201, 404, 404, 503):
        requests.count("/x", status, 0.5)
    tally = requests.tally()
    assert tally.answered == {("/x", 200): 1, ("/x", 201): 1, ("/x", 404): 2, ("/x", 503): 1}
    counts = {series: sum(found.buckets) for series, found in tally.durations.items()}
    assert counts == {("/x", 2): 2, ("/x", 4): 2, ("/x", 5): 1}
    assert tally.durations["/x", 4].seconds == 1.0


def test_known_routes_are_there_from_the_start() -> None:
    """With 0, so that the first request is an increase."""
    tally = Requests(["/a", "/b"]).tally()
    assert tally.answered == {("/a", 200): 0, ("/b", 200): 0}
    assert [sum(found.buckets) for found in tally.durations.values()] == [0, 0]


def test_a_tally_stays_as_it_was() -> None:
    """Whoever reads has a copy, whatever is counted meanwhile."""
    requests = Requests(["/a"])
    tally = requests.tally()
    requests.count("/a", 200, 1.0)
    assert tally == Requests(["/a"]).tally()
    assert tally != requests.tally()
