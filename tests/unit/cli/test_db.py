"""`grantproof db check`: is what the database holds what the core would accept?"""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.unit.cli.conftest import Run


def altered(database: Path, statement: str) -> None:
    """Change the database behind the product's back."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement)
        connection.commit()


def test_a_sound_database_is_said_to_be_sound(run: Run) -> None:
    """Every organization is loaded and its invariants are run."""
    run("org", "create", "other")
    assert run("db", "check").out == "2 organizations, no violation\n"
    assert run("db", "check", "--json").json == {
        "outcome": "valid",
        "damage": [],
        "organizations": [{"id": "acme", "violations": []}, {"id": "other", "violations": []}],
        "audit": [],
    }


def test_a_row_that_refers_to_nothing_is_found(run: Run, database: Path) -> None:
    """Code 1, and the row is named; the other organizations are checked all the same."""
    run("org", "create", "other")
    altered(database, "DELETE FROM role WHERE id = 'submitter'")
    ended = run("db", "check")
    assert (ended.code, ended.out) == (1, "")
    assert "submitter" in ended.err
    told = run("db", "check", "--json")
    assert (told.code, told.json["outcome"]) == (1, "violated")
    assert [one["id"] for one in told.json["organizations"]] == ["acme", "other"]


def test_a_broken_invariant_is_named(run: Run, database: Path) -> None:
    """What the tables allow and the core does not, is found too."""
    altered(
        database,
        "INSERT INTO assignment (organization_id, principal_id, role_id, revision)"
        " VALUES ('acme', 'carol', 'submitter', 1)",
    )
    ended = run("db", "check")
    assert ended.code == 1
    assert (
        "organization `acme` breaks static-duty-holds at finance-or-submitter, carol" in ended.err
    )


def test_a_database_that_is_not_there_is_not_created(run: Run, tmp_path: Path) -> None:
    """A check of a mistyped name must not find an empty database sound."""
    path = tmp_path / "typo.db"
    ended = run("db", "check", "--database", str(path))
    assert ended.code == 3
    assert ended.line.startswith(f"there is no database at `{path}`: ")
    assert not path.exists()


def test_a_file_that_is_no_database_fails_the_check(run: Run, tmp_path: Path) -> None:
    """For a check that is an answer: no."""
    path = tmp_path / "text.db"
    path.write_text("no database")
    ended = run("db", "check", "--database", str(path))
    assert ended.code == 1
    assert "is no database" in ended.line
