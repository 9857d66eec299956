"""What is asked of a context: which conditions hold in it, and which do not.

A condition is a constraint with everything filled in that is stored: what is left depends on the
context alone, so that principals and resources that differ in nothing a constraint reads share one.
`true_in` says what a formula means, by the same predicates that decide requests.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, assert_never

from grantproof.core.attributes import (
    Attributes,
    ClockYear,
    Literal,
    Operand,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    Value,
)
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
    attribute_holds,
    fence_holds,
    radius_holds,
    rate_holds,
    usage_holds,
    window_holds,
)
from grantproof.core.identifiers import PrincipalId

Term = Literal | Path | ClockYear
"""A value that is known, an attribute that the context may have, or the year."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both values are there and `left operator right`; a path is of the context or the action."""

    operator: Operator
    left: Term
    right: Term


Condition = TimeWindow | GeoFence | GeoRadius | MaxUsage | RateLimit | Comparison


@dataclass(frozen=True, slots=True)
class Not:
    """The part is false."""

    part: "Formula"


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part is true; of no parts that says nothing."""

    parts: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part is true; of no parts that is never so."""

    parts: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The weights of the parts that are true add up to at least `least`."""

    least: int
    weighted: tuple[tuple[int, "Formula"], ...]


Formula = Condition | Not | AllOf | AnyOf | AtLeast

ALWAYS: Final = AllOf(())
NEVER: Final = AnyOf(())


@dataclass(frozen=True, slots=True)
class Stored:
    """What constraints read of a request beside its context: who asks, and what both ends store."""

    principal: PrincipalId
    principal_attributes: Attributes
    resource_attributes: Attributes


def true_in(formula: Formula, context: Context) -> bool:
    """Return whether the formula is true in the context, which supplies no stored properties."""
    match formula:
        case Not(part):
            return not true_in(part, context)
        case AllOf(parts):
            return all(true_in(part, context) for part in parts)
        case AnyOf(parts):
            return any(true_in(part, context) for part in parts)
        case AtLeast(least, weighted):
            return sum(weight for weight, part in weighted if true_in(part, context)) >= least
        case _:
            return _met(formula, context)


def all_of(parts: Iterable[Formula]) -> Formula:
    """Return the conjunction, as short as it goes without a solver."""
    kept = dict.fromkeys(
        inner for part in parts for inner in (part.parts if isinstance(part, AllOf) else (part,))
    )
    if NEVER in kept:
        return NEVER
    return next(iter(kept)) if len(kept) == 1 else AllOf(tuple(kept))


def any_of(parts: Iterable[Formula]) -> Formula:
    """Return the disjunction, as short as it goes without a solver."""
    kept = dict.fromkeys(
        inner for part in parts for inner in (part.parts if isinstance(part, AnyOf) else (part,))
    )
    if ALWAYS in kept:
        return ALWAYS
    return next(iter(kept)) if len(kept) == 1 else AnyOf(tuple(kept))


def negation(part: Formula) -> Formula:
    """Return the formula that is true where the part is not."""
    match part:
        case Not(inner):
            return inner
        case AllOf(()):
            return NEVER
        case AnyOf(()):
            return ALWAYS
        case _:
            return Not(part)


def conditions(constraints: Iterable[Constraint], stored: Stored) -> Formula:
    """Return when all of the constraints hold, of what is stored."""
    return all_of(condition(constraint, stored) for constraint in constraints)


def condition(constraint: Constraint, stored: Stored) -> Formula:
    """Return when the constraint holds, of what is stored: maybe always, maybe never."""
    if not isinstance(constraint, Attribute):
        return constraint
    left = _known(constraint.path, stored)
    right = _known(constraint.operand, stored)
    if left is None or right is None:
        return NEVER
    if isinstance(left, Literal) and isinstance(right, Literal):
        return ALWAYS if attribute_holds(constraint.operator, left.value, right.value) else NEVER
    return Comparison(constraint.operator, left, right)


def _known(operand: Operand, stored: Stored) -> Term | None:
    """Return the operand with what is stored filled in; nothing where it is not stored."""
    match operand:
        case PrincipalIdentity():
            return Literal(str(stored.principal))
        case Path(Root.PRINCIPAL, name):
            return _literal(stored.principal_attributes.get(name))
        case Path(Root.RESOURCE, name):
            return _literal(stored.resource_attributes.get(name))
        case _:
            return operand


def _literal(value: Value | None) -> Literal | None:
    return None if value is None else Literal(value)


def _met(condition: Condition, context: Context) -> bool:
    match condition:
        case TimeWindow():
            return window_holds(condition, context.hour, context.weekday)
        case GeoFence():
            return fence_holds(condition, context.region)
        case GeoRadius():
            return radius_holds(condition, context.position)
        case MaxUsage():
            return usage_holds(condition, context.usage)
        case RateLimit():
            return rate_holds(condition, context.rate)
        case Comparison(operator, left, right):
            return attribute_holds(operator, _value(left, context), _value(right, context))
        case _:
            assert_never(condition)


def _value(term: Term, context: Context) -> Value | None:
    match term:
        case Literal():
            return term.value
        case ClockYear():
            return context.year
        case Path(Root.ACTION, name):
            return context.action_properties.get(name)
        case Path(_, name):
            return context.attributes.get(name)
        case _:
            assert_never(term)


def mentioned(formula: Formula) -> tuple[Condition, ...]:
    """Return the conditions of which the formula is made, each once."""
    found: dict[Condition, None] = {}
    work = [formula]
    while work:
        part = work.pop()
        match part:
            case Not(inner):
                work.append(inner)
            case AllOf(parts) | AnyOf(parts):
                work.extend(parts)
            case AtLeast(_, weighted):
                work.extend(inner for _, inner in weighted)
            case _:
                found[part] = None
    return tuple(found)
