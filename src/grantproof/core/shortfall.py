"""What the nearest claim lacks, compiled: its id and the reason in words.

Of claims that look at hour, region and counts alone, of which none grants. What comes out is what
`messages.reason_message` says of `policy.nearest_failure`, without a context made for it. P-INDEX.
"""

from typing import Any, Final

from grantproof.core.candidates import Candidate, timetable
from grantproof.core.constraints import (
    DAYS_PER_WEEK,
    HOURS_PER_DAY,
    Constraint,
    GeoFence,
    MaxUsage,
    Observation,
    RateLimit,
    TimeWindow,
)
from grantproof.core.messages import around, failure_message, moment
from grantproof.core.ways import Grants, near

REMEMBERED_MAX: Final = 16_384
"""Of so many claims it is remembered what they say; after that all is forgotten."""

AT: Final = 0
REGION: Final = 1
USAGE: Final = 2
RATE: Final = 3
"""What a constraint looks at."""

MOMENTS: Final = tuple(
    moment(hour, weekday) for weekday in range(DAYS_PER_WEEK) for hour in range(HOURS_PER_DAY)
)
"""What is said of each hour of the week."""

Row = tuple[int, Any, str, str, str]
"""A constraint as one row: what it looks at, what that must be, and what is said where it is not.

What it must be is the timetable, the regions, or the first count that is too many. What was seen
stands between the next two, unless it was missing, which is the last. A row without names, as only
plain tuples are unpacked at once.
"""

Seen = str | int | None

Known = tuple[str, tuple[Row | None, ...], tuple[Row, ...]]
"""The id of a claim, its only constraint on each of what they look at, and all in its order."""


class Shortfalls:
    """Finds what claims lack; remembers what each of them says. For one thread."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Candidate, Known] = {}

    def nearest(  # noqa: PLR0917 - one loop, called often: keywords would cost a tenth of it
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
        fewest, nearest, why = 0, "", ""
        ways = grants.ways if grants.by_role is None else near(grants.by_role, roles)
        for holding, hours, regions, usage_below, rate_below, _, _, candidate in ways:
            # Where there is one claim, it is open to them.
            if len(ways) > 1 and holding.isdisjoint(roles):
                continue
            claim, only, rows = self._known.get(candidate) or self._learn(candidate)
            failing, of = 0, AT
            saw: Seen = None
            if hours is not None and not hours[at]:
                failing, saw = 1, MOMENTS[at]
            if regions is not None and region not in regions:
                failing, of, saw = failing + 1, REGION, region
            if usage_below is not None and (usage is None or usage >= usage_below):
                failing, of, saw = failing + 1, USAGE, usage
            if rate_below is not None and (rate is None or rate >= rate_below):
                failing, of, saw = failing + 1, RATE, rate
            row = only[of]
            if failing == 1 and row is not None:
                # Most often one fails, and nothing else looks at what it does.
                _, _, before, after, missing = row
                told = missing if saw is None else f"{before}{saw}{after}"
            else:
                failing, told = _lacked(rows, (MOMENTS[at], region, usage, rate), at)
            if fewest == 0 or (failing, claim) < (fewest, nearest):
                fewest, nearest, why = failing, claim, told
        return nearest, why

    def _learn(self, candidate: Candidate) -> Known:
        if len(self._known) >= REMEMBERED_MAX:
            self._known.clear()
        known = self._known[candidate] = _known(candidate)
        return known


def _lacked(rows: tuple[Row, ...], seen: tuple[Seen, ...], at: int) -> tuple[int, str]:
    """Return how many of the constraints fail where that is seen, and what is said of them."""
    said: list[str] = []
    for of, wanted, before, after, missing in rows:
        saw = seen[of]
        if of == AT:
            holds = wanted[at]
        elif of == REGION:
            holds = saw in wanted
        else:
            holds = saw is not None and saw < wanted
        if not holds:
            said.append(missing if saw is None else f"{before}{saw}{after}")
    return len(said), "; ".join(said)


def _known(candidate: Candidate) -> Known:
    claim = candidate.claim
    rows = tuple(map(_row, claim.constraints))
    alike = [[row for row in rows if row[0] == of] for of in (AT, REGION, USAGE, RATE)]
    only = tuple(same[0] if len(same) == 1 else None for same in alike)
    return str(claim.id), only, rows


def _row(constraint: Constraint) -> Row:
    match constraint:
        case TimeWindow():
            return AT, timetable((constraint,)), *around(constraint), ""
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
