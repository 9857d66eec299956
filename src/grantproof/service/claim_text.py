"""Claims, constraints and moments in words, the same at every door: a terminal, a spreadsheet."""

import json
from datetime import UTC, datetime
from typing import assert_never

from grantproof.core.attributes import Literal as Constant
from grantproof.core.attributes import Value
from grantproof.core.constraints import (
    EVERY_DAY,
    Attribute,
    Constraint,
    GeoFence,
    GeoRadius,
    MaxUsage,
    Observation,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import degrees
from grantproof.core.messages import DAYS
from grantproof.core.model import Claim
from grantproof.policyfile.fields import write_action, write_resource
from grantproof.policyfile.value_fields import write_operand, write_path, write_value


def moment(instant: int) -> str:
    """Return epoch seconds as a moment in UTC."""
    return datetime.fromtimestamp(instant, UTC).isoformat().replace("+00:00", "Z")


def value_text(value: Value) -> str:
    """Return a value as it is typed; strings keep their quotes, so that types can be told apart."""
    return json.dumps(write_value(value), ensure_ascii=False, separators=(",", ":"))


def claim_text(claim: Claim) -> str:
    """Return a claim without its id and role: `read docs/** (hours 9-17)`."""
    head = claim_head(claim)
    return f"{head} ({constraints_text(claim.constraints)})" if claim.constraints else head


def claim_head(claim: Claim) -> str:
    """Return what a claim is on, without its constraints: `read docs/**`."""
    return f"{write_action(claim.action)} {write_resource(claim.resource)}"


def constraints_text(constraints: tuple[Constraint, ...]) -> str:
    """Return constraints in the order in which they stand; none are empty text."""
    return ", ".join(map(constraint_text, constraints))


def constraint_text(constraint: Constraint) -> str:
    """Return one constraint: `hours 9-17 Mon Tue`, `usage < 100/day`, `context.amount lt 7`."""
    match constraint:
        case TimeWindow():
            every_day = constraint.weekdays == EVERY_DAY
            days = [] if every_day else [DAYS[day] for day in sorted(constraint.weekdays)]
            return " ".join(("hours", f"{constraint.start}-{constraint.end}", *days))
        case GeoFence():
            return f"region {' or '.join(sorted(constraint.regions))}"
        case GeoRadius():
            return f"within {constraint.metres}m of {degrees(constraint.centre)}"
        case MaxUsage():
            return f"usage < {constraint.limit}/{constraint.period}"
        case RateLimit():
            return f"rate < {constraint.per_minute}/minute"
        case Attribute():
            return f"{write_path(constraint.path)} {constraint.operator} {_operand(constraint)}"
        case _:
            assert_never(constraint)


def observation_text(observation: Observation) -> str:
    """Return a constraint, whether it held and what it saw."""
    held = "holds" if observation.held else "fails"
    return f"{constraint_text(observation.constraint)}: {held}, saw {saw_text(observation)}"


def saw_text(observation: Observation) -> str:
    """Return what a constraint saw: `hour 10 on Mon`, `"us-east-1"`, `nothing`."""
    seen = observation.saw
    if isinstance(observation.constraint, TimeWindow):
        return f"hour {seen[0]} on {DAYS[int(str(seen[1]))]}"
    if isinstance(observation.constraint, GeoRadius) and seen[0] is not None:
        return f"a position {seen[0]} m away"
    return " and ".join("nothing" if one is None else value_text(one) for one in seen)


def _operand(attribute: Attribute) -> str:
    operand = attribute.operand
    if isinstance(operand, Constant):
        return value_text(operand.value)
    written = write_operand(operand)
    return ", ".join(sorted(written.values())) if isinstance(written, dict) else str(written)
