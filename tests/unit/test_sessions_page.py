"""The page on sessions shows what happens: its commands run; routes, scopes and bounds are so."""

import json
import re
import shlex
from pathlib import Path

import pytest

from grantproof.adapters.chance import SystemChance
from grantproof.adapters.clock import SystemClock
from grantproof.api.access import SESSIONS
from grantproof.cli.main import main
from grantproof.core import limits
from grantproof.service.sessions import ID_BYTES
from tests.unit.test_policy_pages import INSTANT, steps

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "sessions.md").read_text("utf-8")
SETUP = """
org create acme
kind create file
resource create ledger --kind file
role create clerk
role create auditor
claim create write-ledger clerk write ledger
claim create read-ledger auditor read ledger
sod create one-hat clerk auditor --mode dynamic
principal create ann
assign ann clerk
assign ann auditor
""".strip()
"""What the page says of Ann, as commands."""
NAME = re.search(r"^([0-9a-f]{32})$", PAGE, re.MULTILINE)


def run(line: str) -> None:
    """Run a command, however it ends."""
    with pytest.raises(SystemExit):
        main(shlex.split(line))


def test_the_page_shows_what_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line by line; what is refused is told on the standard error."""
    assert NAME is not None
    name = bytes.fromhex(NAME[1])
    draw = SystemChance.draw
    monkeypatch.setattr(SystemClock, "now", lambda _clock: INSTANT)
    monkeypatch.setattr(
        SystemChance, "draw", lambda chance, n: name if n == ID_BYTES else draw(chance, n)
    )
    monkeypatch.setenv("GRANTPROOF_DATABASE_URL", str(tmp_path / "it.db"))
    monkeypatch.setenv("GRANTPROOF_ORG", "acme")
    for line in SETUP.splitlines():
        run(line)
    assert capsys.readouterr().err == ""
    shown = steps(PAGE)
    for command, output in shown:
        run(command.removeprefix("$ grantproof "))
        told = capsys.readouterr()
        assert (command, told.out + told.err) == (command, output)
    assert len(shown) == 10


def test_every_route_is_told_with_its_scope() -> None:
    """All that there are, and none besides."""
    told = re.findall(r"`(GET|POST|DELETE) ([^`?]+)[^`]*`[^|]*\| `(\w+)` \|", PAGE)
    paths = json.loads((DOCS / "openapi.json").read_text())["paths"]
    assert {(method, path) for method, path, _ in told} == {
        (method.upper(), path)
        for path, methods in paths.items()
        for method in methods
        if "/sessions" in path
    }
    for method, _, scope in told:
        assert scope == (SESSIONS.reading if method == "GET" else SESSIONS.changing)


def test_every_bound_is_told_as_it_is() -> None:
    """Each by its name; the number stands beside it."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\d,]+)", PAGE, re.MULTILINE))
    told = {name: int(number.replace(",", "")) for name, number in rows.items()}
    assert told == {name: getattr(limits, name) for name in told}
    named = {name for name in vars(limits) if name.startswith("SESSION") or "SESSION" in name}
    assert named - set(told) == {
        "SESSION_SECONDS_DEFAULT",
        "SESSION_ATTEMPTS_MAX",
        "SESSIONS_PRUNED_MAX",
    }
    assert f"`SESSION_SECONDS_DEFAULT` is {limits.SESSION_SECONDS_DEFAULT:,}" in PAGE
