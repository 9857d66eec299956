"""Which answers a fact bears on: what an index must forget when the fact comes or goes.

Asked of the state that has the fact: the old one for a removed fact, the new one for an added one.
Forgetting too much costs time, forgetting too little is a defect that P-INDEX finds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from grantproof.core.hierarchy import closure, holders_of, members_of
from grantproof.core.identifiers import Kind, RoleId
from grantproof.core.matching import descendants
from grantproof.core.model import (
    Administered,
    Any,
    Assignment,
    Claim,
    Exactly,
    Fact,
    Group,
    GroupAssignment,
    Guardrail,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    OfKind,
    Principal,
    Resource,
    ResourcePattern,
    Role,
    SodSet,
    Within,
)
from grantproof.core.organization import Organization

Resources = tuple[str | None, tuple[str, ...] | None]
"""An action, or nothing for every one; and resources, or nothing for every one."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Principals, resources by action, and whether entries of unregistered resources, to forget."""

    principals: Iterable[str] = ()
    resources: tuple[Resources, ...] = ()
    kinds: bool = False


def stale(state: Organization, fact: Fact) -> Stale:  # noqa: C901 - one branch a fact
    """Return what the fact, which `state` has, bears on."""
    match fact:
        case Principal():
            return Stale(principals=(fact.id,))
        case Membership() | Assignment():
            return Stale(principals=(fact.principal,))
        case GroupAssignment() | Nesting():
            return Stale(principals=members_of(state, {fact.group}))
        case Group():
            return Stale(resources=((None, (f"group:{fact.id}",)),))
        case Role():
            return Stale(resources=((None, (f"role:{fact.id}",)),))
        case KindDeclaration():
            return Stale(kinds=True)
        case Resource():
            # What lies inside may stay the same fact while its ancestors change.
            return Stale(resources=((None, tuple(descendants(state, {fact.id}))),))
        case Claim():
            return _of_claims(state, (fact,))
        case SodSet():
            dynamic = fact.roles if fact.mode == "dynamic" else frozenset[RoleId]()
            bound = holders_of(state, dynamic)
            return Stale(principals=bound, resources=((None, (f"sod-set:{fact.id}",)),))
        case Inheritance():
            return _of_inheritance(state, fact)
        case Guardrail() | Administered():
            return Stale()
        case _:
            assert_never(fact)


def _of_inheritance(state: Organization, edge: Inheritance) -> Stale:
    inherited = closure({edge.parent}, state.roles.parents)
    claims = tuple(
        state.claims[claim]
        for role in inherited
        if role in state.claims_by_role
        for claim in state.claims_by_role[role]
    )
    touched = _of_claims(state, claims)
    dynamic = any(sod_set.mode == "dynamic" for sod_set in state.sod_sets.values())
    holders = holders_of(state, {edge.role}) if dynamic else frozenset[str]()
    return Stale(principals=holders, resources=touched.resources, kinds=touched.kinds)


def _of_claims(state: Organization, claims: Iterable[Claim]) -> Stale:
    claims = tuple(claims)
    return Stale(
        resources=tuple(_targets(state, claim) for claim in claims),
        kinds=any(isinstance(claim.resource, OfKind | Any) for claim in claims),
    )


def _targets(state: Organization, claim: Claim) -> Resources:
    action = str(claim.action.value) if isinstance(claim.action, Exactly) else None
    return action, _matched(state, claim.resource)


def _matched(state: Organization, pattern: ResourcePattern) -> tuple[str, ...] | None:
    match pattern:
        case Exactly(resource):
            return (resource,)
        case Within(resource):
            return tuple(descendants(state, {resource}))
        case OfKind(kind):
            return _of_kind(state, kind)
        case Any():
            return None
        case _:
            assert_never(pattern)


def _of_kind(state: Organization, kind: str) -> tuple[str, ...] | None:
    """Return the registered resources of a kind; for an implicit kind nothing, which means all."""
    if kind not in state.resources_of_kind:
        return None
    return tuple(state.resources_of_kind[Kind(kind)])
