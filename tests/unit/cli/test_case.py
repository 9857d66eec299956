"""`grantproof case replay`, and a change that does not pass the program's own check."""

from pathlib import Path

import pytest

from grantproof.bootstrap import compose
from grantproof.core import commands
from grantproof.core.identifiers import PrincipalId
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.policy import NoRole
from grantproof.core.ways import Verdict
from grantproof.service import case_text
from grantproof.service.case_text import write_case
from grantproof.service.cases import Asked, Case
from grantproof.service.demo import ACME
from grantproof.settings import Settings
from tests.organizations import DOCS, NOON, READ
from tests.unit.cli.conftest import Run


@pytest.fixture
def case(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A case of a decision on the demo, too large to have its state with it."""
    monkeypatch.setattr(case_text, "FACTS_MAX", 1)
    services = compose(Settings(database_url=str(database)))
    state = services.store.load(ACME)
    services.close()
    assert state is not None
    request = Request(PrincipalId("alice"), READ, DOCS)
    found = Case("shadow", state, 1_000, "Allow", "Deny", asked=Asked(state, request, NOON))
    path = tmp_path / "one.case.json"
    path.write_bytes(write_case(found, version="1", source="s", bytes_max=100_000))
    return path


def test_a_case_that_is_well_is_said_to_be(run: Run, case: Path) -> None:
    """Exit code 0; the state comes from the events of the database, also after later changes."""
    run("revoke", "alice", "viewer")
    ended = run("case", "replay", str(case))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        "shadow, organization `acme`, revision 1: expected Allow, found Deny\n"
        "all is well with it now\n"
    )


def test_a_case_that_is_still_wrong_ends_with_1(
    run: Run, case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is wrong, for people and for programs."""
    monkeypatch.setattr(Index, "ask", lambda *_: Verdict(NoRole()))
    ended = run("case", "replay", str(case))
    assert ended.code == 1
    assert "still wrong: Deny, NoRole, not Allow by `viewer-read-docs`" in ended.out
    told = run("case", "replay", str(case), "--json")
    assert (told.code, told.json["outcome"], told.json["revision"]) == (1, "wrong", 1)


@pytest.mark.parametrize("content", [None, b"{", b"{}"])
def test_what_is_no_case_ends_with_2(run: Run, tmp_path: Path, content: bytes | None) -> None:
    """A file that is not there, or is something else."""
    path = tmp_path / "no.json"
    if content is not None:
        path.write_bytes(content)
    ended = run("case", "replay", str(path))
    assert ended.code == 2
    assert str(path) in ended.line


def test_a_state_that_the_database_does_not_have_ends_with_2(run: Run, case: Path) -> None:
    """A case of a later revision, or of another organization."""
    text = case.read_bytes()
    case.write_bytes(text.replace(b'"revision": 1', b'"revision": 9'))
    assert "does not reach revision 9" in run("case", "replay", str(case)).line
    case.write_bytes(text.replace(b'"organization": "acme"', b'"organization": "gone"'))
    assert run("case", "replay", str(case)).code == 1


def test_an_unsound_change_is_one_line(
    run: Run, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, nothing stored, and the invariant named."""
    before = run("export", "acme").out
    with monkeypatch.context() as patched:
        patched.setattr(commands, "refusal", lambda *_: None)
        ended = run("assign", "carol", "submitter")
        lines = database.parent / "lines.csv"
        lines.write_text("principal,role\ncarol,submitter\n")
        imported = run("assignments", "import", str(lines))
    assert ended.code == imported.code == 3
    assert "static-duty-holds at finance-or-submitter, carol" in ended.line
    assert "static-duty-holds" in imported.err
    assert run("export", "acme").out == before
