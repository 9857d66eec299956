"""Real user-permission matrices: what we grant through mined roles is the matrix, pair by pair."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from time import perf_counter

import pytest

from grantproof.core.commands import Accepted, apply
from grantproof.core.identifiers import OrganizationId, PrincipalId, ResourceId
from grantproof.core.index import Index
from grantproof.core.invariants import valid
from grantproof.core.matching import Request
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, evaluate
from tests.differential.role_mining import (
    METHODS,
    NAMES,
    NOON,
    SHAPES,
    USE,
    Matrix,
    import_of,
    parse_decomposition,
    read_decomposition,
    read_matrix,
)

Record = Callable[[str, object], None]


@dataclass(frozen=True, slots=True)
class Imported:
    """A decomposition in an organization, the matrix it must give, and how long that took."""

    name: str
    matrix: Matrix
    state: Organization
    seconds: float


@pytest.fixture(scope="module", params=product(NAMES, METHODS), ids="-".join)
def imported(request: pytest.FixtureRequest, real_data: Path) -> Imported:
    """One decomposition of one matrix, imported as one change set."""
    name, method = request.param
    folder = real_data / "hp-role-mining"
    matrix = read_matrix(folder, name)
    change = import_of(matrix, read_decomposition(folder, name, method))
    started = perf_counter()
    outcome = apply(
        Organization(OrganizationId("hp")), change, actor="importer", instant=NOON.instant
    )
    seconds = perf_counter() - started
    assert isinstance(outcome, Accepted), outcome
    return Imported(f"{name} {method}", matrix, outcome.state, seconds)


def granted(
    index: Index, users: tuple[PrincipalId, ...], permissions: tuple[ResourceId, ...]
) -> set[tuple[PrincipalId, ResourceId]]:
    """Ask about every pair, one request each, and return those that are allowed."""
    return {
        (user, permission)
        for user in users
        for permission in permissions
        if isinstance(index.ask(Request(user, USE, permission), NOON).answer, Claim)
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_matrix_is_the_published_one(real_data: Path, name: str) -> None:
    """Users, permissions and allowed pairs are as many as published, each pair once."""
    matrix = read_matrix(real_data / "hp-role-mining", name)
    shape = (len(matrix.users), len(matrix.permissions), len(matrix.allowed))
    assert shape == SHAPES[name]


def test_the_imported_organization_is_valid(imported: Imported) -> None:
    """What the import leaves violates no invariant."""
    assert valid(imported.state) == ()


def test_effective_permissions_equal_the_matrix(
    imported: Imported, record_property: Record
) -> None:
    """Every pair of user and permission is allowed if and only if the matrix has it."""
    matrix = imported.matrix
    started = perf_counter()
    found = granted(Index(imported.state), matrix.users, matrix.permissions)
    seconds = perf_counter() - started
    pairs = len(matrix.users) * len(matrix.permissions)
    figure = (
        f"{imported.name}: imported in {imported.seconds:.2f} s; {pairs:,} decisions "
        f"in {seconds:.2f} s, {pairs / seconds:,.0f} a second"
    )
    record_property("figure", figure)
    print(figure)  # noqa: T201 - a figure is what this test is asked for
    assert found ^ matrix.allowed == set()


def test_the_reference_agrees_on_one_user(imported: Imported) -> None:
    """The reference grants the user with the most permissions exactly its row of the matrix."""
    rows: dict[PrincipalId, set[ResourceId]] = {}
    for user, permission in imported.matrix.allowed:
        rows.setdefault(user, set()).add(permission)
    user = max(rows, key=lambda each: (len(rows[each]), each))
    found = {
        permission
        for permission in imported.matrix.permissions
        if isinstance(evaluate(imported.state, Request(user, USE, permission), NOON), Allow)
    }
    assert found == rows[user]


def test_a_lost_assignment_is_found(real_data: Path) -> None:
    """A decomposition without its last role does not give the matrix: the comparison can fail."""
    folder = real_data / "hp-role-mining"
    matrix = read_matrix(folder, "domino")
    roles = read_decomposition(folder, "domino", "optimal_cover")
    outcome = apply(
        Organization(OrganizationId("hp")),
        import_of(matrix, roles[:-1]),
        actor="importer",
        instant=NOON.instant,
    )
    assert isinstance(outcome, Accepted)
    found = granted(Index(outcome.state), matrix.users, matrix.permissions)
    lost = matrix.allowed - found
    assert found < matrix.allowed
    assert {permission for _, permission in lost} <= set(roles[-1].permissions)


def test_lists_over_several_lines_and_trailing_spaces_are_read() -> None:
    """A list may be wrapped and end in spaces; a block without users is refused, not skipped."""
    (role,) = parse_decomposition("role: 7\npermissions: 1, 2,\n 3 \nusers: 4,\n5 \n\n")
    assert (role.id, role.permissions, role.users) == ("r7", ("p1", "p2", "p3"), ("u4", "u5"))
    with pytest.raises(ValueError, match="not a block"):
        parse_decomposition("role: 7\npermissions: 1, 2\n")
