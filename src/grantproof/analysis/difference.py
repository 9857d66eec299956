"""How two states of an organization differ in what they allow, whatever the context and the time.

Requests are those without a session; contexts are those of a caller who is not trusted with the
stored properties of either end. Every change that is shown was decided by both states. P-ANALYSIS.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from grantproof.analysis.comparing import Comparing, Finding
from grantproof.analysis.findings import (
    Actions,
    Change,
    Count,
    Difference,
    Direction,
    Scope,
    Unsettled,
    Verdict,
)
from grantproof.analysis.populations import Numbering
from grantproof.analysis.solving import Found, Solver, Undetermined
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, Deny, evaluate


def difference(
    old: Organization, new: Organization, solver: Solver, *, now: int, limit: int | None = None
) -> Difference:
    """Return what the new state allows that the old one denies, and the reverse.

    Examples are of `now`, in epoch seconds, where the change shows then. At most `limit` gains and
    as many losses are given; they are counted whether they are given or not.
    """
    comparing = Comparing(old, new, solver, now=now)
    found = _together(comparing.findings())
    shown: dict[Direction, list[Change]] = {direction: [] for direction in Direction}
    counts = {direction: Count() for direction in Direction}
    unsettled: list[Unsettled] = []
    for finding in sorted(found, key=lambda one: _order(one, comparing.numbering)):
        scope = _scope(finding, comparing.numbering)
        given = shown[finding.direction]
        if not isinstance(finding.answer.solution, Found):
            unsettled.append(Unsettled(finding.direction, scope, _why(finding)))
            continue
        if limit is None or len(given) < max(1, limit):
            change = _replayed(finding, scope, solver, states=(old, new))
            if isinstance(change, Unsettled):
                unsettled.append(change)
                continue
            given.append(change)
        count = counts[finding.direction]
        counts[finding.direction] = Count(count.classes + 1, count.requests + scope.count)
    gained, lost = counts[Direction.GAIN], counts[Direction.LOSS]
    return Difference(
        _verdict(gained, lost, unsettled),
        tuple(shown[Direction.GAIN][:limit]),
        tuple(shown[Direction.LOSS][:limit]),
        gained,
        lost,
        tuple(unsettled),
    )


def _together(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings, those about other resources or actions that are alike as one."""
    resources: dict[tuple[object, ...], list[Finding]] = {}
    for one in findings:
        key = (one.direction, one.answer.number, one.span, one.principals, one.actions)
        resources.setdefault(key, []).append(one)
    actions: dict[tuple[object, ...], list[Finding]] = {}
    for several in resources.values():
        one = several[0]
        subjects = tuple(subject for each in several for subject in each.subjects)
        alike = (one.direction, one.answer.number, one.span, one.principals, subjects)
        actions.setdefault(alike, []).append(replace(one, subjects=subjects))
    for several in actions.values():
        named = sorted({action for each in several for action in each.actions.named})
        other = next((each.actions.other for each in several if each.actions.other), None)
        yield replace(several[0], actions=Actions(tuple(named), other))


def _order(finding: Finding, numbering: Numbering) -> tuple[object, ...]:
    subject = finding.subjects[0]
    people = numbering.principals(finding.principals)
    actions = finding.actions
    return (
        subject.resource,
        subject.kind or "",
        actions.named,
        actions.other or "",
        people.least,
        finding.principals,
        finding.direction,
        finding.answer.number,
    )


def _scope(finding: Finding, numbering: Numbering) -> Scope:
    return Scope(numbering.principals(finding.principals), finding.actions, finding.subjects)


def _why(finding: Finding) -> str:
    solution = finding.answer.solution
    return solution.why if isinstance(solution, Undetermined) else "it was not decided"


def _replayed(
    finding: Finding, scope: Scope, solver: Solver, *, states: tuple[Organization, Organization]
) -> Change | Unsettled:
    """Return the change with an example that both states decided as it says, or that none was."""
    direction = finding.direction
    solution = solver.solve(finding.answer.formula, finding.span)
    if not isinstance(solution, Found):
        return Unsettled(direction, scope, "the solver answered twice, and not the same")
    old, new = (evaluate(state, scope.example, solution.context) for state in states)
    allowing, denying = (new, old) if direction is Direction.GAIN else (old, new)
    if not isinstance(allowing, Allow) or not isinstance(denying, Deny):
        return Unsettled(direction, scope, "the example is decided in another way: a fault of ours")
    return Change(direction, scope, solution.context, allowing.certificate, denying.reason)


def _verdict(gained: Count, lost: Count, unsettled: Iterable[Unsettled]) -> Verdict:
    """Return the verdict; what is not settled leaves it open, unless it could not change it."""
    open_directions = {one.direction for one in unsettled}
    if gained.classes == 0 and Direction.GAIN in open_directions:
        return Verdict.UNDETERMINED
    if lost.classes == 0 and Direction.LOSS in open_directions:
        return Verdict.UNDETERMINED
    if gained.classes > 0:
        return Verdict.INCOMPARABLE if lost.classes > 0 else Verdict.MORE
    return Verdict.LESS if lost.classes > 0 else Verdict.EQUAL
