"""Moments as people read and type them: in the time zone of the organization, and in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, cast
from zoneinfo import ZoneInfo

from pydantic_core import PydanticCustomError

from grantproof.core.errors import Illegal
from grantproof.core.limits import INSTANT_MAX
from grantproof.policyfile.fields import read_instant

SHORT: Final = "%Y-%m-%d %H:%M"
LONG: Final = "%Y-%m-%d %H:%M:%S"
RULE: Final = "must be a day, and a time if it matters, such as `2026-01-31 09:00`"
SKIPPED: Final = "is a time that no clock showed there that day: clocks were put forward"
DIGITS_MAX: Final = 18
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """A moment: for machines, as clocks of the organization show it, and in UTC if that differs."""

    machine: str
    local: str
    utc: str | None


class Zone:
    """The time zone of an organization, by its IANA name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._zone = ZoneInfo(name)

    def told(self, seconds: int, *, exact: bool = True) -> Told:
        """Return the moment of epoch seconds; if `exact` with the seconds, where there are any."""
        utc = datetime.fromtimestamp(seconds, UTC)
        here = _moved(utc, self._zone)
        form = LONG if exact and utc.second else SHORT
        local = f"{here.strftime(form)} {here.tzname()}"
        if here.utcoffset() == timedelta(0):
            return Told(utc.isoformat(), local, None)
        same_day = here.date() == utc.date()
        told = utc.strftime(form[len("%Y-%m-%d ") :] if same_day else form)
        return Told(utc.isoformat(), local, f"{told} UTC")

    def field(self, seconds: int | None) -> str:
        """Return what a field of a form shows for epoch seconds; nothing is empty."""
        if seconds is None:
            return ""
        here = _moved(datetime.fromtimestamp(seconds, UTC), self._zone)
        return here.strftime(LONG if here.second else SHORT)

    def typed(self, name: str, text: str) -> int | None:
        """Return the epoch seconds of what was typed for a field; empty is nothing.

        Without an offset it is a time of the zone, without a time the beginning of the day; of one
        that comes twice, when clocks are put back, the first is meant. Raises `Illegal`.
        """
        if text == "":
            return None
        if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX:
            return int(text)
        try:
            here = datetime.strptime(_whole(text), LONG).replace(tzinfo=self._zone)
        except ValueError:
            return _with_offset(name, text)
        return self._seconds(name, here)

    def _seconds(self, name: str, here: datetime) -> int:
        seconds = int((here - EPOCH).total_seconds())
        if not 0 <= seconds <= INSTANT_MAX:
            raise Illegal(name, "must lie between the years 1970 and 9999")
        shown = datetime.fromtimestamp(seconds, self._zone)
        if shown.replace(tzinfo=None) != here.replace(tzinfo=None):
            raise Illegal(name, SKIPPED)
        return seconds


def _with_offset(name: str, text: str) -> int:
    try:
        return cast("int", read_instant(text))
    except PydanticCustomError:
        raise Illegal(name, RULE) from None


def _whole(text: str) -> str:
    """Return the text of a day, an hour and a minute with all that was left out, which is 0."""
    day, _, time = text.replace("T", " ", 1).partition(" ")
    time = time or "00:00"
    return f"{day} {time if time.count(':') > 1 else f'{time}:00'}"


def _moved(utc: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment in the zone; in UTC where the zone would pass the end of the calendar."""
    try:
        return utc.astimezone(zone)
    except OverflowError:
        return utc
