"""A report on a policy as Markdown for a comment on the change: bounded, what matters most first.

Whatever somebody wrote into a policy or its tests stands in code, where it is no markup.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from grantproof.service.difference_text import counted, headline, table
from grantproof.service.verification_report import (
    OUTCOMES,
    Access,
    Finding,
    Level,
    Outcome,
    Report,
    Rule,
)

LENGTH_MAX: Final = 60_000
"""Characters; comments on the great code hosts take some more."""

RESERVED: Final = 100
"""Kept free below each list, to say how many entries more there are."""

LINE_MAX: Final = 2_000
"""A longer entry is cut: one must not leave room for no other."""

HEADLINES: Final = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.UNDETERMINED: "not decided",
    Outcome.UNREADABLE: "cannot be read",
}
CHANGES: Final = frozenset({Rule.GAIN, Rule.LOSS})


def markdown(report: Report) -> str:
    """Return the report, at most `LENGTH_MAX` characters, ended by a line break."""
    organization = "" if report.organization is None else f" {code(report.organization)}"
    lines = [f"### Policy{organization}: {HEADLINES[report.outcome]}", ""]
    lines += ["| stage | outcome | |", "|---|---|---|"]
    lines += [
        f"| {stage.name} | {stage.outcome} | {_celled(code(stage.summary))} |"
        for stage in report.stages
    ]
    page = _Page(lines)
    found = [one for stage in report.stages for one in stage.findings]
    # What is gained has a list of its own, whether it may be or not.
    wrong = (one for one in found if (one.rule, one.level) != (Rule.GAIN, Level.ERROR))
    page.add("To be put right", _entries(wrong, OUTCOMES))
    if report.access is not None:
        _add_access(page, report.access)
    page.add("Warnings", _entries(found, {Level.WARNING}))
    notes = (one for one in found if one.rule not in CHANGES)
    page.add("Notes", _entries(notes, {Level.NOTE}))
    return page.text


def code(text: str) -> str:
    """Return the text as one line of code, whatever it holds."""
    cut = text if len(text) <= LINE_MAX else f"{text[:LINE_MAX]}..."
    plain = "".join(letter if letter.isprintable() else " " for letter in cut)
    longest = max(map(len, re.findall("`+", plain)), default=0)
    fence = "`" * (longest + 1)
    space = " " if longest > 0 else ""
    return f"{fence}{space}{plain}{space}{fence}"


class _Page:
    """A text that grows by lists, as long as there is room."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = list(lines)
        self._left = LENGTH_MAX - sum(len(line) + 1 for line in self._lines)

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self._lines) + "\n"

    def add(
        self, title: str, entries: Iterable[str], *, head: tuple[str, ...] = (), more: int = 0
    ) -> None:
        """Add a titled list; entries without room, and `more` that are not given, are counted."""
        listed = list(entries)
        if not listed and more == 0:
            return
        top = ["", f"#### {title}", "", *head]
        room = self._left - sum(len(line) + 1 for line in top) - RESERVED
        taken = 0
        for line in listed:
            room -= len(line) + 1
            if room < 0:
                break
            taken += 1
        rest = len(listed) - taken + more
        end = ["", f"And {rest:,} more."] if rest else []
        shown = [*(top if taken else top[:3]), *listed[:taken], *end]
        length = sum(len(line) + 1 for line in shown)
        # A title alone still fits: each list keeps room for more than one.
        if length <= self._left:
            self._lines += shown
            self._left -= length


def _add_access(page: _Page, access: Access) -> None:
    found = access.difference
    if found.gained.classes == found.lost.classes == 0:
        page.add(f"Access, compared with {code(access.base)}", [f"{headline(found)}."])
        return
    for title, changes, count in (
        ("What this grants", found.gains, found.gained),
        ("What this takes away", found.losses, found.lost),
    ):
        head, rule, *rows = (line for line in table(changes) if line)
        about = f"{title}, compared with {code(access.base)}: {counted(count)}"
        page.add(about, rows, head=(head, rule), more=count.classes - len(rows))


def _entries(found: Iterable[Finding], levels: Iterable[Level]) -> Iterator[str]:
    """Yield the findings of the levels, the worst first."""
    order, wanted = tuple(Level), frozenset(levels)
    told = [one for one in found if one.level in wanted]
    for one in sorted(told, key=lambda one: order.index(one.level)):
        where = code(one.name if one.spot is None else str(one.spot))
        first = f"- {where} {one.level}: {code(one.message)}"
        yield "\n".join((first, *(f"  - {code(detail)}" for detail in one.details)))


def _celled(text: str) -> str:
    return text.replace("|", "\\|")
