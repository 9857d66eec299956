"""`grantproof review`: the review functions of the RBAC standard on the demo organization."""

import pytest

from tests.unit.cli.conftest import Run


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("assigned-users viewer", ["alice"]),
        ("authorized-users viewer", ["alice", "bob"]),
        ("assigned-roles bob", ["editor"]),
        ("authorized-roles bob", ["editor", "viewer"]),
        ("session-roles bob", ["editor", "viewer"]),
        ("session-roles bob --active-role viewer", ["viewer"]),
        ("role-operations editor docs", ["read", "write"]),
        ("role-operations editor reports", ["read"]),
        ("role-operations editor new --kind document", []),
        ("user-operations alice docs", ["read"]),
        ("user-operations carol docs", []),
    ],
)
def test_names_are_told_a_line_each(question: str, names: list[str], run: Run) -> None:
    """In order; for programs they are one list."""
    told = run("review", *question.split())
    assert (told.code, told.out.split()) == (0, names)
    assert run("review", *question.split(), "--json").json == names


@pytest.mark.parametrize(
    ("question", "claims"),
    [
        ("role-permissions viewer", ["viewer-read-docs", "viewer-read-reports"]),
        (
            "user-permissions bob",
            ["editor-write-docs", "viewer-read-docs", "viewer-read-reports"],
        ),
        (
            "session-permissions bob --active-role viewer",
            ["viewer-read-docs", "viewer-read-reports"],
        ),
        ("role-permissions finance", []),
    ],
)
def test_claims_are_a_table_or_documents(question: str, claims: list[str], run: Run) -> None:
    """With their constraints, as everywhere."""
    told = run("review", *question.split())
    assert told.code == 0
    assert [line.split()[0] for line in told.out.splitlines()[1:]] == claims
    assert [one["id"] for one in run("review", *question.split(), "--json").json] == claims


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("assigned-users nope", "role `nope` does not exist"),
        ("user-permissions nope", "principal `nope` does not exist"),
        ("user-operations alice nope", "resource `nope` does not exist"),
        ("role-operations viewer nope --kind none", "resource `nope` does not exist"),
    ],
)
def test_what_does_not_exist_is_said(question: str, line: str, run: Run) -> None:
    """Code 1, rather than an empty answer."""
    ended = run("review", *question.split())
    assert (ended.code, ended.line) == (1, line)
