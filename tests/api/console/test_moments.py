"""Moments on pages: told in the time zone of the organization and in UTC, typed as clocks show."""

import pytest

from grantproof.api.console.moments import RULE, SKIPPED, Told, Zone
from grantproof.core.errors import Illegal
from grantproof.core.limits import INSTANT_MAX

PARIS = Zone("Europe/Paris")
UTC = Zone("UTC")


@pytest.mark.parametrize(
    ("zone", "seconds", "told"),
    [
        ("UTC", 0, Told("1970-01-01T00:00:00+00:00", "1970-01-01 00:00 UTC", None)),
        ("UTC", 5, Told("1970-01-01T00:00:05+00:00", "1970-01-01 00:00:05 UTC", None)),
        (
            "Europe/Paris",
            1_782_900_000,
            Told("2026-07-01T10:00:00+00:00", "2026-07-01 12:00 CEST", "10:00 UTC"),
        ),
        (
            "America/New_York",
            1_767_229_200,
            Told("2026-01-01T01:00:00+00:00", "2025-12-31 20:00 EST", "2026-01-01 01:00 UTC"),
        ),
        (
            "Asia/Tokyo",
            INSTANT_MAX,
            Told("9999-12-31T23:59:59+00:00", "9999-12-31 23:59:59 UTC", None),
        ),
    ],
)
def test_a_moment_is_told_there_and_in_utc(zone: str, seconds: int, told: Told) -> None:
    """UTC once where it is the same, with the day where that differs, and never past the end."""
    assert Zone(zone).told(seconds) == told


def test_seconds_are_left_out_where_they_do_not_matter() -> None:
    """Of an event a minute says enough; of what is exact all is told."""
    assert PARIS.told(1_782_900_007, exact=False).local == "2026-07-01 12:00 CEST"
    assert PARIS.told(1_782_900_007).utc == "10:00:07 UTC"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", None),
        ("2026-07-01T12:00", 1_782_900_000),
        ("2026-07-01T12:00:30", 1_782_900_030),
        ("2026-07-01 12:00", 1_782_900_000),
        ("2026-07-01 12:00:30", 1_782_900_030),
        ("2026-07-01", 1_782_856_800),
        ("2026-07-01T10:00:00Z", 1_782_900_000),
        ("2026-07-01T06:00:00-04:00", 1_782_900_000),
        ("1782900000", 1_782_900_000),
        # Clocks are put back at 03:00: this comes twice, and the first is meant.
        ("2026-10-25T02:30", 1_792_888_200),
    ],
)
def test_what_was_typed_is_read(text: str, seconds: int | None) -> None:
    """Without an offset as clocks in Paris show it."""
    assert PARIS.typed("from", text) == seconds


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("tomorrow", RULE),
        ("2026-02-30T09:00", RULE),
        ("2026-07", RULE),
        ("2026-07-01 12", RULE),
        ("2026-07-01 noon", RULE),
        ("12:00", RULE),
        ("²", RULE),
        ("9" * 19, RULE),
        ("2026-03-29T02:30", SKIPPED),
        ("1969-12-31T23:00", "must lie between the years 1970 and 9999"),
    ],
)
def test_what_is_no_moment_is_refused_by_its_field(text: str, rule: str) -> None:
    """Also a time that no clock showed."""
    with pytest.raises(Illegal) as refused:
        PARIS.typed("until", text)
    assert (refused.value.field, refused.value.rule) == ("until", rule)


@pytest.mark.parametrize("seconds", [1_782_900_000, 1_782_900_030, 0])
def test_what_a_field_shows_is_read_as_the_same(seconds: int) -> None:
    """So that a form that is shown again means what it meant."""
    for zone in (PARIS, UTC):
        assert zone.typed("from", zone.field(seconds)) == seconds
    assert PARIS.field(None) == ""
