"""The information point: what the clocks of a time zone show, and until when they show it."""

import pytest

from grantproof.core.limits import INSTANT_MAX
from grantproof.service.pip import LocalTime, local_time

HOUR = 3_600
MINUTE = 60

PARIS_FORWARD, PARIS_BACK = 1_774_746_000, 1_792_890_000
"""The last Sundays of March and October 2026, at one o'clock in UTC."""
CHATHAM_BACK, CHATHAM_FORWARD = 1_775_311_200, 1_790_431_200
"""At a quarter to four clocks go back to a quarter to three; at a quarter to three forward."""
LORD_HOWE_BACK, LORD_HOWE_FORWARD = 1_775_314_800, 1_791_041_400
"""At two o'clock clocks go back half an hour; at two o'clock forward half an hour."""
NEW_YEAR = 1_798_761_600
"""The beginning of the year 2027 in UTC."""


def shown(instant: int, zone: str) -> tuple[int, int, int]:
    """Hour, weekday and year."""
    local = local_time(instant, zone)
    return local.hour, local.weekday, local.year


@pytest.mark.parametrize(
    ("zone", "turn", "before", "after"),
    [
        ("UTC", NEW_YEAR, (23, 3, 2026), (0, 4, 2027)),
        ("Asia/Kathmandu", NEW_YEAR, (5, 4, 2027), (5, 4, 2027)),
        ("Europe/Paris", PARIS_FORWARD, (1, 6, 2026), (3, 6, 2026)),
        ("Europe/Paris", PARIS_BACK, (2, 6, 2026), (2, 6, 2026)),
        ("Pacific/Chatham", CHATHAM_BACK, (3, 6, 2026), (2, 6, 2026)),
        ("Pacific/Chatham", CHATHAM_FORWARD, (2, 6, 2026), (3, 6, 2026)),
        ("Australia/Lord_Howe", LORD_HOWE_BACK, (1, 6, 2026), (1, 6, 2026)),
        ("Australia/Lord_Howe", LORD_HOWE_FORWARD, (1, 6, 2026), (2, 6, 2026)),
    ],
)
def test_clocks_are_set_as_the_zone_says(
    zone: str, turn: int, before: tuple[int, int, int], after: tuple[int, int, int]
) -> None:
    """The hour before and at the turn; until the end that is told nothing shown changes."""
    assert (shown(turn - 1, zone), shown(turn, zone)) == (before, after)
    for instant in range(turn - 2 * HOUR, turn + 2 * HOUR, MINUTE):
        end = local_time(instant, zone).hour_ends
        assert instant < end <= instant + HOUR
        lasting = {shown(later, zone) for later in (*range(instant, end, MINUTE), end - 1)}
        assert lasting == {shown(instant, zone)}


def test_an_hour_ends_where_another_begins() -> None:
    """Not before, on a day on which no clock is set."""
    for minutes in range(60):
        instant = NEW_YEAR + minutes * MINUTE
        assert local_time(instant, "UTC").hour_ends == NEW_YEAR + HOUR
        quarter = 15 if minutes < 15 else 75
        assert local_time(instant, "Asia/Kathmandu").hour_ends == NEW_YEAR + quarter * MINUTE


@pytest.mark.parametrize(
    ("instant", "zone", "local"),
    [
        (INSTANT_MAX, "UTC", LocalTime(23, 4, 9999, INSTANT_MAX + 1)),
        (INSTANT_MAX, "Europe/Paris", LocalTime(0, 5, 10_000, INSTANT_MAX + 1)),
        (INSTANT_MAX - HOUR, "Europe/Paris", LocalTime(23, 4, 9999, INSTANT_MAX + 1 - HOUR)),
        (INSTANT_MAX, "Pacific/Kiritimati", LocalTime(13, 5, 10_000, INSTANT_MAX + 1)),
        (0, "America/New_York", LocalTime(19, 2, 1969, HOUR)),
    ],
)
def test_every_instant_has_a_local_time(instant: int, zone: str, local: LocalTime) -> None:
    """Also the first and the last, where the zone is in the year before or after."""
    assert local_time(instant, zone) == local
