"""Who administers an organization, so that a change can keep the last one.

An administrator is an active principal that holds, without limit of time, a claim without
constraints to `administer` the organization itself.
"""

from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.hierarchy import closure, members_of
from grantproof.core.identifiers import PrincipalId, ResourceId, RoleId
from grantproof.core.matching import Target, claim_matches
from grantproof.core.model import ADMINISTER, ALWAYS, Any, Exactly, OfKind, Within
from grantproof.core.organization import Organization


def has_administrator(state: Organization) -> bool:
    """Return whether at least one principal administers the organization."""
    roles = closure(administrative_roles(state), state.roles.children)
    return any(
        state.principals[principal].active
        for role in roles
        for principal in _permanent_holders(state, role)
    )


def administrative_roles(state: Organization) -> frozenset[RoleId]:
    """Return the roles that themselves hold an unconstrained claim to administer."""
    itself = ResourceId(f"organization:{state.id}")
    target = Target(itself, "organization", (itself,), NO_ATTRIBUTES)
    patterns = (Exactly(itself), Within(itself), OfKind("organization"), Any())
    named = (
        state.claims[claim]
        for pattern in patterns
        if pattern in state.claims_by_resource
        for claim in state.claims_by_resource[pattern]
    )
    return frozenset(
        claim.role
        for claim in named
        if claim_matches(claim, ADMINISTER, target) and len(claim.constraints) == 0
    )


def _permanent_holders(state: Organization, role: RoleId) -> frozenset[PrincipalId]:
    direct = frozenset(
        principal
        for principal in state.assignments.to(role)
        if state.assignments.of(principal)[role] == ALWAYS
    )
    groups = [
        group
        for group in state.group_assignments.to(role)
        if state.group_assignments.of(group)[role] == ALWAYS
    ]
    return direct | members_of(state, groups)
