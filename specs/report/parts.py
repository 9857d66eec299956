"""What several sections of the page are made of: verdicts, counterexamples, lists of names."""

from collections.abc import Iterable, Sequence

from specs.gate.report import Row, Stage
from specs.picture import Picture
from specs.report.drawing import drawn
from specs.report.markup import NOTHING, Html, Inside, anchor, code, element, joined, link

SHORT = 12
"""How many digits of a hash are shown where its whole stands beside it."""


def section(id_: str, title: str, *inside: Inside) -> Html:
    """Return a section of the page under its heading."""
    heading = element("h2", title, id=f"{id_}-heading")
    return element("section", heading, *inside, id=id_, aria_labelledby=f"{id_}-heading")


def badge(word: str, *, good: bool | None) -> Html:
    """Return a verdict: a sign, a word, a colour; neither good nor bad where nothing was seen."""
    sign, kind = {True: ("✓ ", "good"), False: ("✗ ", "bad"), None: ("○ ", "none")}[good]
    return element("span", sign, word, class_=f"badge {kind}")


def verdict(row: Row) -> Html:
    """Return the verdict of a row."""
    return badge(row.verdict or "no verdict", good=row.passed)


def of_stage(stage: Stage | None) -> Html:
    """Return what became of a stage; one that was not run has no verdict, and no pass."""
    if stage is None:
        return badge("not run", good=None)
    return badge("passed" if stage.passed else "FAILED", good=stage.passed)


def told(lines: Sequence[str]) -> Html:
    """Return a counterexample in words, line by line."""
    return element("pre", "\n".join(lines)) if lines else NOTHING


def pictured(picture: Picture | None, name: str, title: str) -> Html:
    """Return a picture in a box of its own, or nothing where there is nothing to draw."""
    if picture is None or not picture.nodes:
        return NOTHING
    return element(
        "div",
        drawn(picture, name, title),
        class_="box drawing",
        role="region",
        aria_label=title,
        tabindex="0",
    )


def counted(things: Sequence[object], noun: str) -> str:
    """Return how many there are, with the noun in its number."""
    return f"{len(things):,} {noun}{'' if len(things) == 1 else 's'}"


def seconds(value: float) -> str:
    """Return a time in seconds."""
    return f"{value:.2f} s"


def names(functions: Iterable[str]) -> Html:
    """Return a list of names as they stand in a source."""
    return element("ul", *(element("li", code(name)) for name in functions), class_="names")


def terms(*pairs: tuple[str, Inside]) -> Html:
    """Return a list of terms, each with what is said of it."""
    said = (joined(element("dt", term), element("dd", inside)) for term, inside in pairs)
    return element("dl", *said)


def short(function: str) -> str:
    """Return a function's name without the package it is in."""
    return function.removeprefix("grantproof.")


def to_property(ids: str) -> Html:
    """Return the ids of a row, each leading to its property."""
    shown: list[Inside] = []
    for one in ids.split(", "):
        shown += [", "] if shown else []
        shown.append(link(anchor(one), one) if one.startswith("P-") else one)
    return joined(*shown)


def place_of(stage: str, row: Row) -> str:
    """Return the id of the place where a row is told in full."""
    return anchor(stage, row.name.partition(": ")[0])
