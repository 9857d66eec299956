"""Which functions are read, by their hashes; which are only tested; which hypotheses none needs."""

from collections.abc import Iterable

from specs.gate.detail import Annex, Unproved
from specs.gate.report import Row
from specs.report.documented import HOW, NOT_PROVED, TRUSTED, Document, prose
from specs.report.markup import Html, anchor, code, details, element
from specs.report.parts import names, section, short
from specs.report.table import Column, table


def sources(annex: Annex, theorems: Iterable[Row]) -> Html:
    """Return every function whose source a proof reads, with the sha256 of that source."""
    readers: dict[str, list[str]] = {name: [] for name in annex.sources}
    for row in theorems:
        for name in row.more.reads:
            readers.setdefault(name, []).append(row.name)
    lines = [
        (
            element("span", code(short(name)), id=anchor("source", name)),
            "proved" if name in by else "read",
            str(len(by)),
            code(annex.sources.get(name, "no hash was recorded")),
        )
        for name, by in sorted(readers.items())
    ]
    heads = ("function", "gate", Column("theorems", True), "sha256 of its source")
    said = (
        "The hash is of the lines from the first decorator to the end of the function, as they "
        "stand in the file. A function is proved when it has a definition of its own, and read "
        "when its source is part of other proofs."
    )
    return section(
        "sources",
        "The source that is read",
        element("p", said),
        details(f"{len(lines)} functions", table("Functions read by proofs", heads, lines)),
        details(f"{len(annex.tested)} functions are tested only", _tested(annex.tested)),
    )


def _tested(rows: Iterable[Unproved]) -> Html:
    lines = [(code(short(row.function)), row.reason, names(row.tests)) for row in rows]
    return table("Functions that are tested and not proved", ("function", "why", "tests"), lines)


def unused(annex: Annex) -> Html:
    """Return the hypotheses that are stated somewhere and that no proof needs."""
    said = (
        "Each is stated in some theorem, and no proof of any theorem with any seed needed it: what "
        "a contract asks for in vain shows up here."
    )
    shown = details(f"{len(annex.unused)} hypotheses", names(annex.unused))
    return section("unused", "Hypotheses that no proof uses", element("p", said), shown)


def limits(document: Document) -> Html:
    """Return what is trusted and what is not proved, in the words of the documentation."""
    return element(
        "div",
        section("not-proved", NOT_PROVED, prose(document.sections[NOT_PROVED])),
        section("trusted", TRUSTED, prose(document.sections[TRUSTED])),
        section("how", HOW, prose(document.sections[HOW])),
    )
