"""The floor of a change writes what the service writes, so that their ratio says something."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bench.bare import Change, bare
from bench.capacity import BY, fill
from bench.writes import Written, in_process
from grantproof.bootstrap import compose
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import AssignRole, ChangeSet, CreatePrincipal, CreateRole
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId
from grantproof.settings import Settings

TOLD = {
    "organization": "revision, deleted_at",
    "assignment": "principal_id, role_id, valid_from, valid_until, revision",
    "event": "revision, kind, request_id, command, delta, length(commitment), length(key_id),"
    " length(mac)",
    "event_personal": "revision, length(salt), actor, reason, erased_at, erasure",
}
"""What of each table is no matter of chance, of the key or of the clock."""


def rows(database: Path, organization: str) -> dict[str, list[object]]:
    """What is stored of the organization."""
    with closing(sqlite3.connect(database)) as connection:
        return {
            table: connection.execute(
                f"SELECT {columns} FROM {table}"  # noqa: S608 - names of our own
                f" WHERE {'id' if table == 'organization' else 'organization_id'} = ?"
                " ORDER BY 1, 2",
                (organization,),
            ).fetchall()
            for table, columns in TOLD.items()
        }


def test_the_floor_writes_the_rows_of_the_service(tmp_path: Path) -> None:
    """After the same changes, single ones and a change set, both have the same rows."""
    database = tmp_path / "bench.db"
    url = f"sqlite:///{database}"
    names = [PrincipalId(f"user-{at}") for at in range(3)]
    for name in ("ours", "floor"):
        role = CreateRole(RoleId("new-0"))
        fill(url, name, [role, CreateRole(RoleId("other")), *map(CreatePrincipal, names)])
    pairs = [(name, RoleId("other")) for name in names]
    with closing(compose(Settings(database_url=url))) as services:
        with in_process(services) as make:
            for change in Written(["ours"], 3).some(3):
                make(change)
        assigned = ChangeSet(tuple(AssignRole(*pair) for pair in pairs))
        outcome = services.administration.propose(OrganizationId("ours"), assigned, by=BY)
        assert isinstance(outcome, Accepted)
    with bare(url) as floor:
        for change in Written(["floor"], 3).some(3):
            floor.make(change)
        floor.make_all("floor", pairs)
    assert rows(database, "floor") == rows(database, "ours")
    assert len(rows(database, "ours")["assignment"]) == 6


def test_no_change_is_asked_for_twice() -> None:
    """Each of the organizations in turn, each principal in turn, then the next role."""
    written = Written(["a", "b"], 2)
    some = [*written.some(3), *written.some(5)]
    assert some[:3] == [
        Change("a", "user-0", "new-0"),
        Change("b", "user-0", "new-0"),
        Change("a", "user-1", "new-0"),
    ]
    assert len(set(some)) == 8
    assert len({change.role for change in some}) == 2
    assert {CreateRole(RoleId(change.role)) for change in some} <= set(written.roles(8))
