"""`grantproof who-can`, `what-can`, `why-not`, `not-granted`, `dead` and `conflicts`."""

import re
from pathlib import Path

import pytest

from grantproof.adapters.apart import Solvers
from grantproof.service import inquiries
from grantproof.service.inquiries import LISTED_MAX, NAMED_MAX, REMEDIES_MAX
from grantproof.service.solving import Undetermined
from tests.unit.analysis.baffled import Baffled
from tests.unit.cli.conftest import Run

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "questions.md").read_text("utf-8")

CODES = [
    ("who-can read docs", 0),
    ("who-can burn docs", 1),
    ("who-can read docs --hour 10", 0),
    ("who-can read docs --hour 22", 1),
    ("who-can read nothing", 1),
    ("who-can read nothing --kind document", 1),
    ("what-can bob", 0),
    ("what-can carol", 1),
    ("what-can dan", 1),
    ("why-not bob read docs --hour 10", 0),
    ("why-not bob read docs --hour 22", 1),
    ("why-not dan read docs", 1),
    ("not-granted burn *", 0),
    ("not-granted read docs/**", 1),
    ("not-granted read docs --who role:finance --who group:staff", 0),
    ("not-granted read docs --attribute secret=true", 0),
    ("not-granted read docs --who attribute:team=a", 0),
    ("dead", 1),
    ("conflicts", 0),
]


@pytest.mark.parametrize(("line", "code"), CODES)
def test_the_exit_code_is_the_answer(line: str, code: int, run: Run) -> None:
    """0 is yes, or nothing found; 1 is no. It is the same for people and for programs."""
    assert run(*line.split()).code == code
    assert run(*line.split(), "--json").code == code


@pytest.mark.parametrize("line", [line for line, _ in CODES if "dan" not in line])
def test_the_document_names_its_revision(line: str, run: Run) -> None:
    """As over HTTP."""
    assert run(*line.split(), "--json").json["revision"] == 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("who-can * docs", "`action` must"),
        ("who-can read docs --hour 24", "`hour` must be between 0 and 23"),
        ("why-not alice read docs --weekday someday", "--weekday `someday` must be one of"),
        ("not-granted read docs --who team:a", "--who `team:a` must be group:G, role:R or"),
        ("not-granted read docs --who attribute:a", "--who `a` must be written as name=value"),
    ],
)
def test_a_bad_question_is_one_line(line: str, complaint: str, run: Run) -> None:
    """Code 2, and nothing is worked out."""
    ended = run(*line.split())
    assert (ended.code, ended.line[: len(complaint)]) == (2, complaint)


SAMPLES = ["who-can read docs", "what-can bob", "why-not bob read docs", "dead", "conflicts"]


@pytest.mark.parametrize("line", [*SAMPLES, "not-granted read docs"])
def test_without_an_answer_it_is_undetermined(
    line: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code 3, for programs too, and nothing that looks like an answer."""
    monkeypatch.setattr(Solvers, "ask", lambda *_: Undetermined("time", "no answer in 10 s"))
    for options in ([], ["--json"]):
        ended = run(*line.split(), *options)
        assert (ended.code, ended.line) == (3, "not known: no answer in 10 s")


def test_what_the_solver_cannot_tell_is_undetermined(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs are told of whom it is not known."""
    monkeypatch.setattr(inquiries, "_solver", lambda _: Baffled())
    ended = run("who-can", "read", "docs")
    assert (ended.code, ended.line) == (3, "not known: no idea")
    told = run("who-can", "read", "docs", "--json")
    assert (told.code, told.json["undetermined"]["items"][0]["why"]) == (3, "no idea")
    ended = run("why-not", "bob", "write", "docs")
    assert (ended.code, ended.line) == (3, "not known: no idea")


def test_why_is_another_name_of_explain(run: Run) -> None:
    """The first lines are the same; the last one tells the moment."""
    asked = ("alice", "write", "docs", "--hour", "10")
    first, second = run("why", *asked), run("explain", *asked)
    assert first.out.splitlines()[:-1] == second.out.splitlines()[:-1]


def test_a_remedy_is_told_with_session_and_refusal(run: Run) -> None:
    """Which session to choose; and that separation of duty is in the way."""
    for line in (
        "claim create pay submitter pay docs",
        "assign alice editor",
        "principal suspend bob",
    ):
        assert run(*line.split()).code == 0
    barred = run("why-not", "carol", "pay", "docs").out
    assert "  run: grantproof assign carol submitter\n" in barred
    assert "  but that would be refused: separation of duty: " in barred
    session = ("why-not", "alice", "write", "docs", "--region", "us-east-1")
    chosen = run(*session, "--active-role", "viewer").out
    assert "  choose the session --active-role editor --active-role viewer\n" in chosen
    assert "run: " not in chosen
    asleep = run("why-not", "bob", "write", "docs", "--region", "us-east-1").out
    assert "  run: grantproof principal resume bob\n" in asleep


def test_everything_dead_is_a_row(run: Run) -> None:
    """With what makes it so."""
    for line in (
        "claim create wide viewer read docs",
        "role create sender",
        "principal create dan",
        "assign dan sender",
        "claim create send sender send docs",
        "principal suspend dan",
        "assign bob viewer",
    ):
        assert run(*line.split()).code == 0
    both = (
        '{"type": "time_window", "start": 1, "end": 2}',
        '{"type": "time_window", "start": 2, "end": 3}',
    )
    options = [word for one in both for word in ("--constraint", one)]
    assert run("claim", "create", "no", "viewer", "go", "docs", *options).code == 0
    told = run("dead").out
    for what in (
        r"unused role +submitter +nobody holds it",
        r"unreachable claim +claim send of role sender: send docs",
        r"unsatisfiable claim +claim no of role viewer: go docs",
        r"redundant claim +claim viewer-read-docs .* because of claim wide of role viewer",
        r"redundant assignment +role viewer of principal bob +because of role editor of principal",
    ):
        assert re.search(what, told), what


def test_a_role_that_nobody_can_hold_is_a_conflict(run: Run) -> None:
    """With the set that is in the way."""
    assert run("role", "create", "both", "--parent", "finance", "--parent", "submitter").code == 0
    ended = run("conflicts")
    assert ended.code == 1
    assert re.search(r"both +finance-or-submitter +nobody can hold it", ended.out)


def test_more_than_is_told_is_counted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that is cut off says so."""
    monkeypatch.setattr(inquiries, "LISTED_MAX", 1)
    assert "\nand 2 more\n" in run("what-can", "bob").out


def test_the_guide_tells_every_question_and_the_bounds(run: Run) -> None:
    """In the words of the guide."""
    named = set(re.findall(r"^\| `([a-z-]+)", GUIDE, re.MULTILINE))
    assert named >= {"who-can", "what-can", "why", "why-not", "not-granted", "dead", "conflicts"}
    assert all(run(name, "--help").code == 0 for name in named)
    bounds = f"At most {LISTED_MAX} items of a list and {NAMED_MAX:,} principals are told"
    assert f"{bounds}, {REMEDIES_MAX} remedies" in GUIDE
