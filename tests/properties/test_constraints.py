"""P-WINDOW, P-GEO, P-QUOTA-MONO, P-RATE-MONO and P-ATTR: each constraint is its definition."""

from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes, Literal, Root
from grantproof.core.constraints import (
    Attribute,
    Context,
    GeoFence,
    MaxUsage,
    RateLimit,
    Situation,
    TimeWindow,
    fence_holds,
    holds,
    rate_holds,
    usage_holds,
    window_holds,
)
from grantproof.core.identifiers import PrincipalId, Region, ResourceId
from grantproof.core.limits import INTEGER_MAX
from grantproof.core.matching import Request
from grantproof.core.model import KindDeclaration, Principal, Resource
from tests.organizations import FILE, READ, made_of
from tests.properties import oracle
from tests.properties.tally import Tally
from tests.strategies.names import FEW
from tests.strategies.questions import contexts
from tests.strategies.values import (
    attribute_constraints,
    attribute_maps,
    rate_limits,
    usage_limits,
)

ANN, THING = PrincipalId("ann"), ResourceId("thing")
COUNTS = st.integers(1, 4) | st.integers(1, INTEGER_MAX)


def test_p_window_every_window_at_every_hour_of_every_day() -> None:
    """P-WINDOW: all 300 windows over 24 hours and 7 weekdays, each day set alone and together."""
    tally = Tally("P-WINDOW")
    windows = [(start, end) for start in range(24) for end in range(start + 1, 25)]
    days = [frozenset({day}) for day in range(7)] + [frozenset(range(7)), frozenset({0, 3})]
    for (start, end), weekdays in product(windows, days):
        window = TimeWindow(start, end, weekdays)
        for hour, weekday in product(range(24), range(7)):
            inside = start <= hour and hour + 1 <= end and weekday in weekdays
            assert window_holds(window, hour, weekday) is inside
            tally.saw("inside" if inside else "outside")
    tally.expect(inside=10_000, outside=10_000)


def test_p_geo_a_fence_is_membership() -> None:
    """P-GEO: exactly the listed regions hold, an unknown one never does."""
    tally = Tally("P-GEO")
    names = [Region(name) for name in ("eu", "us", "eu-1", "EU", "e")]
    for mask in range(1, 2 ** len(names)):
        listed = frozenset(name for bit, name in enumerate(names) if mask >> bit & 1)
        fence = GeoFence(listed)
        assert {name for name in names if fence_holds(fence, name)} == listed
        assert not fence_holds(fence, None)
        tally.saw("fence")
    tally.expect(fence=31)


@settings(max_examples=150)
@given(usage_limits(), COUNTS)
def test_p_quota_mono_more_usage_or_a_lower_limit_never_helps(limit: MaxUsage, usage: int) -> None:
    """P-QUOTA-MONO: holds iff below the limit, at it, beside it, and monotonically."""
    for count in {usage, limit.limit - 1, limit.limit, min(limit.limit + 1, INTEGER_MAX)}:
        found = usage_holds(limit, count)
        assert found is (limit.limit - count > 0)
        assert usage_holds(limit, count - 1) or not found
        assert found or not usage_holds(replace(limit, limit=max(1, limit.limit - 1)), count)
    assert not usage_holds(limit, None)


@settings(max_examples=150)
@given(rate_limits(), COUNTS)
def test_p_rate_mono_more_rate_or_a_lower_limit_never_helps(limit: RateLimit, rate: int) -> None:
    """P-RATE-MONO: holds iff below the limit, at it, beside it, and monotonically."""
    for count in {rate, limit.per_minute - 1, limit.per_minute}:
        found = rate_holds(limit, count)
        assert found is (limit.per_minute - count > 0)
        assert rate_holds(limit, count - 1) or not found
        assert found or not rate_holds(RateLimit(max(1, limit.per_minute - 1)), count)
    assert not rate_holds(limit, None)


def test_p_attr_a_comparison_is_its_definition_and_missing_never_holds() -> None:
    """P-ATTR: on what is stored, overridden, literal or read; without either side it fails."""
    tally = Tally("P-ATTR")

    @settings(max_examples=600)
    @given(attribute_constraints(FEW), attribute_maps(FEW), attribute_maps(FEW), contexts())
    def defined(
        constraint: Attribute, stored: Attributes, resource: Attributes, context: Context
    ) -> None:
        state = made_of(
            Principal(ANN, attributes=stored),
            KindDeclaration(FILE),
            Resource(THING, FILE, attributes=resource),
        )
        request = Request(ANN, READ, THING)
        for asked in (context, matched(context, constraint)):
            found = holds(constraint, Situation(asked, ANN, stored, resource))
            assert found is oracle.met(oracle.world(state), request, asked, constraint)
            tally.saw("held", found)
            tally.saw("failed", not found)
            against_literal = isinstance(constraint.operand, Literal)
            tally.saw("held_against_a_literal", found and against_literal)
        empty = replace(
            context,
            attributes=NO_ATTRIBUTES,
            principal_properties=NO_ATTRIBUTES,
            resource_properties=NO_ATTRIBUTES,
            action_properties=NO_ATTRIBUTES,
        )
        assert not holds(constraint, Situation(empty, ANN, NO_ATTRIBUTES, NO_ATTRIBUTES))

    defined()
    tally.expect(held=20, failed=200, held_against_a_literal=10)


def matched(context: Context, constraint: Attribute) -> Context:
    """The context with what a literal is compared to, where the context can say it."""
    path, operand = constraint.path, constraint.operand
    if path.root is not Root.CONTEXT or not isinstance(operand, Literal):
        return context
    return replace(context, attributes=context.attributes.set(path.name, operand.value))
