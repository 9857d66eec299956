"""P-RATE-MONO: a higher rate never helps, a lower limit never helps, an unknown rate never does."""

import z3

from grantproof.core.constraints import RateLimit
from specs.definitions.constraints import rate_holds
from specs.kernel.view import View
from specs.properties.registry import Stated, some, states


def _holds(maximum: View, rate: View) -> z3.BoolRef:
    return View(rate_holds(maximum.value, rate.value))()


@states("P-RATE-MONO")
def higher_rate_never_helps() -> Stated:
    """What holds at a rate holds at every lower one."""
    maximum, lower, higher = some(RateLimit, "maximum"), some(int, "lower"), some(int, "higher")
    ordered = [("lower is not higher", lower() <= higher())]
    return ordered, [("kept", z3.Implies(_holds(maximum, higher), _holds(maximum, lower)))]


@states("P-RATE-MONO")
def lower_limit_never_helps() -> Stated:
    """What holds under a limit holds under every higher one."""
    strict, loose, rate = some(RateLimit, "strict"), some(RateLimit, "loose"), some(int, "rate")
    ordered = [("strict is not above loose", strict.per_minute() <= loose.per_minute())]
    return ordered, [("kept", z3.Implies(_holds(strict, rate), _holds(loose, rate)))]


@states("P-RATE-MONO")
def boundaries() -> Stated:
    """One below the limit holds, at the limit it does not, and an unknown rate never does."""
    maximum, rate = some(RateLimit, "maximum"), some(int | None, "rate")
    limit = maximum.per_minute()
    holds = _holds(maximum, rate)
    return [], [
        ("one below", z3.Implies(z3.And(rate.there, rate() == limit - 1), holds)),
        ("at the limit", z3.Implies(rate() == limit, z3.Not(holds))),
        ("unknown", z3.Implies(z3.Not(rate.there), z3.Not(holds))),
    ]
