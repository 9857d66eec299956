"""Requests and contexts, as often as not aimed at what an organization allows.

A request drawn blindly is nearly always denied. Here every other one starts from a claim and one
of its holders. The hit rates are measured in `tests/strategies/test_hit_rate.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from grantproof.core.attributes import (
    NO_ATTRIBUTES,
    Attributes,
    ClockYear,
    Literal,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    Value,
)
from grantproof.core.constraints import (
    DAYS_PER_WEEK,
    HOURS_PER_DAY,
    Attribute,
    Constraint,
    Context,
    GeoFence,
    GeoRadius,
    TimeWindow,
)
from grantproof.core.hierarchy import holders_of
from grantproof.core.identifiers import Action, Identifier, PrincipalId, ResourceId
from grantproof.core.limits import INTEGER_MAX, INTEGER_MIN
from grantproof.core.matching import Request
from grantproof.core.model import Any, Claim, Exactly, OfKind, ResourcePattern, Within
from grantproof.core.organization import Organization
from tests.strategies.names import FEW, Names, once
from tests.strategies.organizations import organizations
from tests.strategies.values import attribute_maps, implicit_resources

Id = TypeVar("Id", bound=Identifier)
YEAR: Final = 1970


@dataclass(frozen=True, slots=True)
class Question:
    """All that `evaluate` takes. No state means an unknown organization."""

    state: Organization | None
    request: Request
    context: Context


@once
def contexts(names: Names = FEW) -> SearchStrategy[Context]:
    """Contexts drawn blindly: every part may be missing or wrong."""
    few_counts = st.none() | st.integers(0, 3)
    properties = st.just(NO_ATTRIBUTES) | attribute_maps(names)
    return st.builds(
        Context,
        instant=names.instants,
        hour=st.integers(0, HOURS_PER_DAY - 1),
        weekday=st.integers(0, DAYS_PER_WEEK - 1),
        year=st.integers(YEAR, YEAR + 2),
        region=st.none() | names.regions,
        position=st.none() | names.positions,
        usage=few_counts,
        rate=few_counts,
        attributes=attribute_maps(names),
        principal_properties=properties,
        resource_properties=properties,
        action_properties=properties,
    )


def favourable(context: Context, claim: Claim, principal: PrincipalId) -> Context:
    """Return `context` changed so that each constraint that can hold does, the last one winning."""
    context = replace(context, usage=0, rate=0)
    for constraint in claim.constraints:
        context = accommodated(context, constraint, principal)
    return context


def accommodated(context: Context, constraint: Constraint, principal: PrincipalId) -> Context:
    """Return `context` changed so that one constraint holds where it can."""
    match constraint:
        case TimeWindow(start, _, weekdays):
            return replace(context, hour=start, weekday=min(weekdays))
        case GeoFence(regions):
            return replace(context, region=min(regions))
        case GeoRadius(centre):
            return replace(context, position=centre)
        case Attribute(path, operator, operand):
            right: Value | None
            match operand:
                case Literal(value):
                    right = value
                case PrincipalIdentity():
                    right = str(principal)
                case ClockYear():
                    right = context.year
                case Path():
                    right = None
            fitting = fitting_value(operator, right)
            return context if fitting is None else with_property(context, path, fitting)
        case _:
            return context


def fitting_value(operator: Operator, right: Value | None) -> Value | None:
    """A value that compares true with `right`, or nothing where none is easily found."""
    match right:
        case None:
            return None
        case bool():
            return right if operator is Operator.EQ else not right
        case int():
            return fitting_integer(operator, right)
        case str():
            return right if operator is Operator.EQ else f"not {right}"
        case _:
            return fitting_set(operator, right)


def fitting_integer(operator: Operator, right: int) -> int:
    """An integer that compares true with `right`, except beyond 64 bits."""
    if operator in {Operator.LT, Operator.NE} and right > INTEGER_MIN:
        return right - 1
    if operator is Operator.GT and right < INTEGER_MAX:
        return right + 1
    return right


def fitting_set(operator: Operator, right: frozenset[str]) -> Value | None:
    """A member of `right`, the same set, or another one."""
    if operator is Operator.IN:
        return min(right, default=None)
    return right if operator is Operator.EQ else right | {"other"}


def with_property(context: Context, path: Path, value: Value) -> Context:
    """Return `context` with the value at the path, overriding what is stored."""
    field = {
        Root.PRINCIPAL: "principal_properties",
        Root.RESOURCE: "resource_properties",
        Root.ACTION: "action_properties",
        Root.CONTEXT: "attributes",
    }[path.root]
    held: Attributes = getattr(context, field)
    changes: dict[str, Attributes] = {field: held.set(path.name, value)}
    return replace(context, **changes)  # type: ignore[arg-type]  # each field named is Attributes


def known(ids: Iterable[Id], otherwise: SearchStrategy[Id]) -> SearchStrategy[Id]:
    """One of the ids, in their order; drawn from `otherwise` when there are none."""
    ordered = sorted(ids)
    return st.sampled_from(ordered) if ordered else otherwise


def requests(state: Organization, names: Names = FEW) -> SearchStrategy[Request]:
    """Requests drawn blindly, mostly by principals that exist, sometimes within a session."""
    there = known(state.principals, names.principals)
    return st.builds(
        Request,
        st.one_of(there, there, there, names.principals),
        names.actions,
        known(state.resources, names.resources) | names.resources | implicit_resources(names),
        st.one_of(st.none(), st.none(), names.kinds),
        st.none() | st.frozensets(names.roles, max_size=2),
    )


@st.composite
def aimed(draw: st.DrawFn, state: Organization, claim: Claim, names: Names = FEW) -> Question:
    """A request by a holder of the claim for what it grants, mostly in a favourable context."""
    principal = draw(known(holders_of(state, {claim.role}), names.principals))
    action = claim.action.value if isinstance(claim.action, Exactly) else Action("read")
    resource, kind = draw(targets(state, claim.resource))
    context = draw(contexts(names))
    if draw(st.integers(0, 2)) > 0:
        context = favourable(context, claim, principal)
    return Question(state, Request(principal, action, resource, kind), context)


def targets(
    state: Organization, pattern: ResourcePattern
) -> SearchStrategy[tuple[ResourceId, str | None]]:
    """Resources that the pattern matches, registered or not, each with a kind or nothing."""
    match pattern:
        case Exactly(resource):
            return st.just((resource, None))
        case Within(resource):
            inside = sorted(state.resources_in_parent.get(resource, ()))
            return st.sampled_from([(found, None) for found in (resource, *inside)])
        case OfKind(kind):
            return of_kind(state, kind)
        case Any():
            anything = known(state.resources, st.just(ResourceId(f"organization:{state.id}")))
            return st.tuples(anything, st.none())


def of_kind(state: Organization, kind: str) -> SearchStrategy[tuple[ResourceId, str | None]]:
    """Resources of the kind: implicit or registered ones, and one that is only named in passing."""
    implicit = [found for found in state.implicit_resources() if found.startswith(f"{kind}:")]
    stored = [found for found, resource in state.resources.items() if resource.kind == kind]
    named: list[tuple[ResourceId, str | None]] = [
        (found, None) for found in sorted([*implicit, *stored])
    ]
    unregistered = (ResourceId("unregistered"), kind)
    if kind in state.resources_of_kind or len(named) == 0:
        named.append(unregistered)
    return st.sampled_from(named)


@st.composite
def questions_on(draw: st.DrawFn, state: Organization, names: Names = FEW) -> Question:
    """A question on the organization: aimed at one of its claims, or drawn blindly."""
    if state.claims and draw(st.integers(0, 3)) > 0:
        claim = draw(st.sampled_from([state.claims[claim] for claim in sorted(state.claims)]))
        return draw(aimed(state, claim, names))
    return Question(state, draw(requests(state, names)), draw(contexts(names)))


@once
@st.composite
def questions(draw: st.DrawFn, names: Names = FEW) -> Question:
    """A question on a small valid organization, or rarely on an unknown one."""
    state = draw(organizations(names))
    question = draw(questions_on(state, names))
    unknown = draw(st.integers(0, 30)) == 30
    return replace(question, state=None) if unknown else question
