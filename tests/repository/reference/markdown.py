"""How the generated pages are written: tables, anchors, and what is read off the other pages."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final

from tests.repository.checkout import ROOT

DOCS: Final = ROOT / "docs"
FOLDER: Final = DOCS / "reference"
MADE: Final = "<!-- Made of the code by `make reference`: change what it is made from. -->"
FENCE: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED: Final = re.compile(r"^\$ (?:\.venv/bin/)?(grantproof (?:[^\n]*\\\n)*[^\n]*)$", re.MULTILINE)


def page(title: str, *parts: str) -> str:
    """A generated page: its title, who made it, and its parts with a blank line between them."""
    return "\n\n".join([f"# {title}", MADE, *(part.strip("\n") for part in parts if part)]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; nothing where there are no rows."""
    lines = [f"| {' | '.join(cell(one) for one in row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *lines])


def cell(text: str) -> str:
    """A text on one line, with nothing in it that ends a cell."""
    return re.sub(r"(?<!\\)\|", r"\\|", " ".join(text.split()))


def code(text: object) -> str:
    """A text as it is typed; nothing for nothing."""
    return f"`{text}`" if str(text) else ""


def fenced(kind: str, text: str) -> str:
    """A block of what is typed or written."""
    return f"```{kind}\n{text.rstrip()}\n```"


def anchor(heading: str) -> str:
    """The address of a heading within its page."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@cache
def hand_written() -> dict[str, str]:
    """The pages that people write, by their paths below `docs`; generated ones are left out."""
    return {
        str(path.relative_to(DOCS)): path.read_text("utf-8")
        for path in sorted(DOCS.rglob("*.md"))
        if FOLDER not in path.parents
    }


def typed(text: str) -> Iterator[list[str]]:
    """The words of each command line of our program that a page shows as typed in a shell."""
    for block in FENCE.findall(text):
        for line in TYPED.findall(block):
            try:
                yield shlex.split(line.replace("\\\n", " "), comments=True)
            except ValueError:
                # A quotation that goes on over several lines: a shell would ask for the rest.
                yield shlex.split(line.partition(" '")[0])
