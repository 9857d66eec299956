"""The guide to policies as files is carried out: its files are written, its commands run."""

import re
import shlex
from pathlib import Path

import pytest

from grantproof.policyfile.yaml_source import YAML_LENGTH_MAX
from tests.unit.cli.conftest import Run

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "policy.md"
STEP = re.compile(
    r"^`(?P<file>[\w/.]+)`:\n\n```yaml\n(?P<text>.*?)^```$"
    r"|^```console\n(?P<console>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


def carried_out(page: str, run: Run) -> tuple[str, list[str]]:
    """The page as it would be with what its commands print now, and the commands that were run."""
    commands: list[str] = []

    def step(found: re.Match[str]) -> str:
        if found["console"] is None:
            Path(found["file"]).parent.mkdir(exist_ok=True)
            Path(found["file"]).write_text(found["text"])
            return found[0]
        typed = [line[2:] for line in found["console"].splitlines() if line.startswith("$ ")]
        commands.extend(typed)
        return "```console\n" + "".join(f"$ {line}\n{printed(line, run)}" for line in typed) + "```"

    return STEP.sub(step, page), commands


def printed(line: str, run: Run) -> str:
    """What a command prints; into a file, as a shell does, if it says so."""
    line, _, file = line.partition(" > ")
    program, *arguments = shlex.split(line)
    assert program == "grantproof"
    ended = run(*arguments)
    if file:
        Path(file).write_text(ended.out)
        return ""
    return ended.out + ended.err


def test_the_guide_does_as_it_says(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command prints what stands below it, after the files above it were written."""
    monkeypatch.chdir(tmp_path)
    page = GUIDE.read_text("utf-8")
    again, commands = carried_out(page, run)
    assert again == page
    assert {command.split()[1] for command in commands} == {"policy", "import", "export"}


def test_the_guide_tells_the_bound_of_a_file() -> None:
    """In its own words."""
    assert f"up to {YAML_LENGTH_MAX // 1_000_000} million characters:" in GUIDE.read_text("utf-8")


def test_a_guide_that_says_something_else_is_noticed(run: Run) -> None:
    """The output of a command is compared, not only its success."""
    page = "```console\n$ grantproof role list\nnothing\n```"
    assert carried_out(page, run)[0] != page
