"""The page on reachability is run: every command that it shows prints what it shows."""

import re
import shlex
from pathlib import Path

import pytest

from tests.repository.checkout import ROOT
from tests.unit.cli.conftest import Run

PAGE = (ROOT / "docs/reachability.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def shown(page: str) -> list[tuple[list[str], str]]:
    """Every command of the page, without the name of the program, and what it prints."""
    lines = "".join(BLOCK.findall(page))
    return [
        (shlex.split(command)[1:], printed)
        for command, printed in re.findall(r"\$ (.*)\n((?:[^$].*\n)*)", lines)
    ]


def test_every_command_prints_what_is_shown(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the demo organization, in the order of the page, with the file that it shows."""
    (text,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "ward.arbac").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for arguments, printed in shown(PAGE):
        ended = run(*arguments)
        assert (ended.out, ended.err) == (printed, ""), arguments


def test_the_page_shows_both_kinds_of_questions() -> None:
    """Nothing passes because nothing was found."""
    asked = [arguments for arguments, _ in shown(PAGE) if arguments[0] == "reach"]
    assert sum("--arbac" in arguments for arguments in asked) == 2
    assert len(asked) == 4
