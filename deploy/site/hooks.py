"""What the site does to pages that are written to be read in the repository too.

Links to files outside `docs` become their paths, a fence's file name becomes its title, and the
patterns of the navigation become the pages that they find.
"""

import posixpath
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

FENCE: Final = re.compile(r"^```(\w+) (\S[^\n]*)$", re.MULTILINE)
ALONE: Final = frozenset({"README.md", "tutorial.md"})
"""Pages that are a section by themselves: a list of the section would list them alone."""

LINK: Final = re.compile(r"\[([^\]\n]+)\]\((\.\./[^)\s]+)\)")


def on_config(config: Any) -> Any:
    """Put the pages that are there in the place of the patterns of the navigation."""
    folder = Path(config["docs_dir"])
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.md"))
    config["nav"] = [entry for one in config["nav"] for entry in entries(one, found)]
    return config


def entries(entry: Any, found: list[str]) -> list[Any]:
    """What becomes of one entry: itself, what it finds, or nothing."""
    if isinstance(entry, str):
        return [path for path in found if fnmatch(path, entry)]
    ((title, below),) = entry.items()
    if isinstance(below, str):
        return [entry] if below in found else []
    kept = [one for each in below for one in entries(each, found)]
    return [{title: kept}] if kept else []


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite what only the repository can show."""
    if page.file.src_uri in ALONE:
        page.meta["hide"] = ["navigation"]
    here = posixpath.dirname(page.file.src_uri)
    return LINK.sub(lambda link: outside(link, here), FENCE.sub(r'```\1 title="\2"', markdown))


def outside(link: re.Match[str], here: str) -> str:
    """A link that leaves `docs` as the path of its file; any other as it stands."""
    target = posixpath.normpath(posixpath.join(here, link[2].partition("#")[0]))
    if not target.startswith("../"):
        return link[0]
    path = target.removeprefix("../")
    return link[1] if path in link[1] else f"{link[1]} (`{path}`)"
