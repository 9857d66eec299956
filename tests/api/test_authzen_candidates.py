"""Candidates of searches: put in order in pieces, and kept for the next page, but not too many."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.api.authzen import candidates
from grantproof.api.authzen.candidates import Candidates, ordered
from grantproof.core.identifiers import PrincipalId


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few are put in order at once, and few are kept."""
    monkeypatch.setattr(candidates, "RUN", 3)
    monkeypatch.setattr(candidates, "CANDIDATES_KEPT_MAX", 5)


def test_names_are_put_in_order_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """As all at once would be; plain text comes out, which can be written."""
    monkeypatch.setattr(candidates, "RUN", 3)

    @settings(max_examples=60)
    @given(st.sets(st.from_regex(r"[a-c0-9_]{1,4}", fullmatch=True)))
    def law(names: set[str]) -> None:
        told = ordered(map(PrincipalId, names))
        assert told == sorted(names)
        assert {type(name) for name in told} <= {str}

    law()


def test_the_next_page_finds_what_was_kept(few: None) -> None:
    """Once for a search on a revision, and again when there was no room."""
    assert few is None
    kept, finds = Candidates(), list[str]()

    async def page(key: str, names: str, after: str | None) -> str:
        def find() -> Iterator[str]:
            finds.append(key)
            return iter(names)

        return "".join(await kept.after((key,), find, name=after, limit=2))

    async def walk() -> None:
        assert await page("x", "cabd", None) == "ab"
        assert await page("x", "cabd", "b") == "cd"
        assert await page("x", "cabd", "d") == ""
        assert (finds, kept.count) == (["x"], 4)
        # The oldest has to go.
        assert await page("y", "zy", None) == "yz"
        assert (finds, kept.count) == (["x", "y"], 2)
        assert await page("x", "cabd", "a") == "bc"
        assert (finds, kept.count) == (["x", "y", "x"], 4)
        # More than there is ever room for is found anew for each page.
        for after, told in ((None, "ab"), ("e", "f")):
            assert await page("z", "abcdef", after) == told
        assert (finds[3:], kept.count) == (["z", "z"], 0)

    asyncio.run(walk())
