"""What `docs/properties.md` says, read from where it stands: statements, and what is trusted.

Of Markdown only what that page uses is known: paragraphs, lists, code, bold, links.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from specs.report.markup import Html, Inside, code, element, joined

ROW: Final = re.compile(r"^\| (P-[A-Z-]+) \| (.+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
INLINE: Final = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)")
HOW: Final = "How the proofs work"
MATRIX: Final = "The inductive matrix"
NOT_PROVED: Final = "What is not proved"
TRUSTED: Final = "What is trusted"


@dataclass(frozen=True, slots=True)
class Statement:
    """A property: its id, what it says, by what it is proved and tested, what refutes it."""

    id: str
    says: str
    proved: str
    tested: str
    refuted: str


@dataclass(frozen=True, slots=True)
class Document:
    """The properties in their order, and the text of each section by its heading."""

    properties: tuple[Statement, ...]
    sections: dict[str, str]


def read_document(page: str) -> Document:
    """Return what the page says. Raises `ValueError` when a part of it is not there."""
    _, *parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    missing = {HOW, MATRIX, NOT_PROVED, TRUSTED} - sections.keys()
    stated = tuple(Statement(*cells) for cells in ROW.findall(page))
    if missing or not stated:
        message = f"the page on the properties lacks {min(missing, default='its table')}"
        raise ValueError(message)
    return Document(stated, sections)


def prose(markdown: str) -> Html:
    """Return paragraphs and lists."""
    shown: list[Html] = []
    items: list[Html] = []
    for block in _blocks(markdown):
        if block.startswith("- "):
            items.append(element("li", inline(block[2:])))
            continue
        if items:
            shown.append(element("ul", *items))
            items = []
        shown.append(element("p", inline(block)))
    if items:
        shown.append(element("ul", *items))
    return joined(*shown)


def _blocks(markdown: str) -> Iterator[str]:
    """Yield each paragraph and each item of a list on one line."""
    block: list[str] = []
    for line in (*markdown.splitlines(), ""):
        if block and (line.strip() == "" or line.startswith("- ")):
            yield " ".join(block)
            block = []
        if line.strip():
            block.append(line.strip())


def inline(markdown: str) -> Html:
    """Return a line with its code and its bold; of a link, the words and where it leads."""
    shown: list[Inside] = []
    end = 0
    for found in INLINE.finditer(markdown):
        shown.append(markdown[end : found.start()])
        shown.append(_inline(found))
        end = found.end()
    return joined(*shown, markdown[end:])


def _inline(found: re.Match[str]) -> Html:
    if found[1] is not None:
        return code(found[1])
    if found[2] is not None:
        return element("strong", found[2])
    if found[4].startswith("#"):
        return joined(found[3])
    return joined(found[3], " (", code(found[4]), ")")
