"""P-WINDOW: a window holds from its start until before its end, on its weekdays."""

import z3

from grantproof.core.constraints import TimeWindow
from specs.definitions.constraints import window_holds
from specs.kernel.values import Symbolic, Term
from specs.kernel.view import View
from specs.properties.registry import Stated, some, states


def _at(window: View, hour: z3.ArithRef, weekday: Symbolic) -> z3.BoolRef:
    return View(window_holds(window.value, Term(hour, int), weekday))()


@states("P-WINDOW")
def boundaries() -> Stated:
    """On a listed day it holds at the start and at the last hour, not before and not at the end."""
    window, weekday = some(TimeWindow, "window"), some(int, "weekday")
    start, end = window.start(), window.end()
    legal = [
        ("start is before end", start < end),
        ("the day is listed", window.weekdays.has(weekday(), int)),
    ]
    return legal, [
        ("at the start", _at(window, start, weekday.value)),
        ("in the last hour", _at(window, end - 1, weekday.value)),
        ("not before the start", z3.Not(_at(window, start - 1, weekday.value))),
        ("not at the end", z3.Not(_at(window, end, weekday.value))),
    ]


@states("P-WINDOW")
def other_days() -> Stated:
    """On a day that is not listed it never holds."""
    window, hour, weekday = some(TimeWindow, "window"), some(int, "hour"), some(int, "weekday")
    unlisted = z3.Not(window.weekdays.has(weekday(), int))
    return [("the day is not listed", unlisted)], [
        ("never", z3.Not(_at(window, hour(), weekday.value)))
    ]
