"""Every bound of an organization at one below, at, and one above; in `apply` and in `valid`."""

from collections.abc import Iterator
from itertools import pairwise

import pytest

from grantproof.core import limits
from grantproof.core.commands import bounds
from grantproof.core.commands.bounds import chain_with_edge, over_limit
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
    DeleteGroup,
    NestGroup,
    SingleCommand,
)
from grantproof.core.errors import OverLimit
from grantproof.core.guardrails import Access, Forbidden
from grantproof.core.identifiers import (
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.invariants import Violation, valid
from grantproof.core.model import (
    Any,
    Claim,
    Fact,
    Guardrail,
    Inheritance,
    Nesting,
    Resource,
    SodSet,
)
from grantproof.core.organization import Organization
from grantproof.core.relation import Graph
from tests.organizations import (
    ANN,
    CLERK,
    FILE,
    HEAD,
    STAFF,
    after,
    groups,
    library,
    made_of,
    people,
    refusal_of,
    roles,
)

BOUND = 3
MANY = BOUND + 1
ROLES = [RoleId(f"r{number}") for number in range(MANY)]
GROUPS = [GroupId(f"g{number}") for number in range(MANY)]
ENTITIES = made_of(*people(ANN), *groups(STAFF, *GROUPS), *roles(CLERK, HEAD, *ROLES), *library())
EMPTY = made_of()
CLERKS_PAIR = frozenset({CLERK, HEAD})
# Per limit: its words, its constants, where it starts from, and one command for each one more.
CROWDS: list[tuple[str, str, Organization, list[SingleCommand]]] = [
    (
        "principals",
        "PRINCIPALS_MAX",
        EMPTY,
        [CreatePrincipal(PrincipalId(f"p{n}")) for n in range(MANY)],
    ),
    ("groups", "GROUPS_MAX", EMPTY, [CreateGroup(group) for group in GROUPS]),
    ("roles", "ROLES_MAX", EMPTY, [CreateRole(role) for role in ROLES]),
    ("kinds", "KINDS_MAX", EMPTY, [CreateKind(Kind(f"k{n}")) for n in range(MANY)]),
    (
        "resources",
        "RESOURCES_MAX",
        after(EMPTY, CreateKind(FILE)),
        [CreateResource(Resource(ResourceId(f"f{n}"), FILE)) for n in range(MANY)],
    ),
    (
        "claims",
        "CLAIMS_MAX",
        ENTITIES,
        [CreateClaim(Claim(ClaimId(f"c{n}"), ROLES[n], Any(), Any())) for n in range(MANY)],
    ),
    (
        "claims of a role",
        "CLAIMS_PER_ROLE_MAX",
        ENTITIES,
        [CreateClaim(Claim(ClaimId(f"c{n}"), CLERK, Any(), Any())) for n in range(MANY)],
    ),
    (
        "separation-of-duty sets",
        "SOD_SETS_MAX",
        ENTITIES,
        [CreateSodSet(SodSet(SodSetId(f"s{n}"), CLERKS_PAIR, 2)) for n in range(MANY)],
    ),
    (
        "guardrails",
        "GUARDRAILS_MAX",
        ENTITIES,
        [
            CreateGuardrail(Guardrail(GuardrailId(f"g{n}"), Forbidden(Access(Any(), Any()))))
            for n in range(MANY)
        ],
    ),
    (
        "groups of a principal",
        "GROUPS_PER_PRINCIPAL_MAX",
        ENTITIES,
        [AddMember(ANN, group) for group in GROUPS],
    ),
    (
        "containers of a group",
        "CONTAINERS_PER_GROUP_MAX",
        ENTITIES,
        [NestGroup(STAFF, group) for group in GROUPS],
    ),
    (
        "parents of a role",
        "PARENTS_PER_ROLE_MAX",
        ENTITIES,
        [AddParent(CLERK, role) for role in ROLES],
    ),
    (
        "roles of a principal",
        "ROLES_PER_HOLDER_MAX",
        ENTITIES,
        [AssignRole(ANN, role) for role in ROLES],
    ),
    (
        "roles of a group",
        "ROLES_PER_HOLDER_MAX",
        ENTITIES,
        [AssignGroupRole(STAFF, role) for role in ROLES],
    ),
]


@pytest.mark.parametrize(
    ("limit", "constant", "start", "commands"), CROWDS, ids=[row[0] for row in CROWDS]
)
def test_a_command_stops_at_the_limit(
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    constant: str,
    start: Organization,
    commands: list[SingleCommand],
) -> None:
    """Commands are accepted up to the limit; the next is refused with the limit named."""
    monkeypatch.setattr(bounds, constant, BOUND)
    full = after(start, *commands[:BOUND])
    assert refusal_of(full, commands[BOUND]) == OverLimit(limit, BOUND)


@pytest.mark.parametrize(
    ("limit", "constant", "start", "commands"), CROWDS, ids=[row[0] for row in CROWDS]
)
def test_valid_reports_what_passes_the_limit(
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    constant: str,
    start: Organization,
    commands: list[SingleCommand],
) -> None:
    """A state at the limit is valid, one beyond it is not, however it came to be."""
    beyond = after(start, *commands)
    # Only what the test itself makes counts towards the bound.
    monkeypatch.setattr(limits, constant, BOUND)
    at_limit = after(start, *commands[:BOUND])
    assert valid(at_limit) == ()
    assert {violation.invariant for violation in valid(beyond)} == {"within-limits"}, limit


def chain_of_roles(edges: int) -> Iterator[Fact]:
    """Roles in one line with so many edges."""
    line = [RoleId(f"r{number:03}") for number in range(edges + 1)]
    yield from roles(*line)
    yield from (Inheritance(child, parent) for child, parent in pairwise(line))


def chain_of_groups(edges: int) -> Iterator[Fact]:
    """Groups in one line with so many edges."""
    line = [GroupId(f"g{number:03}") for number in range(edges + 1)]
    yield from groups(*line)
    yield from (Nesting(group, container) for group, container in pairwise(line))


def test_the_depth_limits_are_64() -> None:
    """The chains below are built to this length."""
    depths = (limits.ROLE_DEPTH_MAX, limits.GROUP_DEPTH_MAX, limits.RESOURCE_DEPTH_MAX)
    assert depths == (64, 64, 64)


@pytest.mark.parametrize("at_top", [True, False])
def test_roles_are_64_deep_at_most(at_top: bool) -> None:
    """A 64th edge at either end is accepted, a 65th is refused."""
    for edges, expected in ((62, None), (63, None), (64, OverLimit("depth of roles", 64))):
        state = made_of(*chain_of_roles(edges), *roles(CLERK))
        last = RoleId(f"r{edges:03}")
        edge = AddParent(last, CLERK) if at_top else AddParent(CLERK, RoleId("r000"))
        assert refusal_of(state, edge) == expected


def test_two_half_chains_are_counted_together() -> None:
    """An edge between the middle of two lines adds what is above it and what is below."""
    upper = [RoleId(f"u{number:02}") for number in range(32)]
    lower = [RoleId(f"l{number:02}") for number in range(34)]
    lines = [Inheritance(*edge) for line in (upper, lower) for edge in pairwise(line)]
    state = made_of(*roles(*upper, *lower), *lines)
    assert refusal_of(state, AddParent(lower[32], upper[0])) is None
    assert refusal_of(state, AddParent(lower[33], upper[0])) == OverLimit("depth of roles", 64)


@pytest.mark.parametrize("at_top", [True, False])
def test_groups_are_64_deep_at_most(at_top: bool) -> None:
    """A 64th edge at either end is accepted, a 65th is refused."""
    for edges, expected in ((62, None), (63, None), (64, OverLimit("depth of groups", 64))):
        state = made_of(*chain_of_groups(edges), *groups(STAFF))
        last = GroupId(f"g{edges:03}")
        edge = NestGroup(last, STAFF) if at_top else NestGroup(STAFF, GroupId("g000"))
        assert refusal_of(state, edge) == expected


def test_resources_are_64_deep_at_most() -> None:
    """A resource with 64 ancestors is accepted, one with 65 is refused."""
    state = made_of(*library())
    parent = None
    for depth in range(65):
        one = ResourceId(f"d{depth}")
        state = after(state, CreateResource(Resource(one, FILE, parent)))
        parent = one
    beyond = CreateResource(Resource(ResourceId("d65"), FILE, parent))
    assert refusal_of(state, beyond) == OverLimit("depth of resources", 64)
    assert valid(state) == ()


def test_valid_reports_what_is_too_deep() -> None:
    """Lines of 64 edges are valid; of 65, the ends from which they are too long are named."""
    assert valid(made_of(*chain_of_roles(64), *chain_of_groups(64))) == ()
    found = valid(made_of(*chain_of_roles(65), *chain_of_groups(65)))
    assert found == (Violation("within-limits", ("r000",)), Violation("within-limits", ("g000",)))


def test_valid_reports_a_resource_that_is_too_deep() -> None:
    """64 ancestors are valid, 65 are not."""
    line = [ResourceId(f"d{depth:02}") for depth in range(66)]
    nested = [Resource(line[0], FILE), *(Resource(b, FILE, a) for a, b in pairwise(line))]
    assert valid(made_of(*library(), *nested[:65])) == ()
    assert valid(made_of(*library(), *nested)) == (Violation("within-limits", ("d65",)),)


def test_a_command_that_makes_nothing_counts_towards_nothing() -> None:
    """Removing is never over a limit."""
    assert over_limit(ENTITIES, DeleteGroup(STAFF)) is None


def test_chain_with_edge_takes_the_longest_way_through_the_edge() -> None:
    """Above the parent, below the child, and one; other branches do not count."""
    graph: Graph[str] = Graph()
    for node in "abcdefg":
        graph = graph.with_node(node)
    for child, parent in ("ab", "bc", "de", "fe", "gf"):
        graph = graph.with_edge(child, parent)
    assert chain_with_edge(graph, "e", "a") == 2 + 1 + 2
    assert chain_with_edge(graph, "c", "e") == 0 + 1 + 2
    assert chain_with_edge(graph, "d", "c") == 0 + 1 + 0
