"""The page about the console says what the code does: its pages, the cookie, the policy, bounds."""

import re
from pathlib import Path

from grantproof.api.console.around import DEPTH_MAX
from grantproof.api.console.layering import EDGES_MAX, NODES_MAX, SPANS_MAX
from grantproof.api.console.rendering import NAVIGATION, POLICY, PROOFS
from grantproof.api.console.role_graph import LISTED
from grantproof.api.console.trial_form import PRIVATE
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


def test_what_is_drawn_and_what_an_address_leaves_out_are_told_as_they_are() -> None:
    """How much of a graph, how far around a role, and which fields may be private."""
    assert f"At most {NODES_MAX} roles and {EDGES_MAX} arrows are drawn" in GUIDE
    assert f"cross at most {SPANS_MAX:,} layers" in GUIDE
    assert f"all of them, {LISTED} on a page" in GUIDE
    assert (DEPTH_MAX, "up to eight steps away" in GUIDE) == (8, True)
    names = sorted(name.replace("_", " ") for name in PRIVATE)
    first, *between, last = names
    told = f"{first.capitalize()}, {', '.join(between)} and {last} are left out"
    assert told in GUIDE
