"""The difference of two states in words: who gains what, who loses what, and what shows it.

Pure text, for people at a terminal and, as Markdown, for a comment on a proposed change. Every id
is of a narrow alphabet; other stored text is written as JSON, so that it cannot pass for markup.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from grantproof.analysis.findings import (
    Actions,
    Change,
    Count,
    Difference,
    Direction,
    Scope,
    Subject,
    Unsettled,
    Verdict,
)
from grantproof.core.attributes import Attributes
from grantproof.core.constraints import Context
from grantproof.core.geodesy import degrees
from grantproof.core.messages import DAYS, reason_message
from grantproof.policyfile.value_fields import write_value
from grantproof.service.claim_text import moment

NAMED_MAX: Final = 3
"""So many names are listed before the rest are counted."""

VERDICTS: Final = {
    Verdict.EQUAL: "both allow the same",
    Verdict.MORE: "the new state allows more",
    Verdict.LESS: "the new state allows less",
    Verdict.INCOMPARABLE: "the new state allows more and less",
    Verdict.UNDETERMINED: "it could not be determined whether both allow the same",
}
GAINS: Final = "gains"
LOSES: Final = "loses"


def headline(found: Difference) -> str:
    """Return the verdict and how much it is about, on one line."""
    counts = ((GAINS, found.gained), (LOSES, found.lost))
    told = [
        f"{_many(count.requests, 'request')} {_past(word)}"
        for word, count in counts
        if count.classes
    ]
    return ": ".join([VERDICTS[found.verdict], *([", ".join(told)] if told else [])])


def who(scope: Scope) -> str:
    """Return the principals: some by name, the others as a number."""
    return _some(scope.principals, len(scope.principals), of="principals")


def may(actions: Actions) -> str:
    """Return the actions, and whether all others are meant as well."""
    if actions.other is None:
        return _some(actions.named, len(actions.named), of="actions")
    if not actions.named:
        return "any action that no claim names"
    return f"{_some(actions.named, len(actions.named), of='actions')} and any that no claim names"


def where(subjects: Sequence[Subject]) -> str:
    """Return the resources: some by name, the others as a number."""
    plain = {subject.resource for subject in subjects if subject.kind is None}
    told = [one for one in subjects if one.kind is None or one.resource not in plain]
    return _some(map(_subject, told), len(told), of="resources")


def circumstances(context: Context) -> str:
    """Return the context: when, and what of it may matter."""
    told = [moment(context.instant), f"{DAYS[context.weekday]} {context.hour:02}:00 local"]
    if context.region is not None:
        told.append(f"region {context.region}")
    if context.position is not None:
        told.append(f"position {degrees(context.position)}")
    if context.usage is not None:
        told.append(f"usage {context.usage}")
    if context.rate is not None:
        told.append(f"rate {context.rate}")
    told.extend(_properties("context", context.attributes))
    told.extend(_properties("action", context.action_properties))
    return ", ".join(told)


def because(change: Change) -> str:
    """Return why one state allows the example and the other denies it."""
    allowed = change.certificate
    way = " > ".join((*allowed.groups, *allowed.roles))
    one, other = ("now", "before") if change.direction is Direction.GAIN else ("before", "now")
    reason = reason_message(change.reason)
    return f"{one} by claim {allowed.claim.id} ({way}); {other} denied: {reason}"


def markdown(found: Difference, *, old: str, new: str) -> str:
    """Return the difference as a Markdown document, ended by a line break."""
    lines = [f"### Access: {VERDICTS[found.verdict]}", "", f"From {_code(old)} to {_code(new)}."]
    sides = ((GAINS, found.gains, found.gained), (LOSES, found.losses, found.lost))
    for word, changes, count in sides:
        if count.classes:
            lines += ["", f"#### Who {word} what: {counted(count)}", *table(changes)]
            lines += _more(count.classes - len(changes))
    if found.undetermined:
        lines += ["", "#### Undetermined", "", *map(_unsettled, found.undetermined)]
    return "\n".join(lines) + "\n"


def unsettled_line(one: Unsettled) -> str:
    """Return what is not known, on one line."""
    verb = "gains" if one.direction is Direction.GAIN else "loses"
    asked = f"{who(one.scope)}: {may(one.scope.actions)} on {where(one.scope.subjects)}"
    return f"it is not known who {verb} this: {asked}: {one.why}"


def _unsettled(one: Unsettled) -> str:
    return f"- {unsettled_line(one)}"


def table(changes: Iterable[Change]) -> Iterator[str]:
    """Yield the lines of a Markdown table of the changes, after an empty line."""
    yield from ("", "| who | action | resource | shown by | in the context | because |")
    yield "|---|---|---|---|---|---|"
    for change in changes:
        scope, example = change.scope, change.scope.example
        shown = f"{example.principal} {example.action} {example.resource}"
        cells = (
            who(scope),
            may(scope.actions),
            where(scope.subjects),
            _code(shown),
            circumstances(change.context),
            because(change),
        )
        yield f"| {' | '.join(map(_cell, cells))} |"


def _more(count: int) -> list[str]:
    return [] if count == 0 else ["", f"And {_many(count, 'more class', 'more classes')}."]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("*", "\\*").replace("<", "&lt;")


def _code(text: str) -> str:
    return f"`{text.replace('`', ' ')}`"


def _subject(subject: Subject) -> str:
    if not subject.registered:
        return f"any unregistered {subject.kind}"
    return subject.resource if subject.kind is None else f"{subject.resource} as a {subject.kind}"


def _some(names: Iterable[str], count: int, *, of: str) -> str:
    listed = list(islice(names, NAMED_MAX + 1))
    if count <= NAMED_MAX + 1:
        return ", ".join(listed)
    return f"{', '.join(listed[:NAMED_MAX])} and {count - NAMED_MAX:,} more {of}"


def _properties(root: str, held: Attributes) -> Iterator[str]:
    for name in sorted(held):
        value = json.dumps(write_value(held[name]), ensure_ascii=True)
        yield f"{root}.{name} {value}"


def counted(count: Count) -> str:
    """Return how many requests these are, and in how many classes."""
    classes = _many(count.classes, "class", "classes")
    return f"{_many(count.requests, 'request')} in {classes}"


def _many(count: int, one: str, several: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"


def _past(word: str) -> str:
    return "gained" if word == GAINS else "lost"
