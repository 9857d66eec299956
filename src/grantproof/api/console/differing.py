"""The difference page: who gained and who lost which access between two revisions, with proof."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Query
from starlette.responses import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.console.moments import Zone
from grantproof.api.console.places import ORGANIZATION
from grantproof.api.console.timeline import DIGITS_MAX, entry_at, number
from grantproof.api.console.visits import Visit, Visiting
from grantproof.api.problems import Fault, Problem, Refused, invalid, later, not_found
from grantproof.api.strictness import strict_router
from grantproof.core.limits import EVENTS_SEARCHED_MAX
from grantproof.core.organization import Organization
from grantproof.service.event_text import event_text
from grantproof.service.past import state_at
from grantproof.service.solving import Undetermined

if TYPE_CHECKING:
    from grantproof.service.difference_told import Told

LINES_MAX: Final = 50
"""So many gains and so many losses are shown, with the count of all."""

PROOF: Final = {
    "equal": ("good", "It is proved for every context and every time."),
    "more": ("warn", "It is proved that nothing is lost."),
    "less": ("warn", "It is proved that nothing is gained."),
    "incomparable": ("warn", ""),
    "undetermined": ("bad", "The solver gave up on requests that decide it."),
}
"""How sure it is, by the verdict: how it looks, and in words."""
COMPLETE: Final = "The list is complete, also proved."
INCOMPLETE: Final = "The list may not be complete: of some requests it is not known."

TOO_FAR_BACK: Final = Fault(
    "from", f"must be at most {EVENTS_SEARCHED_MAX} changes ago: compare copies instead"
)

router = strict_router(
    f"{ORGANIZATION}/diff", tag="console", access=ADMINISTRATION, in_document=False
)


@dataclass(frozen=True, slots=True)
class Span:
    """The two revisions that are compared."""

    first: int
    last: int


@router.get("")
def differences(
    visit: Visiting,
    *,
    first: Annotated[str, Query(alias="from", max_length=DIGITS_MAX)] = "",
    last: Annotated[str, Query(alias="to", max_length=DIGITS_MAX)] = "",
) -> Response:
    """Show what the later revision allows that the earlier one denied, and the reverse."""
    span = _span(visit, first.strip(), last.strip())
    before, after = _states(visit, span)
    found, unknown = compared(visit, before, after)
    zones = None if before.time_zone == after.time_zone else (before.time_zone, after.time_zone)
    zone = Zone(visit.state.time_zone)
    events = (entry_at(visit, span.first), entry_at(visit, span.last))
    return visit.page(
        "difference.html",
        status=200 if unknown is None else unknown.status,
        headers={} if unknown is None else dict(unknown.headers),
        span=span,
        latest=visit.state.revision,
        ends=[
            (one.revision, zone.told(one.instant, exact=False), one.actor, event_text(one))
            for one in events
            if one is not None
        ],
        found=found,
        unknown=unknown,
        proof=None if found is None else proof_of(found),
        zones=zones,
        zone=zone,
    )


def compared(
    visit: Visit, before: Organization, after: Organization
) -> "tuple[Told | None, Problem | None]":
    """Return how the states differ, in words; or the problem, where that is not known.

    Done apart, within the limits of a solver, as the route of the API does it.
    """
    from grantproof.service import difference_told  # noqa: PLC0415 - it loads the solver

    now = visit.here.services.decisions.instant()
    work = partial(difference_told.told_difference, before, after, now=now, limit=LINES_MAX)
    found = visit.here.services.solver.ask(work)
    if isinstance(found, Undetermined):
        return None, later("undetermined", f"the answer is not known: {found.why}")
    return found, None


def proof_of(found: "Told") -> tuple[str, str, str]:
    """Return how sure the difference is: how it looks, and two sentences."""
    look, told = PROOF[found.verdict.value]
    if found.unsettled:
        return look, told, INCOMPLETE
    return look, told, "" if found.verdict == "equal" else COMPLETE


def _span(visit: Visit, first: str, last: str) -> Span:
    """Return which revisions are meant; raises `Refused`.

    Without an end it is the present, without a beginning what was before the end.
    """
    end = visit.state.revision if last == "" else number("to", last)
    start = max(0, end - 1) if first == "" else number("from", first)
    for revision in (end, start):
        if revision > visit.state.revision:
            raise Refused(not_found("revision", str(revision)))
    if start > end:
        raise Refused(invalid([Fault("from", "must not be after `to`")]))
    return Span(start, end)


def _states(visit: Visit, span: Span) -> tuple[Organization, Organization]:
    """Return the states of both revisions; raises `Refused` and `StoreError`."""
    store, current = visit.here.services.store, visit.state
    if current.revision - span.first > EVENTS_SEARCHED_MAX:
        raise Refused(invalid([TOO_FAR_BACK]))
    after = state_at(store, current, span.last)
    return state_at(store, after, span.first), after
