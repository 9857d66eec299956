"""Whether a formula is true in some context: the one place that asks Z3.

An answer is a context, which is put to the test before it is given, or that there is none. Anything
else, a time-out among them, is undetermined and is said to be.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

import z3

from grantproof.analysis.encoding import Chosen, Encoding
from grantproof.analysis.favourable import guess
from grantproof.analysis.formulas import ALWAYS, NEVER, Formula, true_in
from grantproof.analysis.places import place
from grantproof.core.constraints import Context
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import AttributeName

SECONDS_MAX: Final = 10.0
PLACES_TRIED_MAX: Final = 32

HOUR: Final = 3_600
HOURS_LOOKED_AT: Final = 24 * 7


@dataclass(frozen=True, slots=True)
class Found:
    """The formula is true in this context."""

    context: Context


@dataclass(frozen=True, slots=True)
class Impossible:
    """The formula is true in no context."""


@dataclass(frozen=True, slots=True)
class Undetermined:
    """It is not known: never to be taken for either answer."""

    why: str


Solution = Found | Impossible | Undetermined
IMPOSSIBLE: Final = Impossible()

Calendar = Callable[[int], tuple[int, int, int]]
"""An instant's hour, weekday and year, in the organization's time zone."""


def universal_time(instant: int) -> tuple[int, int, int]:
    """Return the hour, the weekday and the year of the instant in UTC."""
    moment = datetime.fromtimestamp(instant, UTC)
    return moment.hour, moment.weekday(), moment.year


@dataclass(frozen=True, slots=True)
class Span:
    """Instants from `first` until before `end`, in epoch seconds; no end means for ever.

    A context is given `first`, or a later instant that agrees with the hour it is about.
    """

    first: int
    end: int | None = None

    def __contains__(self, instant: int) -> bool:
        """Return whether the instant is one of them."""
        return self.first <= instant and (self.end is None or instant < self.end)


class Solver:
    """Answers formulas, each once; `calendar` makes contexts whose hours agree with the instant."""

    def __init__(
        self, *, seconds_max: float = SECONDS_MAX, calendar: Calendar = universal_time
    ) -> None:
        self._milliseconds = max(1, int(seconds_max * 1_000))
        self._calendar = calendar
        self._known: dict[Formula, Solution] = {}
        self.asked = 0

    def solve(self, formula: Formula, span: Span) -> Solution:
        """Return a context in which the formula is true, at an instant of the span if it can be.

        Conditions look at the hour, the weekday and the year, never at the instant: where no
        instant of the span agrees with them the context has its first. A caller who is trusted to
        say what time it is could have it so, but for the year.
        """
        solution = self.decide(formula)
        if not isinstance(solution, Found):
            return solution
        return Found(self._plain(formula, solution.context, span))

    def decide(self, formula: Formula) -> Solution:
        """Return a context in which the formula is true, at no instant in particular.

        What likely contexts do not decide goes to Z3, and only that is counted in `asked`.
        """
        solution = self._known.get(formula)
        if solution is None:
            guessed = guess(formula)
            solution = self._solved(formula) if guessed is None else Found(guessed)
            self._known[formula] = solution
        return solution

    def _solved(self, formula: Formula) -> Solution:
        if formula == ALWAYS:
            return Found(Context(0, *self._calendar(0)))
        if formula == NEVER:
            return IMPOSSIBLE
        self.asked += 1
        encoding = Encoding(formula)
        solver = z3.SimpleSolver()
        solver.set("timeout", self._milliseconds)
        solver.add(*encoding.assertions)
        verdict = z3.unknown
        for tried in range(PLACES_TRIED_MAX):
            verdict = solver.check()
            if verdict == z3.unsat and tried == 0:
                return IMPOSSIBLE
            if verdict != z3.sat:
                break
            chosen = encoding.chosen(solver.model())
            found = _context(chosen, encoding)
            if found is not None:
                return _tested(formula, found)
            # INVARIANT: left out without a proof, so that `unsat` from now on proves nothing.
            solver.add(encoding.elsewhere(chosen))
        if verdict == z3.unknown:
            return Undetermined(f"the solver gave up: {solver.reason_unknown()}")
        return Undetermined("no place found that is in some circles and out of others")

    def fitted(self, formula: Formula, context: Context, span: Span) -> Found:
        """Return a context in which the formula is true, made plain and at a fitting instant.

        The formula is true in the one given.
        """
        return Found(self._plain(formula, context, span))

    def _plain(self, formula: Formula, context: Context, span: Span) -> Context:
        """Return a context with as little in it as the formula needs, at a fitting instant."""
        for simpler in _simpler(context):
            if true_in(formula, simpler(context)):
                context = simpler(context)
        for instant in _instants(span, context.year):
            hour, weekday, year = self._calendar(instant)
            timed = replace(context, instant=instant, hour=hour, weekday=weekday, year=year)
            if true_in(formula, timed):
                return timed
        return replace(context, instant=span.first)


def _tested(formula: Formula, context: Context) -> Solution:
    if true_in(formula, context):
        return Found(context)
    return Undetermined("the solver's context does not have the property: a fault of ours")


def _context(chosen: Chosen, encoding: Encoding) -> Context | None:
    """Return the context that was chosen, or nothing where no place for it is found."""
    position: Position | None = None
    if chosen.located:
        beyond = [one for one in encoding.circles if one not in chosen.within]
        position = place(chosen.within, beyond)
        if position is None:
            return None
    return Context(
        instant=0,
        hour=chosen.hour,
        weekday=chosen.weekday,
        year=chosen.year,
        region=chosen.region,
        position=position,
        usage=chosen.usage,
        rate=chosen.rate,
        attributes=chosen.attributes,
        action_properties=chosen.action_properties,
    )


def _simpler(context: Context) -> Iterator[Callable[[Context], Context]]:
    """Yield ways to leave something out of the context, or to make it less."""
    yield lambda now: replace(now, region=None)
    yield lambda now: replace(now, position=None)
    yield lambda now: replace(now, usage=None)
    yield lambda now: replace(now, rate=None)
    if context.usage is not None:
        yield lambda now: now if now.usage is None else replace(now, usage=0)
    if context.rate is not None:
        yield lambda now: now if now.rate is None else replace(now, rate=0)
    for name in context.attributes:
        yield partial(_without_attribute, name=name)
    for name in context.action_properties:
        yield partial(_without_action_property, name=name)


def _without_attribute(context: Context, *, name: AttributeName) -> Context:
    return replace(context, attributes=context.attributes.delete(name))


def _without_action_property(context: Context, *, name: AttributeName) -> Context:
    return replace(context, action_properties=context.action_properties.delete(name))


def _instants(span: Span, year: int) -> Iterator[int]:
    """Yield the hours of a week from the beginning of the span, then from that of the year."""
    new_year = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    yield span.first
    for start in (span.first, new_year):
        whole = -(-start // HOUR) * HOUR
        hours = (whole + hour * HOUR for hour in range(HOURS_LOOKED_AT))
        yield from (instant for instant in hours if instant in span)
