"""The semantic difference of two states as plain text, line by line, for a page.

The words are those of `difference_text`. Made where the solver works: what comes back is short,
whatever the size of the organization. Importing `told_difference` loads the solver when called.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from grantproof.analysis.findings import Change, Count, Difference, Verdict
from grantproof.core.messages import reason_message
from grantproof.core.organization import Organization
from grantproof.service.claim_text import claim_text
from grantproof.service.difference_text import (
    circumstances,
    counted,
    headline,
    may,
    unsettled_line,
    where,
    who,
)
from grantproof.service.pip import calendar


@dataclass(frozen=True, slots=True)
class Line:
    """Requests that change alike, in words, with one of them that both states decided.

    `allowed` says by which claim one of the states allows it, `way` how the principal comes to
    that, from the nearest group to the role; `denied` why the other denies it. The state before
    denies what is gained, the one after what is lost.
    """

    who: str
    may: str
    where: str
    principal: str
    action: str
    resource: str
    context: str
    instant: int
    denied: str
    allowed: str
    way: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """What is gained, or what is lost: all counted, the first of it in lines."""

    lines: tuple[Line, ...]
    count: str
    classes: int

    @property
    def more(self) -> int:
        """How many classes are counted and not shown."""
        return self.classes - len(self.lines)


@dataclass(frozen=True, slots=True)
class Told:
    """A difference in words; `unsettled` are the lines of what is not known."""

    verdict: Verdict
    headline: str
    gained: Side
    lost: Side
    unsettled: tuple[str, ...]


def told_difference(before: Organization, after: Organization, *, now: int, limit: int) -> Told:
    """Return who gains and who loses what between the states; of each at most `limit` lines.

    It is work for `service.solving.Solver.ask`.
    """
    from grantproof.analysis.difference import difference  # noqa: PLC0415 - it loads the solver
    from grantproof.analysis.solving import Solver  # noqa: PLC0415 - it loads the solver

    solver = Solver(calendar=calendar(after.time_zone))
    return told(difference(before, after, solver, now=now, limit=limit), limit=limit)


def told(found: Difference, *, limit: int) -> Told:
    """Return the difference in words; of what is not known at most `limit` lines too."""
    lines = tuple(unsettled_line(one) for one in found.undetermined[:limit])
    rest = len(found.undetermined) - len(lines)
    more = (f"and {rest:,} more that are not known",) if rest > 0 else ()
    return Told(
        found.verdict,
        headline(found),
        _side(found.gains, found.gained),
        _side(found.losses, found.lost),
        (*lines, *more),
    )


def _side(changes: Sequence[Change], count: Count) -> Side:
    return Side(tuple(map(_line, changes)), counted(count), count.classes)


def _line(change: Change) -> Line:
    scope, example, allowed = change.scope, change.scope.example, change.certificate
    claim = f"claim {allowed.claim.id}: {claim_text(allowed.claim)}"
    groups = tuple(f"group {group}" for group in allowed.groups)
    return Line(
        who=who(scope),
        may=may(scope.actions),
        where=where(scope.subjects),
        principal=str(example.principal),
        action=str(example.action),
        resource=str(example.resource),
        context=circumstances(change.context),
        instant=change.context.instant,
        denied=f"denied: {reason_message(change.reason)}",
        allowed=f"allowed by {claim}",
        way=(*groups, *map(str, allowed.roles)),
    )
