"""What the nearest claim lacks, compiled: its id and the reason in words.

Of claims that look at hour, region and counts alone, of which none grants. What comes out is what
`messages.reason_message` says of `policy.nearest_failure`, without a context made for it. P-INDEX.
"""

from functools import lru_cache
from typing import Any, Final

from grantproof.core.constraints import (
    DAYS_PER_WEEK,
    HOURS_PER_DAY,
    Constraint,
    GeoFence,
    MaxUsage,
    Observation,
    RateLimit,
    TimeWindow,
    window_holds,
)
from grantproof.core.messages import around, failure_message
from grantproof.core.ways import Grants, Way, near

REMEMBERED_MAX: Final = 16_384
"""Of so many actions on resources it is remembered; after that all is forgotten."""
WINDOWS_REMEMBERED_MAX: Final = 1_024

AT: Final = 0
REGION: Final = 1
USAGE: Final = 2
RATE: Final = 3
"""What a constraint looks at."""


Row = tuple[int, Any, str, str, str]
"""A constraint as one row: what it looks at, what that must be, and what is said where it is not.

What it must be is what is said in each hour of the week, the regions, or the first count that is
too many. What was seen stands between the next two, unless it was missing, which is the last. A row
without names, as only plain tuples are unpacked at once.
"""

Known = tuple[frozenset[str], str, tuple[Row, ...]]
"""To whom a claim is open, its id and what its constraints say, in its order."""


class Shortfalls:
    """Finds what claims lack; remembers what each of them says. For one thread."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, tuple[Known, ...]]] = {}

    def nearest(  # noqa: C901, PLR0917 - one loop, called often: keywords would cost a tenth of it
        self,
        grants: Grants,
        roles: tuple[str, ...],
        at: int,
        region: str | None,
        usage: int | None,
        rate: int | None,
    ) -> tuple[str, str]:
        """Return the claim with the fewest failing constraints, the least id first; and why.

        Some claim of the grants is open to the roles, none of those grants, and none looks at more
        than what is given. `at` is the hour of the week, 24 * weekday + hour.
        """
        # What is known stands beside what has the address, so nothing else can be there.
        _, known = self._known.get(id(grants)) or self._learn(grants)
        if grants.by_role is not None:
            known = tuple(self._of(way) for way in near(grants.by_role, roles))
        fewest, nearest, why = 0, "", ""
        for open_to, claim, rows in known:
            # Where there is one claim, it is open to them.
            if len(known) > 1 and open_to.isdisjoint(roles):
                continue
            failing, told = 0, ""
            for of, wanted, before, after, missing in rows:
                if of == AT:
                    said = wanted[at]
                    if said is None:
                        continue
                elif of == REGION:
                    if region in wanted:
                        continue
                    said = missing if region is None else f"{before}{region}{after}"
                else:
                    count = usage if of == USAGE else rate
                    if count is not None and count < wanted:
                        continue
                    said = missing if count is None else f"{before}{count}{after}"
                told = f"{told}; {said}" if failing else said
                failing += 1
            if fewest == 0 or (failing, claim) < (fewest, nearest):
                fewest, nearest, why = failing, claim, told
        return nearest, why

    def _learn(self, grants: Grants) -> tuple[object, tuple[Known, ...]]:
        # Of many claims each is learned when it is wanted.
        ways = grants.ways if grants.by_role is None else ()
        return self._keep(grants, tuple(_known(way) for way in ways))

    def _of(self, way: Way) -> Known:
        _, (known,) = self._known.get(id(way)) or self._keep(way, (_known(way),))
        return known

    def _keep(self, owner: object, known: tuple[Known, ...]) -> tuple[object, tuple[Known, ...]]:
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        kept = self._known[id(owner)] = owner, known
        return kept


def _known(way: Way) -> Known:
    claim = way[-1].claim
    return way[0], str(claim.id), tuple(_row(constraint) for constraint in claim.constraints)


def _row(constraint: Constraint) -> Row:
    match constraint:
        case TimeWindow():
            return AT, _hours(constraint), "", "", ""
        case GeoFence(regions):
            before, after = around(constraint)
            return REGION, regions, f"{before}`", f"`{after}", _missing(constraint)
        case MaxUsage(limit):
            return USAGE, limit, *around(constraint), _missing(constraint)
        case RateLimit(per_minute):
            return RATE, per_minute, *around(constraint), _missing(constraint)
        case _:
            message = f"{type(constraint).__name__} looks at more than hour, region and counts"
            raise TypeError(message)


def _missing(constraint: Constraint) -> str:
    return failure_message(Observation(constraint, (None,), held=False))


@lru_cache(WINDOWS_REMEMBERED_MAX)
def _hours(window: TimeWindow) -> tuple[str | None, ...]:
    """Return what is said of the window in each hour of the week."""
    return tuple(
        None
        if window_holds(window, hour, weekday)
        else failure_message(Observation(window, (hour, weekday), held=False))
        for weekday in range(DAYS_PER_WEEK)
        for hour in range(HOURS_PER_DAY)
    )
