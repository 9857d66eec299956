"""Strategies for attribute values, constraints and the patterns of claims."""

from typing import Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from grantproof.core.attributes import (
    NO_ATTRIBUTES,
    ORDERING,
    Attributes,
    ClockYear,
    Literal,
    Operand,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    Value,
    attributes,
)
from grantproof.core.constraints import (
    DAYS_PER_WEEK,
    EVERY_DAY,
    HOURS_PER_DAY,
    Attribute,
    Constraint,
    GeoFence,
    GeoRadius,
    MaxUsage,
    Period,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import IMPLICIT_KINDS, ResourceId
from grantproof.core.limits import INTEGER_MAX, RADIUS_METRES_MAX
from grantproof.core.model import (
    ALWAYS,
    ActionPattern,
    Any,
    Exactly,
    OfKind,
    ResourcePattern,
    Validity,
    Within,
)
from tests.strategies.names import ANY, FEW, Names, once

Drawn = TypeVar("Drawn")


def tuples_of(
    members: SearchStrategy[Drawn], *, size_max: int
) -> SearchStrategy[tuple[Drawn, ...]]:
    """Tuples of 0 to `size_max` members."""
    return st.lists(members, max_size=size_max).map(tuple)


@once
def values(names: Names = ANY) -> SearchStrategy[Value]:
    """Attribute values of all four types."""
    sets = st.frozensets(names.strings, max_size=3)
    drawn: SearchStrategy[Value] = st.one_of(st.booleans(), names.integers, names.strings, sets)
    return drawn


@once
def attribute_maps(names: Names = ANY) -> SearchStrategy[Attributes]:
    """The attributes of a principal, a resource or a request, at most three."""
    if names is FEW:
        return st.sampled_from(FEW_ATTRIBUTES)
    drawn = st.dictionaries(names.attributes, values(names), max_size=3)
    return drawn.map(lambda named: attributes({str(name): named[name] for name in named}))


FEW_ATTRIBUTES: Final = [
    NO_ATTRIBUTES,
    *(attributes({"owner": value}) for value in ("ann", "x", True, frozenset({"ann"}))),
    *(attributes({"level": value}) for value in (-1, 0, 1, 2, 3, "x", False)),
    *(attributes({"tags": value}) for value in (frozenset[str](), frozenset({"x", "ann"}), "x")),
    attributes({"owner": "ann", "level": 2, "tags": frozenset({"x"})}),
    attributes({"owner": "x", "level": 1, "tags": frozenset({"ann"})}),
]
"""Maps that meet the few names and values: drawn as one, for speed."""


@once
def paths(names: Names = ANY) -> SearchStrategy[Path]:
    """Paths to an attribute under each root."""
    return st.builds(Path, st.sampled_from(Root), names.attributes)


@once
def operands(names: Names = ANY, *, operator: Operator) -> SearchStrategy[Operand]:
    """Operands that are legal with the operator: constants of a type that fits, and paths."""
    constants: SearchStrategy[Value] = values(names)
    if operator in ORDERING:
        constants = names.integers
    elif operator is Operator.IN:
        constants = st.frozensets(names.strings, max_size=3)
    elsewhere = st.sampled_from([PrincipalIdentity(), ClockYear()])
    return st.one_of(constants.map(Literal), paths(names), elsewhere)


@once
@st.composite
def attribute_constraints(draw: st.DrawFn, names: Names = ANY) -> Attribute:
    """Comparisons of an attribute with an operand."""
    operator = draw(st.sampled_from(Operator))
    return Attribute(draw(paths(names)), operator, draw(operands(names, operator=operator)))


DAYS: Final = st.just(EVERY_DAY) | st.frozensets(st.integers(0, DAYS_PER_WEEK - 1), min_size=1)


@once
@st.composite
def time_windows(draw: st.DrawFn) -> TimeWindow:
    """Windows of any hours; every day, or any days but none."""
    start = draw(st.integers(0, HOURS_PER_DAY - 1))
    end = draw(st.integers(start + 1, HOURS_PER_DAY))
    return TimeWindow(start, end, draw(DAYS))


@once
def geo_fences(names: Names = ANY) -> SearchStrategy[GeoFence]:
    """Fences of one to three regions."""
    return st.builds(GeoFence, st.frozensets(names.regions, min_size=1, max_size=3))


@once
def geo_radii(names: Names = ANY) -> SearchStrategy[GeoRadius]:
    """Radii that reach a neighbour or just not, or anything up to all of the earth."""
    if names is FEW:
        return st.sampled_from(FEW_RADII)
    return st.builds(GeoRadius, names.positions, st.integers(1, RADIUS_METRES_MAX))


FEW_RADII: Final = [
    GeoRadius(Position(0, 0), 1_000),
    GeoRadius(Position(0, 0), 1_001),
    GeoRadius(Position(9_000, 0), 1),
    GeoRadius(Position(9_000, 0), RADIUS_METRES_MAX),
]
"""The few positions are 1,001 m apart, or half the earth: drawn as one, for speed."""


@once
def counts(names: Names) -> SearchStrategy[int]:
    """Limits that a counter may have: small, or anything up to the largest."""
    return st.integers(1, 3) if names is FEW else st.integers(1, INTEGER_MAX)


@once
def usage_limits(names: Names = ANY) -> SearchStrategy[MaxUsage]:
    """Limits on usage in each period."""
    periods: tuple[Period, ...] = ("hour", "day", "month", "total")
    return st.builds(MaxUsage, counts(names), st.sampled_from(periods))


@once
def rate_limits(names: Names = ANY) -> SearchStrategy[RateLimit]:
    """Limits on the rate."""
    return st.builds(RateLimit, counts(names))


@once
def constraints(names: Names = ANY) -> SearchStrategy[Constraint]:
    """Constraints of all six types."""
    return st.one_of(
        time_windows(),
        geo_fences(names),
        geo_radii(names),
        usage_limits(names),
        rate_limits(names),
        attribute_constraints(names),
    )


@once
@st.composite
def validities(draw: st.DrawFn, names: Names = ANY) -> Validity:
    """Unbounded, half-bounded and bounded validities."""
    ends = sorted(draw(st.sets(names.instants, min_size=2, max_size=2)))
    start, end = ends
    return draw(st.sampled_from([ALWAYS, Validity(start), Validity(end=end), Validity(start, end)]))


@once
def action_patterns(names: Names = ANY) -> SearchStrategy[ActionPattern]:
    """Named actions and `*`."""
    return names.actions.map(Exactly) | st.just(Any())


@once
def implicit_resources(names: Names = ANY) -> SearchStrategy[ResourceId]:
    """Ids of the resources that exist because a role, a group, a set or an organization does."""
    return st.one_of(
        names.roles.map(lambda role: ResourceId(f"role:{role}")),
        names.groups.map(lambda group: ResourceId(f"group:{group}")),
        names.sod_sets.map(lambda sod_set: ResourceId(f"sod-set:{sod_set}")),
        names.organizations.map(lambda organization: ResourceId(f"organization:{organization}")),
    )


@once
def resource_patterns(names: Names = ANY) -> SearchStrategy[ResourcePattern]:
    """Named resources, implicit ones too, subtrees, kinds and `*`."""
    return st.one_of(
        names.resources.map(Exactly),
        names.resources.map(Within),
        names.kinds.map(OfKind),
        st.just(Any()),
        implicit_resources(names).map(Exactly),
        st.sampled_from(IMPLICIT_KINDS).map(OfKind),
    )
