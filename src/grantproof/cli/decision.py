"""May this principal do this action on this resource? `evaluate` answers, `explain` says why.

The operator is trusted with the context: what is not supplied comes from the clock, and usage and
rate come from the meter. Nothing is counted, but by `consume`.
"""

import typer

from grantproof.cli.asked import AskedInSession, AskedRequest, Circumstances, Supposed, Uncounted
from grantproof.cli.exits import ExitCode
from grantproof.cli.operator import Operator


def evaluate(operator: Operator, *, asked: AskedInSession, circumstances: Circumstances) -> None:
    """Decide a request: exit code 0 for Allow, 1 for Deny."""
    from grantproof.cli.answers import ALLOW, tell_answer

    answer = operator.evaluate(asked.request(), circumstances.supplied(), session=asked.stored())
    tell_answer(answer, json=operator.json)
    if answer["decision"] != ALLOW:
        raise typer.Exit(ExitCode.NO)


def consume(operator: Operator, *, asked: AskedInSession, circumstances: Uncounted) -> None:
    """Decide a request and count it: exit code 0 for Allow, 1 for Deny, which counts nothing."""
    from grantproof.cli.answers import ALLOW, tell_answer

    answer = operator.consume(asked.request(), circumstances.supplied(), session=asked.stored())
    tell_answer(answer, json=operator.json)
    if answer["decision"] != ALLOW:
        raise typer.Exit(ExitCode.NO)


def explain(operator: Operator, *, asked: AskedInSession, circumstances: Circumstances) -> None:
    """Say why a request is allowed or denied.

    Shows every claim on the action and the resource, and what its constraints saw.
    """
    from grantproof.cli.answers import tell_explanation

    explanation = operator.explain(
        asked.request(), circumstances.supplied(), session=asked.stored()
    )
    tell_explanation(explanation, json=operator.json)


def what_if(operator: Operator, *, asked: AskedRequest, supposed: Supposed) -> None:
    """Say what would be decided at another time or after a change, beside what is decided now.

    Region, position and attributes are what the request says now and then; everything else is
    supposed. Nothing is changed or counted. Exit code 0 if it would be allowed, 1 for denied.
    """
    from grantproof.cli.answers import ALLOW, tell_what_if

    request, said = asked.request(), supposed.said()
    supposition, commands = supposed.supposition(), supposed.commands()
    answer = operator.what_if(request, said, supposition, commands=commands)
    tell_what_if(answer, json=operator.json)
    if answer["after"]["decision"] != ALLOW:
        raise typer.Exit(ExitCode.NO)
