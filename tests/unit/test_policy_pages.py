"""The pages on policy as code show what happens: their files are written, their commands run."""

import re
import shlex
from pathlib import Path

import pytest

from grantproof.adapters.clock import SystemClock
from grantproof.cli.main import main
from tests.processes import without_settings

DOCS = Path(__file__).resolve().parents[2] / "docs"
BLOCK = re.compile(r"^```(yaml|console) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = {"policy-tests.md": 2, "policy-apply.md": 3, "verify.md": 3}
"""How many commands each page shows."""
INSTANT = 1_795_275_000
"""The time at which the examples of the pages were found."""


def steps(page: str) -> list[tuple[str, str]]:
    """What a page asks a reader to do, in order: a file to write, or a command and its output."""
    found: list[tuple[str, str]] = []
    for kind, name, text in BLOCK.findall(page):
        if kind == "yaml":
            found.append((name, text))
        else:
            for told in text.removeprefix("$ ").split("\n$ "):
                command, _, output = told.partition("\n")
                found.append((f"$ {command}", output if output.endswith("\n") else f"{output}\n"))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_happens(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line, in an empty folder."""
    without_settings(monkeypatch)
    monkeypatch.setattr(SystemClock, "now", lambda _clock: INSTANT)
    monkeypatch.chdir(tmp_path)
    ran = 0
    for name, text in steps((DOCS / page).read_text("utf-8")):
        if not name.startswith("$ "):
            Path(name).write_text(text)
            continue
        program, *arguments = shlex.split(name.removeprefix("$ "))
        with pytest.raises(SystemExit):
            main(arguments)
        told = capsys.readouterr()
        assert (program, told.out, told.err) == ("grantproof", text, "")
        ran += 1
    assert ran == PAGES[page]


def test_a_page_that_lies_would_be_found_out() -> None:
    """Files and commands are told apart, and every command has its own output."""
    page = "```yaml a.yaml\nid: a\n```\nso\n```console\n$ x 1\nyes\n$ x 2\nno\nnever\n```\n"
    assert steps(page) == [("a.yaml", "id: a\n"), ("$ x 1", "yes\n"), ("$ x 2", "no\nnever\n")]
