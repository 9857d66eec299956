"""`grantproof audit`: verifying, checkpoints, reading, erasing; and `db replay`."""

import csv
import json
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run


def altered(database: Path, *statements: str) -> None:
    """Change the database behind the product's back; its triggers are put back."""
    name = "event_is_never_changed"
    with closing(sqlite3.connect(database)) as connection, connection:
        find = "SELECT sql FROM sqlite_master WHERE name = ?"
        (trigger,) = connection.execute(find, (name,)).fetchone()
        connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.execute(trigger)


def test_a_whole_chain_is_said_to_be_whole(run: Run) -> None:
    """Each organization has its line, and its document."""
    run("org", "create", "other")
    assert run("audit", "verify").out == (
        "organization `acme`: 2 events, the chain is whole\n"
        "organization `other`: 1 events, the chain is whole\n"
    )
    (told,) = run("audit", "verify", "--org", "other", "--json").json
    assert (told["outcome"], told["length"], told["faults"]) == ("whole", 1, [])


def test_a_deleted_organization_is_still_verified(run: Run) -> None:
    """Its history stays, and so does the check."""
    run("org", "delete", "acme", "--yes")
    assert "`acme`: 3 events" in run("audit", "verify").out


def test_tampering_is_named_with_its_event(run: Run, database: Path) -> None:
    """Code 1: the first bad revision, and what is wrong with it."""
    altered(database, "UPDATE event SET instant = instant + 1 WHERE revision = 1")
    ended = run("audit", "verify")
    assert ended.code == 1
    assert ended.line.startswith("organization `acme`, event 1: the seal does not fit")
    (told,) = run("audit", "verify", "--json").json
    assert (told["outcome"], told["faults"][0]["revision"]) == ("tampered", 1)
    checked = run("db", "check")
    assert (checked.code, "event 1: the seal does not fit" in checked.err) == (1, True)
    assert run("audit", "checkpoint").code == 1


def test_without_the_key_it_is_undetermined(run: Run, database: Path) -> None:
    """Code 3: nobody can say whether the chain is whole."""
    database.with_name(f"{database.name}.audit-key").unlink()
    ended = run("audit", "verify")
    assert ended.code == 3
    assert "put it back from its backup" in ended.line


def test_a_checkpoint_tells_a_rollback(run: Run, database: Path, tmp_path: Path) -> None:
    """An old copy of the whole database passes, except against a checkpoint."""
    old = database.read_bytes()
    run("role", "create", "auditor")
    file = tmp_path / "checkpoints"
    file.write_text(run("audit", "checkpoint").out)
    told = run("audit", "verify", "--checkpoint", str(file))
    assert told.out == (
        "organization `acme`: 3 events, the chain is whole and extends the checkpoint\n"
    )
    database.write_bytes(old)
    assert run("audit", "verify").code == 0
    ended = run("audit", "verify", "--checkpoint", str(file))
    assert ended.code == 1
    assert "event 2: the checkpoint saw 3 events, there are 2: rolled back" in ended.line


def test_an_organization_that_only_the_checkpoint_knows_is_missed(run: Run, tmp_path: Path) -> None:
    """Whoever removes all of an organization is found out."""
    empty = tmp_path / "empty.db"
    run("org", "create", "another", "--database", str(empty))
    key = Path(f"{empty}.audit-key").read_text()
    mark = run("audit", "checkpoint", "--database", str(empty)).out
    file = tmp_path / "checkpoints"
    file.write_text(mark)
    second = tmp_path / "second.db"
    Path(f"{second}.audit-key").write_text(key)
    run("org", "create", "first", "--database", str(second))
    ended = run("audit", "verify", "--checkpoint", str(file), "--database", str(second))
    assert ended.code == 1
    assert "organization `another`, event 0" in ended.err


@pytest.mark.parametrize("edit", ["length", "head", "organization", "instant", "signature"])
def test_a_checkpoint_that_was_edited_is_none(run: Run, tmp_path: Path, edit: str) -> None:
    """Only what was signed with our key is believed."""
    told = json.loads(run("audit", "checkpoint").out)
    told[edit] = told[edit] + 1 if isinstance(told[edit], int) else f"{told[edit][:-1]}0x"
    file = tmp_path / "checkpoints"
    file.write_text(json.dumps(told) + "\n")
    ended = run("audit", "verify", "--checkpoint", str(file))
    assert (ended.code, "the signature does not fit" in ended.line) == (2, True)


@pytest.mark.parametrize(
    "content", ["", "x\n", "[]\n", "{}\n", '{"format": "other"}\n', "[" * 100_000]
)
def test_what_is_no_checkpoint_is_one_line(run: Run, tmp_path: Path, content: str) -> None:
    """Code 2, and the file is named."""
    file = tmp_path / "checkpoints"
    file.write_text(content)
    ended = run("audit", "verify", "--checkpoint", str(file))
    assert (ended.code, str(file) in ended.line) == (2, True)
    file.write_bytes(b"\xff")
    assert (
        run("audit", "verify", "--checkpoint", str(file)).line == f"the file `{file}` is not UTF-8"
    )
    ended = run("audit", "verify", "--checkpoint", str(tmp_path))
    line = f"the file `{tmp_path}` cannot be read: is a directory"
    assert (ended.code, ended.line) == (2, line)


def test_the_public_key_checks_signatures(run: Run, tmp_path: Path) -> None:
    """It is printed, stands in the checkpoint, and another is not believed."""
    public = run("audit", "checkpoint", "--public-key").out.strip()
    line = run("audit", "checkpoint").out
    assert json.loads(line)["public_key"] == public
    file = tmp_path / "checkpoints"
    file.write_text(line)
    verify = ("audit", "verify", "--checkpoint", str(file), "--public-key")
    assert run(*verify, public).code == 0
    assert run(*verify, "00" * 32).code == 2
    assert run(*verify, "nonsense").code == 2


def test_the_tail_shows_who_what_and_why(run: Run) -> None:
    """The last events, oldest first, with the reason that was given."""
    run("--reason", "ticket 7", "role", "create", "auditor")
    run("role", "create", "clerk", "--reason", "ticket 8")
    lines = run("audit", "tail", "-n", "2").out.splitlines()
    assert [line.split()[0] for line in lines] == ["2", "3"]
    assert "CreateRole" in lines[0]
    assert [line.endswith(f'"ticket {n}"') for line, n in zip(lines, (7, 8), strict=True)] == [
        True,
        True,
    ]
    assert len(run("audit", "tail").out.splitlines()) == 4
    assert run("audit", "tail", "-n", "0").out == ""
    told = json.loads(run("audit", "tail", "-n", "1", "--json").out)
    assert (told["revision"], told["reason"]) == (3, "ticket 8")


def test_an_export_has_every_event_on_a_line(run: Run) -> None:
    """JSON lines, each with what the event is made of; filters leave out the others."""
    run("role", "create", "auditor")
    told = [json.loads(line) for line in run("audit", "export").out.splitlines()]
    assert [one["revision"] for one in told] == [0, 1, 2]
    assert told[2]["command"] == {"type": "CreateRole", "role": "auditor"}
    assert told[2]["actor"].startswith("os:")
    assert len(run("audit", "export", "--after", "1").out.splitlines()) == 1
    assert len(run("audit", "export", "--actor", "demo").out.splitlines()) == 2
    assert run("audit", "export", "--until", "1970-01-02T00:00:00Z").out == ""
    assert len(run("audit", "export", "--since", "1970-01-02T00:00:00Z").out.splitlines()) == 3
    assert run("audit", "export", "--since", "whenever").code == 2


def test_an_export_to_a_spreadsheet_holds_no_formula(run: Run) -> None:
    """A reason that begins like a formula is text there too."""
    run("role", "create", "auditor", "--reason", '=HYPERLINK("x")')
    rows = list(csv.DictReader(StringIO(run("audit", "export", "--format", "csv").out)))
    assert [row["revision"] for row in rows] == ["0", "1", "2"]
    assert rows[2]["reason"] == '\'=HYPERLINK("x")'


def test_an_author_can_be_erased(run: Run) -> None:
    """The events stay, nobody made them any more, and the chain is whole."""
    assert run("audit", "erase", "--actor", "demo", "--yes").out == (
        "erased who made 2 events (acme)\n"
    )
    assert "(erased)" in run("audit", "tail").out
    assert "demo" not in run("audit", "tail").out
    verified = run("audit", "verify")
    assert (verified.code, "(2 without author, erased)" in verified.out) == (0, True)
    assert run("audit", "erase", "--revision", "0", "--yes", "--json").json["events"] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "say whose events with --actor, or which one with --revision"),
        (["--actor", "a", "--revision", "1"], "say whose events with --actor, or which one"),
        (["--actor", "demo"], "nobody is there to ask: say --yes"),
    ],
)
def test_erasing_wants_to_be_told_what(run: Run, arguments: list[str], said: str) -> None:
    """Nothing is erased by half a command."""
    ended = run("audit", "erase", *arguments)
    assert (ended.code, ended.line.startswith(said)) == (2, True)
    assert "demo" in run("audit", "tail").out


@pytest.mark.parametrize("name", ["verify", "tail", "export", "checkpoint", "erase --revision 1"])
def test_an_absent_organization_is_one_line(run: Run, name: str) -> None:
    """What never was has no history."""
    ended = run("audit", *name.split(), "--org", "nope")
    assert (ended.code, ended.line) == (1, "organization `nope` does not exist")


def test_a_reason_that_is_none_is_one_line(run: Run) -> None:
    """Too long is not cut off."""
    ended = run("role", "create", "r", "--reason", "x" * 1_025)
    assert (ended.code, ended.line) == (2, "`reason` must have 1 to 1024 characters")
    assert run("role", "list", "--json").out.count('"r"') == 0


def test_a_replay_finds_a_row_that_no_event_made(run: Run, database: Path) -> None:
    """Code 1, with the table, the row and what differs; a sound database is said to be sound."""
    same = "1 organizations, every row is what the events make it\n"
    assert run("db", "replay", "--check").out == same
    altered(database, "UPDATE assignment SET role_id = 'editor' WHERE principal_id = 'alice'")
    ended = run("db", "replay", "--check", "--org", "acme")
    assert ended.code == 1
    assert "table `assignment`, row `alice`, `editor`: is there, and no event made it" in ended.err
    assert "table `assignment`, row `alice`, `viewer`: is not there" in ended.err
    told = run("db", "replay", "--check", "--json").json
    assert (told["outcome"], len(told["organizations"][0]["differences"])) == ("different", 2)


def test_a_replay_only_compares(run: Run) -> None:
    """Whoever leaves out `--check` may expect more of it."""
    assert run("db", "replay").line == "a replay only compares: say --check"
    assert run("db", "replay", "--check", "--org", "nope").code == 1
