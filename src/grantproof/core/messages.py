"""Reasons and refusals in words: one line each, for people.

The values themselves are for programs; what is said here is never parsed.
"""

from typing import Final, assert_never

from grantproof.core.attributes import ClockYear, Operand, Path, PrincipalIdentity, Value
from grantproof.core.attributes import Literal as Constant
from grantproof.core.constraints import (
    EVERY_DAY,
    Attribute,
    GeoFence,
    GeoRadius,
    MaxUsage,
    Observation,
    RateLimit,
    TimeWindow,
)
from grantproof.core.errors import (
    AlreadyExists,
    AlreadySo,
    BreaksSod,
    HeldRole,
    LastAdministrator,
    Missing,
    NamedByGuardrail,
    NamedBySodSet,
    NotPermitted,
    OverLimit,
    Reference,
    Refusal,
    RefusedAt,
    StillReferenced,
    WouldCycle,
)
from grantproof.core.geodesy import degrees
from grantproof.core.policy import (
    ConstraintFailed,
    NoMatchingClaim,
    NoRole,
    Reason,
    SessionClash,
    Suspended,
    UnknownOrganization,
    UnknownPrincipal,
    UnknownResource,
)
from grantproof.core.sessions import NoSession, NotHeld, SessionRefusal
from grantproof.core.withheld import Withheld

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
REFERENCES_TOLD: Final = 3


def reason_message(  # noqa: C901 - one branch a reason
    reason: Reason | Withheld | NoSession,
) -> str:
    """Return why a request is denied, for a caller who may know what exists."""
    match reason:
        case UnknownOrganization():
            return "unknown organization"
        case UnknownPrincipal():
            return "unknown principal"
        case Suspended():
            return "principal is suspended"
        case UnknownResource():
            return "unknown resource: register it, or name a declared `resource_kind`"
        case SessionClash():
            roles = ", ".join(reason.roles)
            return f"session: {roles} may not be active together: choose fewer in `active_roles`"
        case NoRole():
            return "no active role"
        case NoMatchingClaim():
            return "no matching claim"
        case ConstraintFailed():
            return "; ".join(failure_message(failure) for failure in reason.failures)
        case NoSession():
            return "session: the principal has none of this id, or it has ended: open one"
        case Withheld():
            return f"withheld: the decision did not pass its own check ({reason.contract})"
        case _:
            assert_never(reason)


def failure_message(failure: Observation) -> str:
    """Return what a failed constraint wanted and what it saw."""
    constraint, saw = failure.constraint, failure.saw
    match constraint:
        case TimeWindow():
            before, after = around(constraint)
            return f"{before}{moment(_number(saw[0]), _number(saw[1]))}{after}"
        case GeoFence() | MaxUsage() | RateLimit():
            before, after = around(constraint)
            return f"{before}{_value(saw[0])}{after}"
        case GeoRadius():
            return _radius_message(constraint, saw[0])
        case Attribute():
            return _attribute_message(constraint, saw)
        case _:
            assert_never(constraint)


def around(constraint: TimeWindow | GeoFence | MaxUsage | RateLimit) -> tuple[str, str]:
    """Return what is said of the constraint that failed, before and after what it saw."""
    match constraint:
        case TimeWindow(start, end, weekdays):
            days = "" if weekdays == EVERY_DAY else f" on {_days(weekdays)}"
            return f"time window {start}-{end}{days} does not hold at ", ""
        case GeoFence():
            return "region ", f" is not one of {', '.join(sorted(constraint.regions))}"
        case MaxUsage():
            return "usage ", f" is not below {constraint.limit} a {constraint.period}"
        case RateLimit():
            return "rate ", f" is not below {constraint.per_minute} a minute"
        case _:
            assert_never(constraint)


def moment(hour: int, weekday: int) -> str:
    """Return what is said of the hour of a weekday, of which 0 is Monday."""
    return f"hour {hour} on {DAYS[weekday]}"


def refusal_message(refusal: Refusal) -> str:  # noqa: C901 - one branch a refusal
    """Return why a command is refused."""
    match refusal:
        case AlreadyExists():
            return f"{refusal.noun} {_ids(refusal.ids)} exists already"
        case Missing():
            return f"{refusal.noun} {_ids(refusal.ids)} does not exist"
        case AlreadySo():
            return f"principal `{refusal.principal}` is {refusal.status} already"
        case StillReferenced():
            return _referenced_message(refusal)
        case NamedBySodSet():
            named = ", ".join(f"`{sod_set}`" for sod_set in refusal.sod_sets)
            return f"role `{refusal.role}` is in separation-of-duty set {named}: change that first"
        case NamedByGuardrail():
            guardrails = ", ".join(f"`{guardrail}`" for guardrail in refusal.guardrails)
            named = f"{refusal.noun} `{refusal.id}` is named by guardrail {guardrails}"
            return f"{named}: delete that first"
        case WouldCycle():
            return f"{refusal.noun} cycle: {' -> '.join(refusal.cycle)}"
        case BreaksSod():
            return _sod_message(refusal)
        case LastAdministrator():
            return f"organization `{refusal.organization}` would lose its last administrator"
        case OverLimit():
            return f"too many or too deep: {refusal.limit} are limited to {refusal.maximum}"
        case NotPermitted():
            return _not_permitted_message(refusal)
        case RefusedAt():
            return f"command {refusal.position}: {refusal_message(refusal.refusal)}"
        case _:
            assert_never(refusal)


def session_message(refusal: SessionRefusal) -> str:
    """Return why a session is not opened or changed."""
    match refusal:
        case NotHeld():
            roles = ", ".join(f"`{role}`" for role in refusal.roles)
            return f"`{refusal.principal}` does not hold {roles} now: choose roles that it holds"
        case SessionClash():
            roles = ", ".join(refusal.roles)
            return f"session: {roles} may not be active together: choose fewer"
        case Suspended():
            return reason_message(refusal)
        case _:
            return refusal_message(refusal)


def held_message(held: HeldRole) -> str:
    """Return how a role is held, from the nearest group to the role itself."""
    steps = [*(f"group {group}" for group in held.groups), *held.roles]
    return " -> ".join(steps)


def _not_permitted_message(refusal: NotPermitted) -> str:
    author, action, resource = refusal.principal, refusal.action, refusal.resource
    match refusal.because:
        case "required":
            return f"`{author}` may not {action} `{resource}`: {refusal.reason}"
        case "inherited":
            given = f"the change would also give `{resource}`, which `{author}` may not {action}"
            return f"{given}: {refusal.reason}"
        case "granted":
            granted = f"the change would grant `{action}` on `{resource}`"
            return f"{granted}, which `{author}` may not do: {refusal.reason}"
        case _:
            assert_never(refusal.because)


def _sod_message(breach: BreaksSod) -> str:
    first, *others = (way.roles[-1] for way in breach.held)
    ways = "; ".join(held_message(way) for way in breach.held)
    when = "" if breach.instant is None else f" from instant {breach.instant}"
    return (
        f"separation of duty: {first} conflicts with {', '.join(others)}: `{breach.principal}` "
        f"would hold {len(breach.held)} roles of `{breach.sod_set}`{when} ({ways})"
    )


def _referenced_message(refusal: StillReferenced) -> str:
    told = ", ".join(_reference(reference) for reference in refusal.references[:REFERENCES_TOLD])
    rest = refusal.count - min(refusal.count, REFERENCES_TOLD)
    more = f" and {rest} more" if rest > 0 else ""
    return (
        f"{refusal.noun} `{refusal.id}` is still referred to by {told}{more}: "
        "remove these first, or ask for a cascade"
    )


def _reference(reference: Reference) -> str:
    return f"{reference.noun} {_ids(reference.ids)}"


def _ids(ids: tuple[str, ...]) -> str:
    return " of ".join(f"`{name}`" for name in reversed(ids))


def _radius_message(constraint: GeoRadius, away: Value | None) -> str:
    where = "missing" if away is None else f"{_value(away)} m away"
    return f"position {where} is not within {constraint.metres} m of {degrees(constraint.centre)}"


def _attribute_message(constraint: Attribute, saw: tuple[Value | None, ...]) -> str:
    path = f"{constraint.path.root.value}.{constraint.path.name}"
    operator = constraint.operator.value
    operand = _operand(constraint.operand)
    compared = f"it compares {_value(saw[0])} with {_value(saw[1])}"
    return f"{path} {operator} {operand} does not hold: {compared}"


def _operand(operand: Operand) -> str:
    match operand:
        case Constant():
            return _value(operand.value)
        case Path():
            return f"{operand.root.value}.{operand.name}"
        case PrincipalIdentity():
            return "principal.id"
        case ClockYear():
            return "clock.year"
        case _:
            assert_never(operand)


def _value(value: Value | None) -> str:
    match value:
        case None:
            return "missing"
        case bool():
            return "true" if value else "false"
        case frozenset():
            return f"[{', '.join(f'`{member}`' for member in sorted(value))}]"
        case int():
            return str(value)
        case _:
            return f"`{value}`"


def _number(value: Value | None) -> int:
    return value if isinstance(value, int) else 0


def _days(weekdays: frozenset[int]) -> str:
    return ", ".join(DAYS[weekday] for weekday in sorted(weekdays))
