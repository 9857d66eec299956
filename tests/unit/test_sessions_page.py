"""The page on sessions tells every route, with its scope, and every bound as it is."""

import json
import re
from pathlib import Path

from grantproof.api.access import SESSIONS
from grantproof.core import limits

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "sessions.md").read_text("utf-8")


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
