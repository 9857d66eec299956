"""Cases of a question: somebody, what is asked for, and the formula that says in which contexts.

Most are answered without a solver; those that are left are put to it many at a time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from grantproof.analysis.favourable import entails, guess
from grantproof.analysis.formulas import (
    NEVER,
    AllOf,
    AnyOf,
    AtLeast,
    Formula,
    Not,
    Stored,
    all_of,
    any_of,
    condition,
    conditions,
    negation,
    true_in,
)
from grantproof.analysis.overlaps import Grant
from grantproof.analysis.solving import Found, Impossible, Solver, Span, Undetermined
from grantproof.core.constraints import Constraint, Context
from grantproof.core.identifiers import PrincipalId
from grantproof.core.organization import Organization

ASKED_TOGETHER_MAX: Final = 64
GIVEN_UP_MAX: Final = 3
"""So many questions may stay open before no more are asked: each may take all the solver's time."""

COMPOUND: Final = (Not, AllOf, AnyOf, AtLeast)


@dataclass(frozen=True, slots=True)
class Case:
    """A principal, what a claim grants it in the span, and when that is what is looked for."""

    principal: PrincipalId
    grant: Grant
    span: Span
    formula: Formula


@dataclass(frozen=True, slots=True)
class Shown:
    """A case, and a context in which its formula is true."""

    case: Case
    context: Context


def granting(
    state: Organization,
    principal: PrincipalId,
    grant: Grant,
    *,
    beyond: tuple[Constraint, ...] = (),
) -> Formula:
    """Return when the claim grants it to the principal; and one of `beyond` fails, if any."""
    stored = Stored(principal, state.principals[principal].attributes, grant.place.attributes)
    granted = conditions(grant.claim.constraints, stored)
    if len(beyond) == 0:
        return granted
    met = frozenset(granted.parts if isinstance(granted, AllOf) else (granted,))
    asked = (condition(one, stored) for one in beyond)
    return any_of(
        all_of((granted, negation(one))) for one in asked if not _is_entailed(one, by=met)
    )


def _is_entailed(formula: Formula, *, by: Iterable[Formula]) -> bool:
    return not isinstance(formula, COMPOUND) and any(
        not isinstance(one, COMPOUND) and entails(one, formula) for one in by
    )


def first_shown(cases: Iterable[Case], solver: Solver) -> Shown | Impossible | Undetermined:
    """Return the first of the cases that has a context, and one; or that none of them has any.

    First but for those that the solver is asked together.
    """
    seen: set[Formula] = {NEVER}
    waiting: list[Case] = []
    unknown: Undetermined | None = None
    for case in cases:
        if case.formula in seen:
            continue
        seen.add(case.formula)
        guessed = guess(case.formula)
        if guessed is not None:
            return Shown(case, solver.fitted(case.formula, guessed, case.span).context)
        # What is open stays open; only a guess can still show that the answer does not matter.
        if unknown is None:
            waiting.append(case)
        if len(waiting) == ASKED_TOGETHER_MAX:
            answer = _asked_together(waiting, solver)
            if isinstance(answer, Shown):
                return answer
            unknown = answer if isinstance(answer, Undetermined) else unknown
            waiting = []
    answer = _asked_together(waiting, solver)
    if isinstance(answer, Shown) or unknown is None:
        return answer
    return unknown


def _asked_together(cases: list[Case], solver: Solver) -> Shown | Impossible | Undetermined:
    if len(cases) == 0:
        return Impossible()
    answer = solver.solve(any_of(case.formula for case in cases), cases[0].span)
    if isinstance(answer, Impossible):
        return answer
    if isinstance(answer, Found):
        case = next(one for one in cases if true_in(one.formula, answer.context))
        return Shown(case, solver.fitted(case.formula, answer.context, case.span).context)
    return answer if len(cases) == 1 else _asked_alone(cases, solver)


def _asked_alone(cases: list[Case], solver: Solver) -> Shown | Impossible | Undetermined:
    """Return what the solver says of one case after the other, until too many stay open."""
    unknown: list[Undetermined] = []
    for case in cases:
        answer = solver.solve(case.formula, case.span)
        if isinstance(answer, Found):
            return Shown(case, answer.context)
        if isinstance(answer, Undetermined):
            unknown.append(answer)
        if len(unknown) == GIVEN_UP_MAX:
            break
    return Impossible() if len(unknown) == 0 else unknown[0]
