"""Two decompositions of one real matrix allow the same, and one without a role does not."""

from pathlib import Path

import pytest

from grantproof.analysis.difference import difference
from grantproof.analysis.findings import Verdict
from grantproof.analysis.solving import Solver
from grantproof.core.commands import Accepted, apply
from grantproof.core.identifiers import OrganizationId
from grantproof.core.organization import Organization
from tests.differential.role_mining import (
    METHODS,
    NAMES,
    NOON,
    Matrix,
    MinedRole,
    import_of,
    read_decomposition,
    read_matrix,
)


def imported(matrix: Matrix, roles: tuple[MinedRole, ...]) -> Organization:
    """The organization of a decomposition."""
    empty = Organization(OrganizationId("hp"))
    outcome = apply(empty, import_of(matrix, roles), actor="importer", instant=NOON.instant)
    assert isinstance(outcome, Accepted), outcome
    return outcome.state


@pytest.mark.parametrize("name", NAMES)
def test_two_decompositions_of_a_matrix_allow_the_same(real_data: Path, name: str) -> None:
    """Other roles, claims and assignments, and not one request that is decided otherwise.

    The resources that stand for the roles differ, but nobody has a claim on those.
    """
    folder = real_data / "hp-role-mining"
    matrix = read_matrix(folder, name)
    old, new = (imported(matrix, read_decomposition(folder, name, method)) for method in METHODS)
    solver = Solver()
    found = difference(old, new, solver, now=NOON.instant)
    assert old.claims.keys() != new.claims.keys()
    assert (found.verdict, found.undetermined) == (Verdict.EQUAL, ())
    assert solver.asked == 0


def test_a_decomposition_without_a_role_loses_what_only_that_role_gave(real_data: Path) -> None:
    """Exactly the pairs of the matrix that no other role covers, and nothing is gained."""
    folder = real_data / "hp-role-mining"
    matrix = read_matrix(folder, "domino")
    *others, last = read_decomposition(folder, "domino", "optimal_cover")
    covered = {
        (user, permission)
        for role in others
        for user in role.users
        for permission in role.permissions
    }
    found = difference(
        imported(matrix, (*others, last)),
        imported(matrix, tuple(others)),
        Solver(),
        now=NOON.instant,
    )
    lost = {
        (request.principal, request.resource)
        for change in found.losses
        for request in change.scope.requests()
    }
    assert found.verdict is Verdict.LESS
    assert lost == matrix.allowed - covered
    assert lost != set()
