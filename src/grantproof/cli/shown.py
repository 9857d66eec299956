"""Core values as people read them, in the notation in which they are typed."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import assert_never

from grantproof.cli.output import NOTHING, listed
from grantproof.core.attributes import Attributes, Value
from grantproof.core.attributes import Literal as Constant
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
from grantproof.core.guardrails import Access, Having, HolderOf, MemberOf, Selector
from grantproof.core.identifiers import RoleId
from grantproof.core.messages import DAYS
from grantproof.core.model import Claim, Validity
from grantproof.policyfile.fields import write_action, write_resource
from grantproof.policyfile.value_fields import write_operand, write_path, write_value


def moment(instant: int) -> str:
    """Return epoch seconds as a moment in UTC."""
    return datetime.fromtimestamp(instant, UTC).isoformat().replace("+00:00", "Z")


def period(validity: Validity) -> tuple[str, str]:
    """Return from when and until when."""
    start, end = validity.start, validity.end
    return (
        NOTHING if start is None else moment(start),
        NOTHING if end is None else moment(end),
    )


def held_roles(assigned: Mapping[RoleId, Validity]) -> list[str]:
    """Return the assigned roles, each with its validity where that is bounded."""
    return [_held_role(role, assigned[role]) for role in sorted(assigned)]


def attribute_pairs(held: Attributes) -> str:
    """Return attributes as `name=value` pairs."""
    return " ".join(f"{name}={value_text(held[name])}" for name in sorted(held)) or NOTHING


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


def access_text(access: Access) -> str:
    """Return an access as a claim on it is shown: `delete prod/** where env="production"`."""
    head = f"{write_action(access.action)} {write_resource(access.resource)}"
    wanted = attribute_pairs(access.attributes)
    return head if wanted == NOTHING else f"{head} where {wanted}"


def selector_text(selector: Selector) -> str:
    """Return which principals are meant: `group staff`, `role clerk`, `contractor=true`."""
    match selector:
        case MemberOf():
            return f"group {selector.group}"
        case HolderOf():
            return f"role {selector.role}"
        case Having():
            return attribute_pairs(selector.attributes)
        case _:
            assert_never(selector)


def constraints_text(constraints: tuple[Constraint, ...]) -> str:
    """Return constraints in the order in which they stand."""
    return ", ".join(map(constraint_text, constraints)) or NOTHING


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
    """Return a constraint, what it saw and whether it held."""
    held = "holds" if observation.held else "fails"
    return f"{constraint_text(observation.constraint)}: {held}, saw {_saw(observation)}"


def _held_role(role: RoleId, validity: Validity) -> str:
    start, end = period(validity)
    since = "" if start == NOTHING else f" from {start}"
    return f"{role}{since}" if end == NOTHING else f"{role}{since} until {end}"


def _saw(observation: Observation) -> str:
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
    return listed(written.values()) if isinstance(written, dict) else str(written)
