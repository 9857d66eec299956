"""Versions, the changelog and what is said of deprecation agree with each other and the product."""

import json
import re
from datetime import date
from itertools import pairwise
from typing import Final

import pytest

from grantproof import __version__
from tests.repository.checkout import ROOT, python_files, read

VERSION: Final = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(alpha|beta|rc)\.\d+)?")
KINDS: Final = ("Added", "Changed", "Deprecated", "Removed", "Fixed", "Security")
HEADING: Final = re.compile(r"(?P<version>\S+) - (?P<day>\d{4}-\d\d-\d\d)")


def faults(changelog: str) -> list[str]:
    """What is not as Keep a Changelog has it."""
    found = []
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    released = [HEADING.fullmatch(one) for one in headings[1:]]
    if headings[:1] != ["Unreleased"]:
        found.append("it does not begin with `Unreleased`")
    found += [
        f"`{heading}` is no version and date"
        for heading, told in zip(headings[1:], released, strict=True)
        if told is None or VERSION.fullmatch(told["version"]) is None
    ]
    days = [date.fromisoformat(told["day"]) for told in released if told is not None]
    if any(later < earlier for later, earlier in pairwise(days)):
        found.append("the latest does not come first")
    for section in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        kinds = re.findall(r"^### (.+)$", section, re.MULTILINE)
        if kinds != [kind for kind in KINDS if kind in kinds]:
            found.append(f"kinds of changes that are unknown, twice or out of order: {kinds}")
    return found


def test_the_changelog_is_as_its_readers_know_it() -> None:
    """By kind, the latest first, each release with its day."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert faults(changelog) == []
    assert "Semantic Versioning" in changelog


@pytest.mark.parametrize(
    ("spoilt", "fault"),
    [
        ("## 0.1.0 - 2026-01-01", "it does not begin with `Unreleased`"),
        ("## Unreleased\n## 0.1", "`0.1` is no version and date"),
        ("## Unreleased\n## 01.1.0 - 2026-01-01", "`01.1.0 - 2026-01-01` is no version and date"),
        (
            "## Unreleased\n## 0.1.0 - 2026-01-01\n## 0.2.0 - 2026-02-01",
            "the latest does not come first",
        ),
        (
            "## Unreleased\n### Fixed\n### Added",
            "kinds of changes that are unknown, twice or out of order: ['Fixed', 'Added']",
        ),
    ],
)
def test_what_is_wrong_with_a_changelog_is_found(spoilt: str, fault: str) -> None:
    """One fault each."""
    assert faults(spoilt) == [fault]


def test_the_version_stands_in_one_place() -> None:
    """The packages take it from the program, the manifests name an image of it."""
    assert VERSION.fullmatch(__version__)
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text("utf-8")
    manifest = (ROOT / "deploy/kubernetes/20-deployment.yaml").read_text("utf-8")
    assert re.findall(r"^ +image: \S+/grantproof:(\S+)$", manifest, re.MULTILINE) == [__version__]


def test_nothing_is_deprecated_in_silence() -> None:
    """The page says that nothing is: a deprecation changes it, and comes with its changelog."""
    page = (ROOT / "docs/deprecation.md").read_text("utf-8")
    api = json.loads((ROOT / "docs/openapi.json").read_text("utf-8"))
    document = [
        operation
        for item in api["paths"].values()
        for operation in item.values()
        if operation.get("deprecated")
    ]
    warned = [path for path in python_files("src") if "@deprecated" in read(path)]
    listed = "### Deprecated" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    told = "Nothing is deprecated today" not in page
    assert (bool(document or warned), listed) == (told, told)


def test_a_release_can_be_verified_as_the_page_says() -> None:
    """Each file that a reader is told of is one that a release has."""
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    made = (ROOT / "deploy/release/__main__.py").read_text("utf-8")
    for ending in ("cdx.json", "verification.json"):
        assert f"`*.{ending}`" in page
        assert f".{ending}" in made
    assert "SHA256SUMS" in page
