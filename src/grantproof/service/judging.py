"""What is done apart for a change of an organization that has guardrails.

Importing this loads the solver: whoever has no guardrail does without both.
"""

from collections.abc import Iterable

from grantproof.analysis.guarding import judge_change, skips
from grantproof.analysis.solving import Solver
from grantproof.analysis.verdicts import Holds, Violated
from grantproof.core.commands import Accepted
from grantproof.core.guardrails import Guardrail
from grantproof.core.identifiers import GuardrailId
from grantproof.core.organization import Organization
from grantproof.service.counterexamples import counterexample_message, write_counterexample
from grantproof.service.guarding import Broken, Unjudged
from grantproof.service.pip import calendar


def doubtful(before: Organization, change: Accepted) -> tuple[Guardrail, ...]:
    """Return the guardrails that the change could break, in the order of their ids."""
    delta, new = change.event.delta, _new(change)
    return tuple(
        guardrail
        for name, guardrail in sorted(change.state.guardrails.items())
        if name in new or not skips(delta, guardrail, before)
    )


def first_refusal(
    before: Organization, change: Accepted, guardrails: Iterable[Guardrail]
) -> Broken | Unjudged | None:
    """Return the first of the guardrails that is broken, else the first of which it is unknown."""
    verdicts = judge_change(
        before,
        change.state,
        change.event.delta,
        guardrails=guardrails,
        solver=Solver(calendar=calendar(before.time_zone)),
        now=change.event.instant,
        new=_new(change),
    )
    unjudged: Unjudged | None = None
    for name, verdict in verdicts.items():
        if isinstance(verdict, Violated):
            found = verdict.counterexample
            return Broken(name, counterexample_message(found), write_counterexample(found))
        if not isinstance(verdict, Holds) and unjudged is None:
            unjudged = Unjudged(name, verdict.why)
    return unjudged


def _new(change: Accepted) -> frozenset[GuardrailId]:
    return frozenset(fact.id for fact in change.event.delta.added if isinstance(fact, Guardrail))
