"""P-QUOTA-MONO: a higher usage never helps, a lower limit never helps, unknown usage never does."""

import z3

from grantproof.core.constraints import MaxUsage
from specs.definitions.constraints import usage_holds
from specs.kernel.view import View
from specs.properties.registry import Stated, some, states


def _holds(maximum: View, usage: View) -> z3.BoolRef:
    return View(usage_holds(maximum.value, usage.value))()


@states("P-QUOTA-MONO")
def higher_usage_never_helps() -> Stated:
    """What holds at a usage holds at every lower one."""
    maximum, lower, higher = some(MaxUsage, "maximum"), some(int, "lower"), some(int, "higher")
    ordered = [("lower is not higher", lower() <= higher())]
    return ordered, [("kept", z3.Implies(_holds(maximum, higher), _holds(maximum, lower)))]


@states("P-QUOTA-MONO")
def lower_limit_never_helps() -> Stated:
    """What holds under a limit holds under every higher one."""
    strict, loose, usage = some(MaxUsage, "strict"), some(MaxUsage, "loose"), some(int, "usage")
    ordered = [("strict is not above loose", strict.limit() <= loose.limit())]
    return ordered, [("kept", z3.Implies(_holds(strict, usage), _holds(loose, usage)))]


@states("P-QUOTA-MONO")
def boundaries() -> Stated:
    """One below the limit holds, at the limit it does not, and unknown usage never does."""
    maximum, usage = some(MaxUsage, "maximum"), some(int | None, "usage")
    limit = maximum.limit()
    holds = _holds(maximum, usage)
    return [], [
        ("one below", z3.Implies(z3.And(usage.there, usage() == limit - 1), holds)),
        ("at the limit", z3.Implies(usage() == limit, z3.Not(holds))),
        ("unknown", z3.Implies(z3.Not(usage.there), z3.Not(holds))),
    ]
