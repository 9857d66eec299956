"""May this principal do this action on this resource? `evaluate` answers, `explain` says why.

The operator is trusted with the context: what is not supplied comes from the clock, and usage and
rate come from the meter. Nothing is counted, but by `consume`.
"""

import typer

from grantproof.cli.asked import AskedInSession, Circumstances, Uncounted
from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.operator import Operator


def evaluate(operator: Operator, *, asked: AskedInSession, circumstances: Circumstances) -> None:
    """Decide a request: exit code 0 for Allow, 1 for Deny."""
    from grantproof.cli.answers import tell_answer
    from grantproof.service.entering import entered
    from grantproof.service.pdp import MeterUnread

    asking, supplied = asked.asking(operator), circumstances.supplied()
    decisions, snapshots = operator.services.decisions, operator.services.snapshots
    instant = decisions.instant()
    index = snapshots.load(operator.organization)
    if index is None:
        answer, certificate = decisions.absent(instant), None
    else:
        own = entered(asking, instant)
        try:
            answer = decisions.decide_entered(index, own, supplied, instant=instant)
        except MeterUnread:
            operator.read_meter()
            answer = decisions.decide_entered(index, own, supplied, instant=instant)
        certificate = decisions.certify(index.state, own.request, supplied, answer=answer)
    tell_answer(answer, certificate, json=operator.json)
    if not answer.allowed:
        raise typer.Exit(ExitCode.NO)


def consume(operator: Operator, *, asked: AskedInSession, circumstances: Uncounted) -> None:
    """Decide a request and count it: exit code 0 for Allow, 1 for Deny, which counts nothing."""
    from grantproof.cli.answers import tell_answer
    from grantproof.service.pap import Contended

    asking, supplied = asked.asking(operator), circumstances.supplied()
    consumption = operator.services.consumption
    consumed = consumption.consume(operator.organization, asking, supplied)
    if isinstance(consumed, Contended):
        line = f"lost {consumed.attempts} races, nothing was counted: try again"
        raise Stop(ExitCode.UNDETERMINED, line)
    certificate = consumption.certify(consumed, supplied)
    tell_answer(consumed.answer, certificate, json=operator.json)
    if not consumed.answer.allowed:
        raise typer.Exit(ExitCode.NO)


def explain(operator: Operator, *, asked: AskedInSession, circumstances: Circumstances) -> None:
    """Say why a request is allowed or denied.

    Shows every claim on the action and the resource, and what its constraints saw.
    """
    from grantproof.cli.answers import tell_explanation
    from grantproof.service import review
    from grantproof.service.entering import NO_SESSION, entered, is_for_session
    from grantproof.service.pip import situate

    asking, supplied = asked.asking(operator), circumstances.supplied()
    state = operator.state
    context = situate(operator.services.decisions.instant(), state.time_zone, supplied)
    own = entered(asking, context.instant)
    readings = operator.read_meter().of(own.request.principal)
    explanation = review.explain(state, own.request, context, readings=readings)
    reason = getattr(explanation.decision, "reason", None)
    tell_explanation(
        explanation,
        instead=NO_SESSION if is_for_session(reason, own) else None,
        revision=state.revision,
        decided_at=context.instant,
        json=operator.json,
    )
