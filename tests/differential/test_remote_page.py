"""The page of the command line over HTTP is carried out, on a server."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from grantproof.bootstrap import compose
from grantproof.cli import command, remote_http, remote_keys
from grantproof.core.limits import BODY_BYTES_MAX
from grantproof.settings import Settings
from tests.differential.over_http import ADDRESS, Pair, new_key, served
from tests.processes import without_settings

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "remote.md"
CONSOLE: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILTER: Final = " | decisions"
"""Stands for what a reader would do with the JSON."""


@pytest.fixture
def there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Pair]:
    """The demo, on a server."""
    without_settings(monkeypatch)
    monkeypatch.setenv("GRANTPROOF_ORG", "acme")
    database = tmp_path / "acme.db"
    compose(Settings(database_url=str(database), demo=True)).close()
    with served(database, monkeypatch) as api:
        yield Pair(database, capsys, new_key(api))


def carried_out(page: str, there: Pair) -> str:
    """The page as it would be with what its commands print now."""

    def step(found: re.Match[str]) -> str:
        typed = [line[2:] for line in found[1].splitlines() if line.startswith("$ ")]
        return (
            "```console\n" + "".join(f"$ {line}\n{printed(line, there)}" for line in typed) + "```"
        )

    return CONSOLE.sub(step, page)


def printed(line: str, there: Pair) -> str:
    """What a command prints."""
    program, *arguments = shlex.split(line.removesuffix(FILTER))
    assert program == "grantproof"
    ended = there.remote(*arguments)
    if line.endswith(FILTER):
        told = json.loads(ended.out)
        return f"{told['before']['decision']}, then {told['after']['decision']}\n"
    return ended.out + ended.err


def test_the_page_does_as_it_says(there: Pair) -> None:
    """Every command prints what stands below it."""
    page = PAGE.read_text("utf-8")
    assert carried_out(page, there) == page
    assert ADDRESS not in page
    assert carried_out("```console\n$ grantproof role list\nnothing\n```", there) != page


def test_the_page_tells_the_names_and_the_bounds() -> None:
    """As they are in the code."""
    page = PAGE.read_text("utf-8")
    for name in (command.SERVER, remote_keys.KEY, remote_keys.KEY_FILE):
        assert f"`{name}`" in page
    assert f"within {remote_http.SILENT_SECONDS:g} seconds" in page
    assert f"{BODY_BYTES_MAX // 2**20} MiB" in page
