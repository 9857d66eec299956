"""Guardrails from the command line: made of a file, listed, shown and deleted."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run

CALM = """\
id: calm
type: forbidden
access: {action: delete, resource: docs/**, attributes: {env: live}}
who: [{role: viewer}, {attributes: {contractor: true}}]
"""
WRITTEN = {
    "id": "calm",
    "type": "forbidden",
    "access": {"action": "delete", "resource": "docs/**", "attributes": {"env": "live"}},
    "who": [{"role": "viewer"}, {"attributes": {"contractor": True}}],
}
ACCESS = '{action: "*", resource: "*"}'
OTHERS = {
    "confined": (
        '{access: {action: b, resource: "*"}, constraints: [{type: rate_limit, per_minute: 1}]'
    ),
    "exclusive": f'{{first: {ACCESS}, second: {{action: b, resource: "kind:document"}}',
    "capped": f"{{access: {ACCESS}, most: 3",
}


def test_a_guardrail_lives_from_its_file_to_its_deletion(run: Run, tmp_path: Path) -> None:
    """People are told in a line, programs get the document that was given."""
    file = tmp_path / "calm.yaml"
    file.write_text(CALM)
    assert "created guardrail `calm`" in run("guardrail", "create", "--file", str(file)).out
    assert run("guardrail", "show", "calm", "--json").json == WRITTEN
    assert run("guardrail", "list", "--json").json == [WRITTEN]
    shown = run("guardrail", "show", "calm").out
    assert 'delete docs/** where env="live"' in shown
    assert "contractor=true" in shown
    assert "role viewer" in run("guardrail", "list").out
    refused = run("role", "delete", "viewer", "--cascade")
    assert (refused.code, "named by guardrail `calm`" in refused.err) == (1, True)
    assert "deleted guardrail `calm`" in run("guardrail", "delete", "calm").out
    assert run("guardrail", "show", "calm").line == "guardrail `calm` does not exist"


@pytest.mark.parametrize("name", OTHERS)
def test_every_type_is_shown(run: Run, tmp_path: Path, *, name: str) -> None:
    """What each has besides its access."""
    file = tmp_path / "one.yaml"
    file.write_text(f"---\n{OTHERS[name]}, id: one, type: {name}}}\n")
    assert run("guardrail", "create", "--file", str(file)).code == 0
    shown = run("guardrail", "show", "one").out
    told = {"confined": "rate < 1/minute", "exclusive": "b kind:document", "capped": "most"}[name]
    assert told in shown
    own = {"exclusive": {"first", "second"}, "capped": {"access", "most"}}
    fields = own.get(name, {"access", "constraints"})
    assert set(run("guardrail", "show", "one", "--json").json) == {"id", "type", *fields}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id: a\ntype: capped\naccess: {action: b, resource: c}\n", "1:1: most: is required"),
        ("id: a\ntype: forbidden\naccess: {action: b}\n", "3:1: access.resource: is required"),
        ("id: [\n", "2:1: not YAML"),
    ],
)
def test_a_file_that_is_no_guardrail_is_refused(
    run: Run, tmp_path: Path, *, text: str, problem: str
) -> None:
    """Each problem with its line and column; nothing is made."""
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    ended = run("guardrail", "create", "--file", str(file))
    assert ended.code == 2
    assert f"{file}:{problem}" in ended.err
    assert run("guardrail", "list", "--json").json == []


def test_a_file_that_is_not_there_is_named(run: Run) -> None:
    """One line, and the exit code of what was typed wrongly."""
    ended = run("guardrail", "create", "--file", "/none.yaml")
    assert (ended.code, ended.line[:33]) == (2, "`/none.yaml` cannot be read: no s")
