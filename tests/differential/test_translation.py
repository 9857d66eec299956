"""The translator is held to the interpreter on generated inputs; what is trusted of `specs/kernel`.

Its constructs one by one, and production functions at their boundaries, are in
`tests/unit/specs/test_translation.py`.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core import attributes, constraints, duty, hierarchy, matching
from grantproof.core.attributes import Operator
from grantproof.core.constraints import Context, Situation
from grantproof.core.identifiers import RoleId
from grantproof.core.matching import Target
from grantproof.core.model import Claim, SodSet, Validity
from tests.strategies.names import ANY, FEW
from tests.strategies.questions import contexts
from tests.strategies.values import (
    action_patterns,
    attribute_maps,
    geo_fences,
    geo_radii,
    operands,
    paths,
    rate_limits,
    resource_patterns,
    time_windows,
    tuples_of,
    usage_limits,
    validities,
    values,
)
from tests.strategies.values import constraints as any_constraint
from tests.unit.specs.concrete import agrees

QUICK = settings(max_examples=100)
SLOW = settings(max_examples=50)

situations = st.builds(
    Situation, contexts(FEW), FEW.principals, attribute_maps(FEW), attribute_maps(FEW)
)
targets = st.builds(
    Target, FEW.resources, FEW.kinds, tuples_of(FEW.resources, size_max=3), attribute_maps(FEW)
)
claims = st.builds(
    Claim, FEW.claims, FEW.roles, action_patterns(FEW), resource_patterns(FEW), st.just(())
)
roles = st.frozensets(FEW.roles)
sod_sets = st.frozensets(FEW.roles, min_size=2).flatmap(
    lambda some: st.builds(
        SodSet, FEW.sod_sets, st.just(some), st.integers(2, len(some)), st.just("static")
    )
)


def near(*numbers: int | None) -> st.SearchStrategy[int]:
    """The numbers themselves, and those beside them."""
    known = [number for number in numbers if number is not None] or [0]
    return st.sampled_from([near for number in known for near in (number - 1, number, number + 1)])


@QUICK
@given(time_windows(), st.data())
def test_windows(window: constraints.TimeWindow, data: st.DataObject) -> None:
    """A window of any hours, around its start and its end."""
    hour = data.draw(near(window.start, window.end))
    assert agrees(constraints.window_holds, window, hour, data.draw(st.integers(0, 6)))


@QUICK
@given(geo_fences(FEW), st.none() | ANY.regions | FEW.regions)
def test_fences(fence: constraints.GeoFence, region: Any) -> None:
    """A fence, and any region or none."""
    assert agrees(constraints.fence_holds, fence, region)


@QUICK
@given(geo_radii(ANY) | geo_radii(FEW), st.none() | ANY.positions | FEW.positions)
def test_radii(radius: constraints.GeoRadius, position: Any) -> None:
    """A radius, and any position or none."""
    assert agrees(constraints.radius_holds, radius, position)


@QUICK
@given(usage_limits(ANY), rate_limits(ANY), st.data())
def test_counts(
    usage: constraints.MaxUsage, rate: constraints.RateLimit, data: st.DataObject
) -> None:
    """Any limit, around it, and unknown."""
    used = data.draw(st.none() | near(usage.limit))
    assert agrees(constraints.usage_holds, usage, used)
    counted = data.draw(st.none() | near(rate.per_minute))
    assert agrees(constraints.rate_holds, rate, counted)


@QUICK
@given(st.sampled_from(Operator), values(ANY) | values(FEW), values(ANY) | values(FEW))
def test_comparisons(operator: Operator, left: attributes.Value, right: attributes.Value) -> None:
    """Every operator on values of every type."""
    assert agrees(attributes.compare, operator, left, right)
    assert agrees(attributes.compare, operator, left, left)


@QUICK
@given(st.sampled_from(Operator), st.none() | values(FEW), st.none() | values(FEW))
def test_values_that_may_be_missing(operator: Operator, left: Any, right: Any) -> None:
    """An attribute constraint on two sides, each of which may be missing."""
    assert agrees(constraints.attribute_holds, operator, left, right)


@SLOW
@given(
    paths(FEW), st.sampled_from(Operator).flatmap(lambda o: operands(FEW, operator=o)), situations
)
def test_lookups(path: attributes.Path, operand: attributes.Operand, situation: Situation) -> None:
    """What a path and an operand give in a situation."""
    assert agrees(constraints.read, path, situation)
    assert agrees(constraints.operand_value, operand, situation)


@SLOW
@given(any_constraint(FEW), situations)
def test_every_kind_of_constraint(constraint: constraints.Constraint, situation: Situation) -> None:
    """A constraint holds, and is observed, as its translation says."""
    assert agrees(constraints.holds, constraint, situation)
    assert agrees(constraints.observe, constraint, situation)


@SLOW
@given(tuples_of(any_constraint(FEW), size_max=3), situations)
def test_all_of_a_tuple(some: tuple[constraints.Constraint, ...], situation: Situation) -> None:
    """All of several constraints; of none too."""
    assert agrees(constraints.all_hold, some, situation)


@QUICK
@given(contexts(FEW))
def test_contexts_that_are_made(context: Context) -> None:
    """What could be made does not raise, by its translation."""
    assert agrees(Context.__post_init__, context)


@QUICK
@given(validities(ANY), st.data())
def test_validities(validity: Validity, data: st.DataObject) -> None:
    """A validity around its ends."""
    assert agrees(Validity.contains, validity, data.draw(near(validity.start, validity.end)))


@SLOW
@given(st.dictionaries(FEW.roles, validities(FEW)), FEW.instants)
def test_valid_roles(assigned: dict[RoleId, Validity], instant: int) -> None:
    """The roles of a mapping whose validity contains an instant."""
    assert agrees(hierarchy.valid_roles, assigned, instant)


@QUICK
@given(claims, FEW.actions, targets)
def test_matching(claim: Claim, action: Any, target: Target) -> None:
    """Claims and their patterns against actions and targets."""
    assert agrees(matching.action_matches, claim.action, action)
    assert agrees(matching.resource_matches, claim.resource, target)
    assert agrees(matching.claim_matches, claim, action, target)


@QUICK
@given(sod_sets, roles)
def test_counts_of_sets(sod_set: SodSet, held: frozenset[RoleId]) -> None:
    """A separation-of-duty set of any size against any roles."""
    assert agrees(duty.exceeds, sod_set, held)
