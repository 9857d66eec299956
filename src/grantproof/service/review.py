"""Questions about who holds what, and why: review, pages and explanations.

Everything here reads one state at one revision. An explanation is made by the reference, not by the
index that decides, so the two are seen side by side.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nsmallest
from typing import Generic, TypeVar

from grantproof.core.constraints import Context, Observation
from grantproof.core.duty import active_roles
from grantproof.core.errors import HeldRole
from grantproof.core.hierarchy import Node, effective_roles
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.matching import Request, claim_matches, resolve, situate
from grantproof.core.metering import UNUSED, Readings, evaluate, observe
from grantproof.core.model import Claim, Validity
from grantproof.core.organization import Organization
from grantproof.core.paths import how_held
from grantproof.core.policy import Decision

Key = TypeVar("Key", str, tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Page(Generic[Key]):
    """Some keys in order, and the last of them when there are more: ask for those after it."""

    keys: tuple[Key, ...]
    more_after: Key | None


def page(keys: Iterable[Key], *, after: Key | None, limit: int) -> Page[Key]:
    """Return at most `limit` keys greater than `after`, least first."""
    found = nsmallest(limit + 1, (key for key in keys if after is None or key > after))
    shown = tuple(found[:limit])
    return Page(shown, shown[-1] if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class Holding:
    """An assignment that reaches a principal, valid or not.

    `groups` leads from a group of the principal outward to the one that the role is assigned to,
    and is empty for a direct assignment.
    """

    role: RoleId
    groups: tuple[GroupId, ...]
    validity: Validity


def holdings(state: Organization, principal: PrincipalId) -> tuple[Holding, ...]:
    """Return every assignment that reaches the principal: direct ones first, in order of ids."""
    direct = [Holding(role, (), held) for role, held in state.assignments.of(principal).items()]
    groups = shortest_paths(state.memberships.of(principal), state.groups.parents)
    through = [
        Holding(role, path, held)
        for group, path in groups.items()
        for role, held in state.group_assignments.of(group).items()
    ]
    return tuple(
        sorted([*direct, *through], key=lambda one: (len(one.groups), one.groups, one.role))
    )


def effective(state: Organization, principal: PrincipalId, instant: int) -> tuple[HeldRole, ...]:
    """Return how the principal holds each of its roles at the instant, in order of the roles."""
    roles = sorted(effective_roles(state, principal, instant))
    ways = (how_held(state, principal, role, instant=instant) for role in roles)
    return tuple(way for way in ways if way is not None)


def shortest_paths(
    starts: Iterable[Node], parents: Mapping[Node, Iterable[Node]]
) -> dict[Node, tuple[Node, ...]]:
    """Return all that is reached from `starts`, each with the path that `shortest_path` finds."""
    paths: dict[Node, tuple[Node, ...]] = {node: (node,) for node in sorted(starts)}
    frontier = list(paths)
    while frontier:
        following: list[Node] = []
        for node in frontier:
            for parent in sorted(parents[node]):
                if parent not in paths:
                    paths[parent] = (*paths[node], parent)
                    following.append(parent)
        frontier = following
    return paths


@dataclass(frozen=True, slots=True)
class Weighed:
    """A claim on the requested action and resource, whether it is active, and what it saw."""

    claim: Claim
    active: bool
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and everything that bore on it; claims in the order of their ids.

    `weighed` has every claim of the organization that matches the action and the resource, those of
    roles that are not active included: what is missing for an allow is among them.
    """

    decision: Decision
    effective_roles: tuple[RoleId, ...]
    active_roles: tuple[RoleId, ...]
    weighed: tuple[Weighed, ...]


def explain(
    state: Organization, request: Request, context: Context, *, readings: Readings = UNUSED
) -> Explanation:
    """Return why the request is allowed or denied on the state, in the context.

    Counters stand at `readings`.
    """
    decision = evaluate(state, request, context, readings=readings)
    if request.principal not in state.principals:
        return Explanation(decision, (), (), ())
    active = active_roles(state, request, context.instant)
    return Explanation(
        decision=decision,
        effective_roles=tuple(sorted(effective_roles(state, request.principal, context.instant))),
        active_roles=tuple(sorted(active)),
        weighed=_weigh(state, request, context, active=active, readings=readings),
    )


def _weigh(
    state: Organization,
    request: Request,
    context: Context,
    *,
    active: frozenset[RoleId],
    readings: Readings,
) -> tuple[Weighed, ...]:
    target = resolve(state, request)
    if target is None:
        return ()
    situation = situate(state, request, context, target=target)
    return tuple(
        Weighed(
            claim,
            claim.role in active,
            tuple(
                observe(constraint, situation, claim=claim.id, readings=readings)
                for constraint in claim.constraints
            ),
        )
        for claim in sorted(state.claims.values(), key=lambda claim: claim.id)
        if claim_matches(claim, request.action, target)
    )
