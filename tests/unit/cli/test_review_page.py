"""The page on reviews is carried out: its files are written, its commands run and print that."""

import re
import shlex
from pathlib import Path

import pytest

from grantproof.adapters.clock import SystemClock
from grantproof.service.access_csv import COLUMNS
from grantproof.service.review_decisions import NEEDED
from grantproof.service.spreadsheet import FORMULA
from tests.api.routes import ROUTES
from tests.unit.cli.conftest import Run
from tests.unit.test_nist_page import is_command

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "review.md"
PAGE = GUIDE.read_text("utf-8")
STEP = re.compile(
    r"^`(?P<file>[\w.]+)`:\n\n```csv\n(?P<text>.*?)^```$"
    r"|^```console\n(?P<console>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
INSTANT = 1_795_275_000


def carried_out(page: str, run: Run) -> tuple[str, int]:
    """The page as it would be with what its commands print now, and how many were run."""
    count = 0

    def step(found: re.Match[str]) -> str:
        nonlocal count
        if found["console"] is None:
            Path(found["file"]).write_text(found["text"])
            return found[0]
        typed = [line[2:] for line in found["console"].splitlines() if line.startswith("$ ")]
        count += len(typed)
        return "```console\n" + "".join(f"$ {line}\n{printed(line, run)}" for line in typed) + "```"

    return STEP.sub(step, page), count


def printed(line: str, run: Run) -> str:
    """What a command prints."""
    name, *arguments = shlex.split(line)
    assert name == "grantproof"
    ended = run(*arguments)
    return ended.err + ended.out


def test_the_page_does_as_it_says(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command prints what stands below it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(SystemClock, "now", lambda _clock: INSTANT)
    again, count = carried_out(PAGE, run)
    assert again == PAGE
    assert count == 9


def test_the_page_names_what_there_is() -> None:
    """Every command and every route of its table, every column, and what a formula begins with."""
    rows = re.findall(r"^\| (?:`([^`]+)`)? ?\| `(\w+) ([^`]+)` \|", PAGE, re.MULTILINE)
    assert len(rows) == 9
    routes = {(route.method, route.template.removeprefix("/v1/orgs/{org}")) for route in ROUTES}
    for command, method, path in rows:
        assert (method, path) in routes, path
        words = [word for word in command.split() if word.islower()]
        assert is_command(words) or command == "", command
    reviews = {path for _, path in routes if path.startswith("/review/")}
    assert reviews <= {path for _, _, path in rows}
    told = re.search(r"^\| column \| holds \|\n(.*?)\n\n", PAGE, re.MULTILINE | re.DOTALL)
    assert told is not None
    names = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in told[1].splitlines()[1:]]
    assert tuple(name for some in names for name in some) == COLUMNS
    assert f"```csv\n{','.join(NEEDED)}\n" in PAGE
    assert all(f"`{one}`" in PAGE for one in FORMULA if one.isprintable())
