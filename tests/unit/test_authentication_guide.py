"""The guide to authentication says what the code does: scopes, settings, public routes, bounds."""

import re
from pathlib import Path

from grantproof.adapters import tokens
from grantproof.api.access import DOCS_PARTS, PUBLIC
from grantproof.core.limits import TOKEN_BYTES_MAX
from grantproof.service.callers import Scope
from grantproof.settings import Settings

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "authentication.md").read_text("utf-8")


def test_every_scope_and_every_setting_is_told() -> None:
    """And none that does not exist."""
    assert re.findall(r"^\| `([a-z-]+)` \|", GUIDE, re.MULTILINE) == [
        scope.value for scope in Scope
    ]
    told = {
        name.removeprefix("GRANTPROOF_").lower() for name in re.findall(r"GRANTPROOF_\w+", GUIDE)
    }
    assert told == {
        name for name in Settings.model_fields if name.startswith("jwt_") or name == "max_staleness"
    }


def test_every_public_address_is_told() -> None:
    """Those that take no credential; the files that pages take go with them."""
    assert {path for path in PUBLIC if f"`{path}`" not in GUIDE} == set(DOCS_PARTS)


def test_the_bounds_are_told_as_they_are() -> None:
    """In the words of the guide."""
    staleness = Settings.model_fields["max_staleness"].default
    assert f"`GRANTPROOF_MAX_STALENESS` seconds ({staleness:g})" in GUIDE
    assert f"at most {TOKEN_BYTES_MAX:,} bytes" in GUIDE
    assert f"Clocks may be {tokens.LEEWAY_SECONDS} seconds apart" in GUIDE
    assert (tokens.REFETCH_SECONDS, tokens.UNKNOWN_KEY_SECONDS) == (300, 10)
    assert tokens.KEEP_SECONDS_MAX == 3_600
    assert all(f"`{claim}`" in GUIDE for claim in tokens.REQUIRED)
