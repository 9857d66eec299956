"""Which limit a command would pass: one row for each thing that a command makes more of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    CreateClaim,
    CreateGroup,
    CreateGuardrail,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    NestGroup,
    SingleCommand,
)
from grantproof.core.errors import OverLimit
from grantproof.core.limits import (
    CLAIMS_MAX,
    CLAIMS_PER_ROLE_MAX,
    CONTAINERS_PER_GROUP_MAX,
    GROUP_DEPTH_MAX,
    GROUPS_MAX,
    GROUPS_PER_PRINCIPAL_MAX,
    GUARDRAILS_MAX,
    KINDS_MAX,
    PARENTS_PER_ROLE_MAX,
    PRINCIPALS_MAX,
    RESOURCE_DEPTH_MAX,
    RESOURCES_MAX,
    ROLE_DEPTH_MAX,
    ROLES_MAX,
    ROLES_PER_HOLDER_MAX,
    SOD_SETS_MAX,
)
from grantproof.core.matching import lineage
from grantproof.core.organization import Organization
from grantproof.core.paths import longest_chain
from grantproof.core.relation import Graph

Node = TypeVar("Node", bound=str)


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit in words, how many there would be after the command, and how many there may be."""

    limit: str
    after: int
    maximum: int


def over_limit(state: Organization, command: SingleCommand) -> OverLimit | None:
    """Return the first limit that the command, otherwise possible, would pass."""
    for bound in bounds(state, command):
        if bound.after > bound.maximum:
            return OverLimit(bound.limit, bound.maximum)
    return None


def bounds(  # noqa: C901 - one branch a command
    state: Organization,
    command: SingleCommand,
) -> Iterator[Bound]:
    """Yield every limit that the command counts towards."""
    match command:
        case AssignRole(principal, _):
            roles = len(state.assignments.of(principal))
            yield Bound("roles of a principal", roles + 1, ROLES_PER_HOLDER_MAX)
        case CreatePrincipal():
            yield Bound("principals", len(state.principals) + 1, PRINCIPALS_MAX)
        case CreateGroup():
            yield Bound("groups", len(state.groups) + 1, GROUPS_MAX)
        case CreateRole():
            yield Bound("roles", len(state.roles) + 1, ROLES_MAX)
        case CreateKind():
            yield Bound("kinds", len(state.resources_of_kind) + 1, KINDS_MAX)
        case CreateResource(resource):
            yield Bound("resources", len(state.resources) + 1, RESOURCES_MAX)
            if resource.parent is not None:
                above = len(lineage(state, resource.parent))
                yield Bound("depth of resources", above, RESOURCE_DEPTH_MAX)
        case CreateClaim(claim):
            held = len(state.claims_by_role.get(claim.role, ()))
            yield Bound("claims", len(state.claims) + 1, CLAIMS_MAX)
            yield Bound("claims of a role", held + 1, CLAIMS_PER_ROLE_MAX)
        case CreateSodSet():
            yield Bound("separation-of-duty sets", len(state.sod_sets) + 1, SOD_SETS_MAX)
        case CreateGuardrail():
            yield Bound("guardrails", len(state.guardrails) + 1, GUARDRAILS_MAX)
        case AddMember(principal, _):
            groups = len(state.memberships.of(principal))
            yield Bound("groups of a principal", groups + 1, GROUPS_PER_PRINCIPAL_MAX)
        case NestGroup(group, container):
            containers = len(state.groups.parents[group])
            yield Bound("containers of a group", containers + 1, CONTAINERS_PER_GROUP_MAX)
            depth = chain_with_edge(state.groups, group, container)
            yield Bound("depth of groups", depth, GROUP_DEPTH_MAX)
        case AddParent(role, parent):
            parents = len(state.roles.parents[role])
            yield Bound("parents of a role", parents + 1, PARENTS_PER_ROLE_MAX)
            depth = chain_with_edge(state.roles, role, parent)
            yield Bound("depth of roles", depth, ROLE_DEPTH_MAX)
        case AssignGroupRole(group, _):
            roles = len(state.group_assignments.of(group))
            yield Bound("roles of a group", roles + 1, ROLES_PER_HOLDER_MAX)
        case _:
            return


def chain_with_edge(graph: Graph[Node], child: Node, parent: Node) -> int:
    """Return the edges of the longest chain through an edge that closes no cycle."""
    return longest_chain(parent, graph.parents) + 1 + longest_chain(child, graph.children)
