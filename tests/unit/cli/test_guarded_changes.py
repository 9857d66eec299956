"""A change that a guardrail forbids, on the command line: one line, a tree, an exit code."""

import json
from pathlib import Path

import pytest

from grantproof.core.identifiers import GuardrailId
from grantproof.service import guarding
from grantproof.service.guarding import Unjudged
from tests.unit.cli.conftest import Run
from tests.unit.cli.test_assignment import on_a_terminal

LAW = {
    "id": "law",
    "type": "forbidden",
    "access": {"action": "submit", "resource": "*"},
    "who": [{"group": "staff"}],
}
REASON = "guardrail `law` forbids that `dave` may submit"


@pytest.fixture
def guarded(run: Run, tmp_path: Path) -> Run:
    """The demo, in which staff may never submit anything, and dave is staff."""
    law = tmp_path / "law.json"
    law.write_text(json.dumps(LAW), encoding="utf-8")
    for line in (
        ("group", "create", "staff"),
        ("principal", "create", "dave"),
        ("group", "add", "staff", "dave"),
        ("role", "create", "sender"),
        ("claim", "create", "send", "sender", "submit", "*"),
        ("guardrail", "create", "--file", str(law)),
    ):
        ended = run(*line)
        assert ended.code == 0, ended.err
    return run


def test_a_refused_change_is_one_line(guarded: Run) -> None:
    """Code 1, and nothing is changed."""
    ended = guarded("assign", "dave", "sender")
    assert ended.code == 1
    assert ended.line.startswith(REASON)
    assert ended.line.endswith(" by claim `send`")
    assert guarded("principal", "show", "dave", "--json").json["effective_roles"] == []


def test_for_programs_the_counterexample_is_json(guarded: Run) -> None:
    """As over HTTP."""
    told = guarded("assign", "dave", "sender", "--json").json
    assert (told["outcome"], told["code"]) == ("refused", "breaks_guardrail")
    assert told["witness"]["requests"][0]["request"]["principal_id"] == "dave"


def test_on_a_terminal_the_counterexample_is_a_tree(
    guarded: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who could do what, through which role and claim, and in which context."""
    on_a_terminal(monkeypatch)
    _, *tree = guarded("assign", "dave", "sender").err.splitlines()
    lines = [branch.strip("│├└─ ") for branch in tree]
    assert lines[0] == "this would be allowed"
    assert lines[1].startswith("dave: submit ")
    assert lines[2] == "through sender, claim send"
    assert lines[3].startswith('in the context {"instant": ')


def test_what_cannot_be_told_is_undetermined(guarded: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code 3, and nothing is changed."""
    monkeypatch.setattr(
        guarding.Guard, "judged", lambda *_: Unjudged(GuardrailId("law"), "no answer in 10 s")
    )
    ended = guarded("assign", "dave", "sender")
    assert (ended.code, ended.line) == (
        3,
        "whether guardrail `law` would hold is not known: no answer in 10 s: nothing was changed",
    )


def test_a_bulk_import_names_the_lines_that_would_break_it(guarded: Run, tmp_path: Path) -> None:
    """A batch is one change: none of it is made."""
    lines = tmp_path / "lines.csv"
    lines.write_text("principal,role\nalice,sender\ndave,sender\n", encoding="utf-8")
    ended = guarded("assignments", "import", str(lines))
    assert ended.code == 1
    assert REASON in ended.err
    assert "lines 2 to 3" in ended.err
    assert "sender" not in guarded("principal", "show", "alice", "--json").json["effective_roles"]
