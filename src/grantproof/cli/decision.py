"""May this principal do this action on this resource? `evaluate` answers, `explain` says why.

The operator is trusted with the context: what is not supplied comes from the clock, and usage and
rate come from the meter. Nothing is counted, but by `consume`.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.operator import Operator
from grantproof.cli.options import PrincipalArgument

if TYPE_CHECKING:
    from grantproof.core.matching import Request
    from grantproof.service.pip import Supplied

Action = Annotated[str, typer.Argument(metavar="ACTION", help="What it wants to do.")]
Resource = Annotated[str, typer.Argument(metavar="RESOURCE", help="On which resource.")]
Hour = Annotated[int | None, typer.Option("--hour", metavar="H", help="The local hour, 0 to 23.")]
Weekday = Annotated[
    str | None, typer.Option("--weekday", metavar="DAY", help="mon to sun, or 0 to 6.")
]
Region = Annotated[
    str | None, typer.Option("--region", metavar="REGION", help="Where the request comes from.")
]
Position = Annotated[
    str | None,
    typer.Option("--position", metavar="LAT,LON", help="Its place in degrees: 48.8566,2.3522."),
]
Usage = Annotated[
    int | None, typer.Option("--usage", metavar="N", help="The usage so far, of every claim.")
]
Rate = Annotated[
    int | None, typer.Option("--rate", metavar="N", help="The requests of this minute so far.")
]
ContextAttributes = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        "-a",
        metavar="NAME=VALUE",
        help='What `context.NAME` is; true, 7, \'["a","b"]\' or a string. Repeatable.',
    ),
]
ActiveRoles = Annotated[
    list[str] | None,
    typer.Option("--active-role", metavar="ROLE", help="A role of the session. Repeatable."),
]
Kind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="The kind of the resource.")
]


def evaluate(
    operator: Operator,
    principal: PrincipalArgument,
    action: Action,
    *,
    resource: Resource,
    hour: Hour = None,
    weekday: Weekday = None,
    region: Region = None,
    position: Position = None,
    usage: Usage = None,
    rate: Rate = None,
    attribute: ContextAttributes = None,
    active_role: ActiveRoles = None,
    kind: Kind = None,
) -> None:
    """Decide a request: exit code 0 for Allow, 1 for Deny."""
    from grantproof.cli.answers import tell_answer
    from grantproof.service.pdp import MeterUnread

    request = _request(principal, action, resource=resource, kind=kind, active=active_role)
    supplied = _supplied(
        hour=hour,
        weekday=weekday,
        region=region,
        position=position,
        usage=usage,
        rate=rate,
        attributes=attribute,
    )
    decisions, snapshots = operator.services.decisions, operator.services.snapshots
    instant = decisions.instant()
    index = snapshots.load(operator.organization)
    if index is None:
        answer, certificate = decisions.absent(instant), None
    else:
        try:
            answer = decisions.decide(index, request, supplied, instant=instant)
        except MeterUnread:
            operator.read_meter()
            answer = decisions.decide(index, request, supplied, instant=instant)
        certificate = decisions.certify(index.state, request, supplied, answer=answer)
    tell_answer(answer, certificate, json=operator.json)
    if not answer.allowed:
        raise typer.Exit(ExitCode.NO)


def consume(
    operator: Operator,
    principal: PrincipalArgument,
    action: Action,
    *,
    resource: Resource,
    hour: Hour = None,
    weekday: Weekday = None,
    region: Region = None,
    position: Position = None,
    attribute: ContextAttributes = None,
    active_role: ActiveRoles = None,
    kind: Kind = None,
) -> None:
    """Decide a request and count it: exit code 0 for Allow, 1 for Deny, which counts nothing."""
    from grantproof.cli.answers import tell_answer
    from grantproof.service.pap import Contended

    request = _request(principal, action, resource=resource, kind=kind, active=active_role)
    supplied = _supplied(
        hour=hour,
        weekday=weekday,
        region=region,
        position=position,
        usage=None,
        rate=None,
        attributes=attribute,
    )
    consumption = operator.services.consumption
    consumed = consumption.consume(operator.organization, request, supplied)
    if isinstance(consumed, Contended):
        line = f"lost {consumed.attempts} races, nothing was counted: try again"
        raise Stop(ExitCode.UNDETERMINED, line)
    certificate = consumption.certify(consumed, request, supplied)
    tell_answer(consumed.answer, certificate, json=operator.json)
    if not consumed.answer.allowed:
        raise typer.Exit(ExitCode.NO)


def explain(
    operator: Operator,
    principal: PrincipalArgument,
    action: Action,
    *,
    resource: Resource,
    hour: Hour = None,
    weekday: Weekday = None,
    region: Region = None,
    position: Position = None,
    usage: Usage = None,
    rate: Rate = None,
    attribute: ContextAttributes = None,
    active_role: ActiveRoles = None,
    kind: Kind = None,
) -> None:
    """Say why a request is allowed or denied.

    Shows every claim on the action and the resource, and what its constraints saw.
    """
    from grantproof.cli.answers import tell_explanation
    from grantproof.service import review
    from grantproof.service.pip import situate

    request = _request(principal, action, resource=resource, kind=kind, active=active_role)
    supplied = _supplied(
        hour=hour,
        weekday=weekday,
        region=region,
        position=position,
        usage=usage,
        rate=rate,
        attributes=attribute,
    )
    state = operator.state
    context = situate(operator.services.decisions.instant(), state.time_zone, supplied)
    readings = operator.read_meter().of(request.principal)
    explanation = review.explain(state, request, context, readings=readings)
    tell_explanation(
        explanation,
        revision=state.revision,
        decided_at=context.instant,
        json=operator.json,
    )


def _request(
    principal: str, action: str, *, resource: str, kind: str | None, active: list[str] | None
) -> "Request":
    from grantproof.core import identifiers
    from grantproof.core.matching import Request

    return Request(
        identifiers.PrincipalId(principal),
        identifiers.Action(action),
        identifiers.ResourceId(resource),
        kind if kind is None or kind in identifiers.IMPLICIT_KINDS else identifiers.Kind(kind),
        frozenset(map(identifiers.RoleId, active)) if active else None,
    )


def _supplied(
    *,
    hour: int | None,
    weekday: str | None,
    region: str | None,
    position: str | None,
    usage: int | None,
    rate: int | None,
    attributes: list[str] | None,
) -> "Supplied":
    from grantproof.cli import values
    from grantproof.core import identifiers
    from grantproof.core.limits import INSTANT_MIN
    from grantproof.service.pip import Supplied, situate

    supplied = Supplied(
        region=None if region is None else identifiers.Region(region),
        position=None if position is None else values.position(position),
        attributes=values.typed_attributes(attributes or []),
        hour=hour,
        weekday=None if weekday is None else values.weekday(weekday),
        usage=usage,
        rate=rate,
    )
    # The core judges it here, so that a bad hour is one whatever there is to decide.
    situate(INSTANT_MIN, "UTC", supplied)
    return supplied
