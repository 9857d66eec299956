"""What if: a decision as it is, and as it would be in another context or after a change.

Nothing is consumed, committed or logged. Both decisions are made by the reference, on the same
counters: what was used stays used, whatever is supposed.
"""

from dataclasses import dataclass
from typing import TypeVar

from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.constraints import Context
from grantproof.core.matching import Request
from grantproof.core.metering import Readings, evaluate
from grantproof.core.organization import Organization
from grantproof.core.policy import Decision
from grantproof.service.pip import NOTHING_SUPPLIED, Supplied, situate

Said = TypeVar("Said")


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is supposed of the context; what is left out stays as the request says it.

    `instant` is in epoch seconds: the hour, the weekday and the year are those of then, unless the
    hour and the weekday are supposed too.
    """

    supplied: Supplied = NOTHING_SUPPLIED
    instant: int | None = None


@dataclass(frozen=True, slots=True)
class Sides:
    """The decision as it is and as it would be, each with its instant (epoch seconds)."""

    before: Decision
    after: Decision
    now: int
    then: int


def decide_both(
    state: Organization,
    supposed: Organization,
    *,
    requests: tuple[Request, Request],
    contexts: tuple[Context, Context],
    readings: Readings,
) -> Sides:
    """Return the decision on the state, and that on the supposed one, each in its own context.

    The requests are one, but that a session may have ended by the time that is supposed.
    """
    now, then = contexts
    asked, supposedly_asked = requests
    return Sides(
        evaluate(state, asked, now, readings=readings),
        evaluate(supposed, supposedly_asked, then, readings=readings),
        now.instant,
        then.instant,
    )


def contexts_of(
    instant: int, time_zone: str, said: Supplied, *, supposed: Supposition
) -> tuple[Context, Context]:
    """Return the context of the request as it is, and the one that is supposed."""
    then = instant if supposed.instant is None else supposed.instant
    return (
        situate(instant, time_zone, said),
        situate(then, time_zone, _over(said, supposed.supplied)),
    )


def _over(said: Supplied, supposed: Supplied) -> Supplied:
    """Return what is supposed, and where it says nothing what is said; attributes as a whole."""
    attributes = supposed.attributes
    return Supplied(
        region=_first(supposed.region, said.region),
        position=_first(supposed.position, said.position),
        attributes=said.attributes if attributes == NO_ATTRIBUTES else attributes,
        hour=_first(supposed.hour, said.hour),
        weekday=_first(supposed.weekday, said.weekday),
        usage=_first(supposed.usage, said.usage),
        rate=_first(supposed.rate, said.rate),
    )


def _first(one: Said | None, other: Said | None) -> Said | None:
    return other if one is None else one
