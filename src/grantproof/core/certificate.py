"""The evidence of an Allow, and the checker that accepts no other.

`check` recomputes nothing it can look up: it follows the named path edge by edge in the state.
It is what a sceptic reads instead of the index. P-CERT.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from grantproof.core.constraints import Context, Observation, Situation, observe
from grantproof.core.duty import active_roles, dynamic_clash
from grantproof.core.errors import HeldRole
from grantproof.core.hierarchy import closure, effective_roles
from grantproof.core.identifiers import GroupId, OrganizationId, PrincipalId, ResourceId, RoleId
from grantproof.core.matching import Request, Target, claim_matches, resolve, situate
from grantproof.core.model import Claim, Validity, Within
from grantproof.core.organization import Organization
from grantproof.core.paths import how_held, shortest_path

Node = TypeVar("Node", bound=str)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why a request was allowed, at a revision and an instant (epoch seconds).

    `groups` leads from a group of the principal outward to the one that holds the assignment, and
    is empty for a direct one; `roles` from the assigned role up to the one that holds the claim;
    `resources` from the requested resource up to the one that the claim names.
    """

    organization: OrganizationId
    revision: int
    instant: int
    principal: PrincipalId
    groups: tuple[GroupId, ...]
    validity: Validity
    roles: tuple[RoleId, ...]
    claim: Claim
    resources: tuple[ResourceId, ...]
    observations: tuple[Observation, ...]


def issue(state: Organization, request: Request, context: Context, *, claim: Claim) -> Certificate:
    """Return the certificate that `claim` grants `request`, which the caller has established."""
    target = resolve(state, request)
    held = _how_active(state, request, context.instant, role=claim.role)
    if target is None or held is None:
        message = f"claim {claim.id} does not grant the request it is to certify"
        raise ValueError(message)
    groups = tuple(GroupId(group) for group in held.groups)
    roles = tuple(RoleId(role) for role in held.roles)
    return Certificate(
        organization=state.id,
        revision=state.revision,
        instant=context.instant,
        principal=request.principal,
        groups=groups,
        validity=_assigned(state, request.principal, groups)[roles[0]],
        roles=roles,
        claim=claim,
        resources=_resource_path(claim, target),
        observations=_observe_all(claim, situate(state, request, context, target=target)),
    )


def check(
    state: Organization, request: Request, context: Context, *, certificate: Certificate
) -> bool:
    """Return whether the certificate proves that `state` allows `request` in `context`."""
    target = resolve(state, request)
    return (
        target is not None
        and certificate.organization == state.id
        and certificate.revision == state.revision
        and certificate.instant == context.instant
        and certificate.principal == request.principal
        and _is_active(state, request.principal)
        and _chain_holds(state, certificate)
        and _within_session(request, certificate)
        and dynamic_clash(state, active_roles(state, request, context.instant)) is None
        and state.claims.get(certificate.claim.id) == certificate.claim
        and claim_matches(certificate.claim, request.action, target)
        and certificate.resources == _resource_path(certificate.claim, target)
        and _constraints_held(certificate, situate(state, request, context, target=target))
    )


def _is_active(state: Organization, principal: PrincipalId) -> bool:
    stored = state.principals.get(principal)
    return stored is not None and stored.active


def _chain_holds(state: Organization, certificate: Certificate) -> bool:
    groups, roles = certificate.groups, certificate.roles
    if len(roles) == 0 or roles[-1] != certificate.claim.role:
        return False
    if len(groups) > 0 and groups[0] not in state.memberships.of(certificate.principal):
        return False
    assigned = _assigned(state, certificate.principal, groups)
    return (
        _follows(groups, state.groups.parents)
        and _follows(roles, state.roles.parents)
        and assigned.get(roles[0]) == certificate.validity
        and certificate.validity.contains(certificate.instant)
    )


def _follows(path: tuple[Node, ...], parents: Mapping[Node, Mapping[Node, None]]) -> bool:
    return all(child in parents and parent in parents[child] for child, parent in pairwise(path))


def _assigned(
    state: Organization, principal: PrincipalId, groups: tuple[GroupId, ...]
) -> Mapping[RoleId, Validity]:
    if len(groups) == 0:
        return state.assignments.of(principal)
    return state.group_assignments.of(groups[-1])


def _within_session(request: Request, certificate: Certificate) -> bool:
    return request.active_roles is None or any(
        role in request.active_roles for role in certificate.roles
    )


def _constraints_held(certificate: Certificate, situation: Situation) -> bool:
    return certificate.observations == _observe_all(certificate.claim, situation) and all(
        observation.held for observation in certificate.observations
    )


def _resource_path(claim: Claim, target: Target) -> tuple[ResourceId, ...]:
    if isinstance(claim.resource, Within) and claim.resource.value in target.lineage:
        return target.lineage[: target.lineage.index(claim.resource.value) + 1]
    return (target.resource,)


def _observe_all(claim: Claim, situation: Situation) -> tuple[Observation, ...]:
    return tuple(observe(constraint, situation) for constraint in claim.constraints)


def _how_active(
    state: Organization, request: Request, instant: int, *, role: RoleId
) -> HeldRole | None:
    """Return a shortest way in which the role is held, through a chosen role in a session."""
    if request.active_roles is None:
        return how_held(state, request.principal, role, instant=instant)
    effective = effective_roles(state, request.principal, instant)
    ways = [
        _joined(state, how_held(state, request.principal, chosen, instant=instant), role)
        for chosen in sorted(request.active_roles & effective)
        if role in closure({chosen}, state.roles.parents)
    ]
    return min(
        (way for way in ways if way is not None),
        key=lambda way: (len(way.groups) + len(way.roles), way.groups, way.roles),
        default=None,
    )


def _joined(state: Organization, held: HeldRole | None, role: RoleId) -> HeldRole | None:
    if held is None:
        return None
    rest = shortest_path([RoleId(held.roles[-1])], role, state.roles.parents)
    return None if rest is None else HeldRole(held.groups, (*held.roles, *rest[1:]))
