"""The page about the console says what the code does: its pages, the cookie, the policy, bounds."""

import re
from pathlib import Path

from grantproof.api.console.rendering import NAVIGATION, POLICY, PROOFS
from grantproof.api.console.visits import COOKIE
from grantproof.service.holdings import LOOKED_AT_MAX
from grantproof.service.visits import CREDENTIAL_BYTES_MAX, VISIT_SECONDS_MAX
from tests.api.routes import CONSOLE

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "console.md").read_text("utf-8")
ROW = re.compile(r"^\| `(/console[^`?]*)` \| ([^|]*) \|", re.MULTILINE)
WITHIN = "/console/orgs/{org}"


def test_every_page_of_the_navigation_is_told_with_the_scope_that_it_takes() -> None:
    """And the start and the proofs; none that is not there."""
    told = dict(ROW.findall(GUIDE))
    taken = {
        route.template: set(route.scopes)
        for route in CONSOLE
        if route.method == "GET" and route.scopes
    }
    leads = {f"{WITHIN}/{entry.tail}".rstrip("/") for entry in NAVIGATION}
    assert {"/console", PROOFS, *leads} <= set(told) <= set(taken)
    for page, scopes in told.items():
        assert taken[page] <= set(re.findall(r"`([a-z-]+)`", scopes)), page


def test_the_policy_and_the_cookie_are_told_as_they_are() -> None:
    """To the letter."""
    assert f"`Content-Security-Policy: {POLICY}`" in GUIDE
    assert f"`{COOKIE}`" in GUIDE


def test_the_bounds_are_told_as_they_are() -> None:
    """In the words of the page."""
    assert f"for {VISIT_SECONDS_MAX // 3_600} hours at most" in GUIDE
    assert f"({CREDENTIAL_BYTES_MAX:,} bytes)" in GUIDE
    assert f"more than {LOOKED_AT_MAX:,} parts" in GUIDE
