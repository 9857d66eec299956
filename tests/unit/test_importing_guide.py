"""The guide to importing shows what the commands do: each is run on the files that it shows."""

import re
from pathlib import Path

import pytest

from grantproof.policyfile.importers.kubernetes import SPECIAL_VERBS
from tests.unit.cli.conftest import Run, acme, database, pointed_at, run

__all__ = ["acme", "database", "pointed_at", "run"]

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "importing-from-others.md").read_text()
FILES = {"yaml": "rbac.yaml", "ini": "model.conf", "csv": "policy.csv", "json": "realm.json"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_of_the_guide_prints_what_it_says(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, in one folder with the files; `...` stands for any lines."""
    monkeypatch.chdir(tmp_path)
    shown = 0
    for form, text in BLOCK.findall(GUIDE):
        if form in FILES:
            Path(FILES[form]).write_text(text)
            continue
        for step in text.split("$ grantproof ")[1:]:
            command, _, expected = step.partition("\n")
            ended = run(*command.split())
            told, more, _ = expected.partition("...\n")
            printed = ended.out + ended.err
            assert printed.startswith(told) if more else printed == told, command
            shown += 1
    assert shown == 9


def test_the_special_verbs_are_those_of_the_guide() -> None:
    """All in one row."""
    (row,) = re.findall(r"^\| (.*`impersonate`.*?) \|", GUIDE, re.MULTILINE)
    assert {*re.findall(r"`(\w+)`", row)} == {*SPECIAL_VERBS}
