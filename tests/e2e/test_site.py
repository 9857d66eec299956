"""The documentation builds as a site: strictly, with every page, and fetching nothing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.checkout import ROOT

FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|audio|video|embed)\b[^>]*?\bsrc=["']?([^"'\s>]+)"""
    r"""|<link\b(?=[^>]*\brel=["']?[^"'>]*(?:stylesheet|icon|preload|preconnect|dns-prefetch))"""
    r"""[^>]*?\bhref=["']?([^"'\s>]+)"""
    r"""|@import\s+(?:url\()?["']?([^"')\s;]+)"""
    r"""|\burl\(["']?([^"')]+)"""
)
"""What a page or a style sheet has a browser fetch by itself; where a link leads is not."""


def built(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Build the site of a copy of the documentation."""
    config = folder / "deploy/site/mkdocs.yml"
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", config],
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the site is made of."""
    for part in ("docs", "deploy/site"):
        shutil.copytree(ROOT / part, tmp_path / part)
    return tmp_path


@pytest.fixture
def titles(copy: Path) -> Path:
    """A copy in which every page is its title: what is wrong with it is what a test adds."""
    for path in copy.joinpath("docs").rglob("*.md"):
        path.write_text(path.read_text("utf-8").partition("\n")[0] + "\n", "utf-8")
    return copy


def elsewhere(text: str) -> list[str]:
    """The addresses on another host that a text has a browser fetch."""
    found = ["".join(groups) for groups in FETCHED.findall(text)]
    return [one for one in found if re.match(r"(?:\w+:)?//", one)]


def test_the_site_has_every_page_and_fetches_nothing_from_elsewhere(copy: Path) -> None:
    """Scripts, styles, fonts and images are its own; what the repository alone has is no link."""
    done = built(copy)
    assert done.returncode == 0, done.stderr
    site = copy / "build/site"
    pages = [path.relative_to(copy / "docs") for path in (copy / "docs").rglob("*.md")]
    made = {path.relative_to(site) for path in site.rglob("*.html")}
    wanted = {path.with_name(path.stem.replace("README", "index") + ".html") for path in pages}
    assert wanted - made == set()
    texts = [
        path.read_text("utf-8") for path in site.rglob("*") if path.suffix in {".html", ".css"}
    ]
    assert len(texts) > len(pages)
    assert [one for text in texts for one in elsewhere(text)] == []
    assert [text[:80] for text in texts if 'href="../src/' in text or "```" in text] == []
    assert (site / "search/search_index.json").stat().st_size > 100_000


@pytest.mark.parametrize(
    ("page", "text", "fault"),
    [
        ("orphan.md", "# Orphan\n", 'not included in the "nav"'),
        (
            "semantics.md",
            "# A\n\n[dead](nowhere.md)\n",
            "'nowhere.md', but the target is not found",
        ),
        (
            "semantics.md",
            "# A\n\n[dead](trust.md#nowhere)\n",
            "does not contain an anchor '#nowhere'",
        ),
    ],
)
def test_what_is_dead_fails_the_build(page: str, text: str, fault: str, *, titles: Path) -> None:
    """A page that the navigation does not have, a link to no page, a link to no heading: each."""
    (titles / "docs" / page).write_text(text)
    done = built(titles)
    assert done.returncode != 0
    assert fault in done.stderr
    assert "Aborted with 1 warnings" in done.stdout + done.stderr


def test_what_is_fetched_from_elsewhere_is_found() -> None:
    """Each way; a link to read is none of them."""
    text = (
        '<a href="https://a.example/x">x</a> <link href="https://b.example/" rel="canonical">'
        '<script src="https://c.example/x.js"></script> <img alt="" src=//d.example/x.png>'
        '<link rel="preconnect" href="https://e.example" crossorigin> <link href="site.css" '
        'rel=stylesheet> @import "https://f.example/x.css"; a { background: url(data:x) }'
    )
    hosts = [re.sub(r".*//(\w).*", r"\1", one) for one in elsewhere(text)]
    assert hosts == ["c", "d", "e", "f"]
