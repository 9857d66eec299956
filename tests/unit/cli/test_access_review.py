"""`grantproof review access|export|apply|expiring`: what people are told, and what they decide."""

import csv
import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grantproof.adapters.clock import SystemClock
from grantproof.bootstrap import compose
from grantproof.cli.local import LocalOperator
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    AssignGroupRole,
    ChangeSet,
    CreateGroup,
    NestGroup,
)
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.model import Validity
from grantproof.service.access_csv import COLUMNS
from grantproof.service.authors import Author
from grantproof.service.demo import ACME
from grantproof.service.people import Place, joining
from grantproof.service.spreadsheet import plain
from grantproof.settings import Settings
from tests.databases import copied
from tests.unit.cli.conftest import Run

NOW = 1_795_275_000
STAFF, TEAM, EDITOR = GroupId("staff"), GroupId("team"), RoleId("editor")
NEW_YEAR = "2027-01-01T00:00:00Z"
Revision = Callable[[], int]
Row = dict[str, str]


@pytest.fixture(autouse=True)
def _at_one_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends soon is told of one day."""
    monkeypatch.setattr(SystemClock, "now", lambda _clock: NOW)


@pytest.fixture(scope="session")
def furnished(acme: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`acme` with a group inside of a group that holds a role, and dora, who is in it."""
    path = copied(acme, tmp_path_factory.mktemp("office") / "office.db")
    services = compose(Settings(database_url=str(path)))
    until = Validity(end=1_798_761_600)
    dora, place = PrincipalId("dora"), Place(frozenset({TEAM}), frozenset({EDITOR}), until)
    for commands in (
        (CreateGroup(STAFF), CreateGroup(TEAM), NestGroup(TEAM, STAFF)),
        (AssignGroupRole(STAFF, RoleId("viewer")),),
        joining(dora, place),
    ):
        made = services.administration.propose(ACME, ChangeSet(commands), by=Author("os:test"))
        assert isinstance(made, Accepted), made
    services.close()
    return path


@pytest.fixture
def office(furnished: Path, pointed_at: Callable[[Path], Path], run: Run) -> Run:
    """Run a command line on a copy of it."""
    assert pointed_at(furnished).exists()
    return run


def exported(run: Run, *options: str) -> list[Row]:
    """The rows of an export."""
    told = run("review", "export", *options)
    assert told.code == 0, told.err
    assert told.out.count("\r\n") == told.out.count("\n")
    return list(csv.DictReader(io.StringIO(told.out, newline="")))


def reviewed(path: Path, rows: list[Row], **decisions: str) -> str:
    """The name of a file with the rows and what was decided; by principal and role."""
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        for row in rows:
            key = f"{row['principal']}_{row['role']}" + (f"_{row['group']}" if row["group"] else "")
            writer.writerow({**row, "decision": decisions.get(key, row["decision"])})
    return str(path)


def test_who_has_what_and_why_is_a_table(office: Run) -> None:
    """A row for each claim: by which assignment, groups and roles, and until when."""
    told = office("review", "access", "--principal", "dora", "--resource", "docs")
    assert [line.split("  ")[0] for line in told.out.splitlines()] == ["PRINCIPAL", *["dora"] * 3]
    cells = [" ".join(line.split()) for line in told.out.splitlines()[1:]]
    head = f"dora active editor editor {NEW_YEAR}"
    shared = "dora active viewer group team > group staff > viewer - -"
    assert cells == [
        f"{head} {NEW_YEAR} editor-write-docs write docs (region us-east-1)",
        f"dora active viewer editor > viewer {NEW_YEAR} - viewer-read-docs read docs (hours 9-17)",
        f"{shared} viewer-read-docs read docs (hours 9-17)",
    ]


@pytest.mark.parametrize(
    ("options", "ways"),
    [
        ("--role viewer", ["alice viewer", "bob viewer", "dora viewer", "dora viewer"]),
        ("--resource docs --action write", ["bob editor", "dora editor"]),
        ("--action write", ["bob editor", "dora editor"]),
        ("--resource new --kind document", []),
        ("--principal carol", ["carol finance"]),
    ],
)
def test_ways_are_sought(options: str, ways: list[str], office: Run) -> None:
    """By whom, by role, by resource and action; to programs one array, empty or not."""
    told = office("review", "access", *options.split(), "--json").json
    assert [f"{one['principal']} {one['role']}" for one in told] == ways


@pytest.mark.parametrize(
    ("command", "code", "line"),
    [
        ("access --principal nope", 1, "principal `nope` does not exist"),
        ("access --role nope", 1, "role `nope` does not exist"),
        ("access --resource nope", 1, "resource `nope` does not exist"),
        ("access --kind document", 2, "--kind is that of a resource: name it with --resource"),
        ("expiring --within soon", 2, "--within `soon` must be a number of days, such as 30d"),
        ("expiring --within -1d", 2, "--within `-1d` must be a number of days, such as 30d"),
        ("apply nowhere.csv --yes", 2, "the file `nowhere.csv` cannot be read: no such file or d"),
        ("export -o /nowhere/at/all.csv", 2, "the file `/nowhere/at/all.csv` cannot be written: "),
    ],
)
def test_what_cannot_be_asked_is_said(command: str, code: int, line: str, run: Run) -> None:
    """In one line."""
    ended = run("review", *command.split())
    assert (ended.code, ended.line[: len(line)]) == (code, line)


def test_an_export_has_a_row_for_each_assignment(office: Run) -> None:
    """Of one revision and instant, with the way, the claims, and the events that made it."""
    office("principal", "suspend", "alice")
    rows = exported(office)
    assert [(row["principal"], row["role"], row["group"]) for row in rows] == [
        ("alice", "viewer", ""),
        ("bob", "editor", ""),
        ("carol", "finance", ""),
        ("dora", "editor", ""),
        ("dora", "viewer", "staff"),
    ]
    assert {(row["organization"], row["revision"], row["at"]) for row in rows} == {
        ("acme", "5", "2026-11-21T15:30:00Z")
    }
    alice, bob, _, own, shared = rows
    assert (alice["status"], bob["status"]) == ("suspended", "active")
    assert bob["roles"] == "editor; editor > viewer"
    assert bob["claims"] == (
        "editor-write-docs: write docs (region us-east-1); viewer-read-docs: read docs (hours"
        " 9-17); viewer-read-reports: read reports (hours 9-17)"
    )
    assert (own["until"], own["validity"], own["group_path"]) == (NEW_YEAR, "valid", "")
    assert (shared["group_path"], shared["roles"]) == ("team > staff", "viewer")
    assert (bob["assigned_by"], own["assigned_by"][:3]) == ("demo", "os:")
    assert {row["decision"] for row in rows} == {""}


def test_when_and_by_whom_is_told_by_the_events(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last assignment, not one that was revoked; changed is what the row rests on."""
    days = iter(range(1, 100))
    monkeypatch.setattr(SystemClock, "now", lambda _clock: NOW + 86_400 * next(days))
    for line in ("revoke alice viewer", "assign alice viewer", "role remove-parent editor viewer"):
        assert run(*line.split()).code == 0
    monkeypatch.setattr(SystemClock, "now", lambda _clock: NOW + 86_400 * 99)
    alice, bob, carol = exported(run)
    made = {row["principal"]: row["assigned_at"] for row in (alice, bob, carol)}
    changed = {row["principal"]: row["changed_at"] for row in (alice, bob, carol)}
    assert made["bob"] == made["carol"] == changed["carol"] < made["alice"] == changed["alice"]
    assert changed["bob"] > changed["alice"]
    bare = exported(run, "--no-history")
    assert {(row["assigned_at"], row["assigned_by"], row["changed_at"]) for row in bare} == {
        ("", "", "")
    }


def test_claims_have_rows_of_their_own_where_wanted(office: Run, tmp_path: Path) -> None:
    """An assignment without any has one all the same; a file says where it was written."""
    rows = exported(office, "--rows", "claims")
    assert [(row["principal"], row["roles"], row["claims"]) for row in rows][1:5] == [
        ("alice", "viewer", "viewer-read-reports: read reports (hours 9-17)"),
        ("bob", "editor", "editor-write-docs: write docs (region us-east-1)"),
        ("bob", "editor > viewer", "viewer-read-docs: read docs (hours 9-17)"),
        ("bob", "editor > viewer", "viewer-read-reports: read reports (hours 9-17)"),
    ]
    assert ("carol", "finance", "") in {(r["principal"], r["roles"], r["claims"]) for r in rows}
    path = tmp_path / "review.csv"
    told = office("review", "export", "-o", str(path), "--rows", "claims")
    assert told.out == f"wrote the access review to {path} (acme, revision 4)\n"
    with path.open(newline="") as stream:
        assert list(csv.DictReader(stream)) == rows
    told = office("review", "export", "-o", str(path), "--json")
    assert (told.json["outcome"], told.json["revision"]) == ("written", 4)


def test_no_cell_is_a_formula(office: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who made an assignment may be called anything that a token of the issuer says."""
    formula = '=HYPERLINK("http://evil.test","x")'
    monkeypatch.setattr(LocalOperator, "author", property(lambda _: Author(formula)))
    assert office("assign", "carol", "viewer").code == 0
    (row,) = [one for one in exported(office) if one["assigned_by"].endswith(")")]
    assert (row["principal"], row["assigned_by"]) == ("carol", f"'{formula}")
    assert plain(row["assigned_by"]) == formula


def test_what_is_marked_is_revoked_as_one_change(
    office: Run, tmp_path: Path, revision: Revision
) -> None:
    """A direct assignment, and what comes through a group by taking out of the group."""
    office("principal", "join", "erin", "--group", "staff", "--yes")
    before = revision()
    name = reviewed(
        tmp_path / "r.csv",
        exported(office),
        bob_editor="revoke",
        dora_viewer_staff="Revoke ",
        dora_editor="keep",
    )
    dry = office("review", "apply", name, "--dry-run")
    assert dry.out.splitlines() == [
        f"organization `acme`, revision {before}: 2 removed, 0 edited, 0 added",
        "- principal dora in group team",
        "- principal bob holds role editor: always",
        "the new state allows less: 5 requests lost",
        "loses: bob read docs, reports",
        "loses: dora read docs, reports",
        "loses: bob write docs",
        "nothing was changed",
    ]
    assert revision() == before
    done = office("review", "apply", name, "--yes", "--reason", "review of 2026")
    assert done.out.endswith(f"revoked what `{name}` marks (acme, revision {before + 1})\n")
    assert [row["principal"] for row in exported(office)] == ["alice", "carol", "dora", "erin"]
    again = office("review", "apply", name, "--yes")
    assert again.err.splitlines() == [
        "line 3: role `editor` of `bob` is gone already",
        "line 6: role `viewer` of `dora` through group `staff` is gone already",
    ]
    assert again.out == f"organization `acme`, revision {before + 1}: nothing to do\n"
    told = office("review", "apply", name, "--yes", "--json").json
    assert (told["outcome"], len(told["gone"])) == ("unchanged", 2)


def test_where_nobody_keeps_a_role_of_a_group_the_group_loses_it(
    office: Run, tmp_path: Path
) -> None:
    """Its members stay members, with what else it gives."""
    office("assign", "--group", "staff", "submitter")
    name = reviewed(tmp_path / "r.csv", exported(office), dora_viewer_staff="revoke")
    told = office("review", "apply", name, "--yes")
    assert "- group staff holds role viewer: always" in told.out
    assert [row["role"] for row in exported(office) if row["principal"] == "dora"] == [
        "editor",
        "submitter",
    ]


def test_nothing_is_taken_along(office: Run, tmp_path: Path, revision: Revision) -> None:
    """To take somebody out of a group takes all that it gives: unless that is marked as well."""
    office("assign", "--group", "staff", "submitter")
    office("principal", "join", "erin", "--group", "staff", "--yes")
    rows, before = exported(office), revision()
    name = reviewed(tmp_path / "r.csv", rows, dora_viewer_staff="revoke")
    ended = office("review", "apply", name, "--yes")
    assert (ended.code, revision()) == (1, before)
    taken = "role `submitter` of `dora` through group `staff`, which line 6 does not revoke"
    assert ended.line_by_line == [
        f"line 7: to revoke this would also take {taken}: mark it too, or change the groups first",
        "nothing was changed: mend the file",
    ]
    both = {"dora_viewer_staff": "revoke", "dora_submitter_staff": "revoke"}
    assert office("review", "apply", reviewed(tmp_path / "r.csv", rows, **both), "--yes").code == 0


def test_what_is_no_decision_is_refused_with_its_lines(
    office: Run, tmp_path: Path, revision: Revision
) -> None:
    """All of them at once, and nothing is changed."""
    rows = exported(office, "--rows", "claims")
    rows[0]["decision"] = "revoke"
    rows[2]["decision"] = "perhaps"
    rows[3]["organization"] = "other"
    rows[4]["principal"] = "not an id"
    rows[5]["from"] = "yesterday"
    before = revision()
    ended = office("review", "apply", reviewed(tmp_path / "r.csv", rows), "--yes")
    assert (ended.code, revision()) == (1, before)
    lines = ended.line_by_line
    assert [line.partition(":")[0] for line in lines[:-1]] == [
        "line 4",
        "line 5",
        "line 6",
        "line 7",
        "line 3",
    ]
    assert lines[0] == "line 4: the decision `perhaps` must be `keep`, `revoke` or nothing"
    assert lines[4].endswith(
        "does not revoke role `viewer` of `alice`, unlike line 2: mark both alike"
    )
    told = office("review", "apply", reviewed(tmp_path / "r.csv", rows), "--yes", "--json").json
    assert (told["outcome"], len(told["errors"])) == ("refused", 5)


def test_a_file_of_another_time_or_place_is_refused(office: Run, tmp_path: Path) -> None:
    """What was assigned anew is not what the reviewer saw; a later revision is another database."""
    rows = exported(office)
    assert office("assign", "bob", "editor", "--until", NEW_YEAR, "--replace").code == 0
    name = reviewed(tmp_path / "r.csv", rows, bob_editor="revoke")
    ended = office("review", "apply", name, "--yes")
    assert ended.line_by_line[0] == (
        "line 3: role `editor` of `bob` was assigned anew since: export again"
    )
    late = [{**row, "revision": "99"} for row in rows]
    ended = office("review", "apply", reviewed(tmp_path / "r.csv", late), "--yes")
    assert ended.line_by_line[0] == "the file is of revision 99, which `acme` has not reached"
    strange = [{**row, "organization": "other"} for row in rows]
    ended = office("review", "apply", reviewed(tmp_path / "r.csv", strange), "--yes")
    assert ended.line_by_line[0] == "the file is of organization `other`, not of `acme`"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "line 1: the header must name the column `organization`"),
        ("principal,role\r\n", "line 1: the header must name the column `organization`"),
        (",".join(COLUMNS) + '\r\n"open', "line 2: is no CSV: unexpected end of data"),
        (",".join(COLUMNS) + "\r\nacme,x,,,,,,,,,,,,,,,\r\n", "the revision `x` must be a number"),
    ],
)
def test_what_is_no_review_is_told(text: str, line: str, *, run: Run, tmp_path: Path) -> None:
    """Code 2."""
    path = tmp_path / "r.csv"
    path.write_text(text, newline="")
    ended = run("review", "apply", str(path), "--yes")
    assert (ended.code, ended.line) == (2, f"`{path}`: {line}")


def test_a_file_that_a_spreadsheet_wrote_is_read(office: Run, tmp_path: Path) -> None:
    """With semicolons and a byte order mark, other columns gone, rows in another order."""
    kept = [name for name in COLUMNS if name not in {"claims", "roles", "at", "assigned_at"}]
    rows = [{**row, "decision": "revoke" * (row["principal"] == "bob")} for row in exported(office)]
    text = [
        "\ufeff" + ";".join(kept),
        *(";".join(row[name] for name in kept) for row in rows[::-1]),
    ]
    path = tmp_path / "r.csv"
    path.write_text("\n".join(text), encoding="utf-8")
    assert "- principal bob holds role editor" in office("review", "apply", str(path), "--yes").out


def test_a_file_without_decisions_changes_nothing(office: Run, tmp_path: Path) -> None:
    """From the standard input too; one with a short row is refused, and so is what is no text."""
    name = reviewed(tmp_path / "r.csv", exported(office))
    assert "nothing to do" in office("review", "apply", name, "--yes").out
    path = tmp_path / "short.csv"
    path.write_text(",".join(COLUMNS) + "\nacme,6\n")
    assert office("review", "apply", str(path), "--yes").line_by_line[0] == (
        f"line 2: must have {len(COLUMNS)} cells, as the header has"
    )
    path.write_bytes(b"\xff")
    assert office("review", "apply", str(path), "--yes").line == f"`{path}` is not UTF-8"


def test_the_standard_input_is_read(
    office: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `-`."""
    name = reviewed(tmp_path / "r.csv", exported(office), bob_editor="revoke")
    with Path(name).open(newline="") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert "- principal bob" in office("review", "apply", "-", "--yes").out


def test_what_ends_soon_is_told_in_order(office: Run) -> None:
    """What has ended, what ends within the days, what has not begun; the earliest first."""
    december = "2026-12-01T00:00:00Z"
    for line in (
        "assign alice editor --until 2026-11-01T00:00:00Z",
        f"assign --group team submitter --from {december} --until 2026-12-02T00:00:00Z",
        "assign bob finance --until 2026-11-22T15:30:00Z",
    ):
        assert office(*line.split()).code == 0
    told = office("review", "expiring", "--within", "41d")
    assert [" ".join(line.split()) for line in told.out.splitlines()[1:]] == [
        "expired 2026-11-01T00:00:00Z principal alice editor - 2026-11-01T00:00:00Z",
        "expiring 2026-11-22T15:30:00Z principal bob finance - 2026-11-22T15:30:00Z",
        f"not_begun {december} group team submitter {december} 2026-12-02T00:00:00Z",
        f"expiring {NEW_YEAR} principal dora editor - {NEW_YEAR}",
    ]
    near = office("review", "expiring", "--within", "1d", "--json").json
    assert [(one["stage"], one["principal"], one["group"]) for one in near] == [
        ("expired", "alice", None),
        ("not_begun", None, "team"),
    ]
    only = office("review", "expiring", "--stage", "expiring", "--within", "2d", "--json").json
    assert [one["principal"] for one in only] == ["bob"]


def test_an_assignment_is_extended_in_one_change(office: Run, revision: Revision) -> None:
    """Of a principal or a group; without --replace what is there is in the way."""
    before = revision()
    later = ("--until", "2028-01-01T00:00:00Z")
    assert office("assign", "dora", "editor", *later).code == 1
    assert office("assign", "dora", "editor", *later, "--replace").code == 0
    assert office("assign", "--group", "staff", "viewer", *later, "--replace").code == 0
    assert revision() == before + 2
    ends = office("review", "expiring", "--within", "9999d", "--json").json
    assert {one["until"] for one in ends} == {1_830_297_600}
    missing = office("assign", "carol", "editor", *later, "--replace")
    assert (missing.code, revision()) == (1, before + 2)
