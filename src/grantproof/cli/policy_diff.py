"""`policy diff`: what a policy allows that another does not, whatever the context and the time."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from grantproof.cli.exits import ExitCode, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import Table, complain, tell, tell_json, tell_table, tell_text
from grantproof.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grantproof.analysis.findings import Change, Count, Difference, Scope, Unsettled
    from grantproof.core.constraints import Context

SHOWN: Final = 20
MEMBERS_SHOWN: Final = 10
SIDE: Final = "A policy file, - for the standard input, org:ID, or org:ID@REVISION."

Old = Annotated[str, typer.Argument(metavar="OLD", help=SIDE)]
New = Annotated[str, typer.Argument(metavar="NEW", help="The same, to compare with OLD.")]
Limit = Annotated[
    int, typer.Option("--limit", min=1, metavar="N", help="Show at most N gains and N losses.")
]
All = Annotated[bool, typer.Option("--all", help="Show everything, with --json every principal.")]
AsMarkdown = Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a comment.")]
NoNewAccess = Annotated[
    bool, typer.Option("--no-new-access", help="Only ask whether anything is gained.")
]


def diff(
    operator: Operator,
    old: Old,
    new: New,
    *,
    limit: Limit = SHOWN,
    everything: All = False,
    markdown: AsMarkdown = False,
    no_new_access: NoNewAccess = False,
) -> None:
    """Say who gains and who loses which access, each with a context that shows it.

    Exit code 0: both allow the same, or with --no-new-access nothing is gained. 1: they differ, or
    something is gained. 3: it could not be determined.
    """
    from grantproof.adapters.clock import SystemClock
    from grantproof.analysis.difference import difference
    from grantproof.analysis.solving import Solver
    from grantproof.cli.policy_sides import side, zones_line
    from grantproof.service.difference_text import markdown as written

    if markdown and operator.json:
        raise usage("--markdown and --json are two forms of one answer: choose one")
    if old == new == "-":
        raise usage("the standard input can only be one side")
    with progress() as bar:
        bar.begin("reading")
        before, after = side(operator, old), side(operator, new)
        bar.begin("comparing")
        found = difference(
            before.state,
            after.state,
            Solver(calendar=partial(_clock, after.state.time_zone)),
            now=SystemClock().now(),
            limit=None if everything else limit,
        )
    zones = zones_line(before, after)
    if zones is not None:
        complain(zones)
    if operator.json:
        tell_json(document(found, everything=everything))
    elif markdown:
        tell_text(written(found, old=before.name, new=after.name))
    else:
        _tell(found)
    code = _gained(found) if no_new_access else _differs(found)
    if code is not ExitCode.OK:
        raise typer.Exit(code)


def _clock(time_zone: str, instant: int) -> tuple[int, int, int]:
    from grantproof.service.pip import local_time

    local = local_time(instant, time_zone)
    return local.hour, local.weekday, local.year


def _tell(found: "Difference") -> None:
    from grantproof.service.difference_text import headline, unsettled_line

    tell(headline(found))
    for word, changes, count in (
        ("gains", found.gains, found.gained),
        ("loses", found.losses, found.lost),
    ):
        if len(changes) > 0:
            tell()
            tell_table(Table((word, "action", "resource", "example", "because"), _rows(changes)))
        if count.classes > len(changes):
            tell(f"and {count.classes - len(changes):,} more: see --all or --limit")
    for one in found.undetermined:
        tell(unsettled_line(one))


def _rows(changes: "Iterable[Change]") -> list[list[str]]:
    from grantproof.service.difference_text import because, circumstances, may, where, who

    return [
        [
            who(change.scope),
            may(change.scope.actions),
            where(change.scope.subjects),
            f"{change.scope.example.principal} at {circumstances(change.context)}",
            because(change),
        ]
        for change in changes
    ]


def _differs(found: "Difference") -> ExitCode:
    from grantproof.analysis.findings import Verdict

    match found.verdict:
        case Verdict.EQUAL:
            return ExitCode.OK
        case Verdict.UNDETERMINED:
            return ExitCode.UNDETERMINED
        case _:
            return ExitCode.NO


def _gained(found: "Difference") -> ExitCode:
    from grantproof.analysis.findings import Direction

    if found.gained.classes > 0:
        return ExitCode.NO
    unknown = any(one.direction is Direction.GAIN for one in found.undetermined)
    return ExitCode.UNDETERMINED if unknown else ExitCode.OK


def document(found: "Difference", *, everything: bool) -> dict[str, Any]:
    """Return the difference for programs; with `everything` every principal and resource."""
    return {
        "verdict": found.verdict.value,
        "gained": _count(found.gained),
        "lost": _count(found.lost),
        "gains": [_change(change, everything=everything) for change in found.gains],
        "losses": [_change(change, everything=everything) for change in found.losses],
        "undetermined": [_unsettled(one, everything=everything) for one in found.undetermined],
    }


def _count(count: "Count") -> dict[str, int]:
    return {"classes": count.classes, "requests": count.requests}


def _change(change: "Change", *, everything: bool) -> dict[str, Any]:
    from grantproof.core.messages import reason_message
    from grantproof.policyfile.answers import CODES, Certificate

    return {
        **_scope(change.scope, everything=everything),
        "context": _context(change.context),
        "certificate": Certificate.of(change.certificate).model_dump(mode="json", by_alias=True),
        "reason": reason_message(change.reason),
        "reason_code": CODES[type(change.reason)],
    }


def _unsettled(one: "Unsettled", *, everything: bool) -> dict[str, Any]:
    scope = _scope(one.scope, everything=everything)
    return {"direction": one.direction.value, **scope, "why": one.why}


def _scope(scope: "Scope", *, everything: bool) -> dict[str, Any]:
    """Return whose requests these are: the first of them, and with --all every one."""
    from itertools import islice

    most = None if everything else MEMBERS_SHOWN
    example = scope.example
    return {
        "principal_count": len(scope.principals),
        "principals": list(islice(scope.principals, most)),
        "actions": list(scope.actions.named),
        "other_actions": scope.actions.other is not None,
        "resource_count": len(scope.subjects),
        "resources": [
            {
                "resource_id": subject.resource if subject.registered else None,
                "resource_kind": subject.kind,
            }
            for subject in scope.subjects[:most]
        ],
        "example": {
            "principal_id": example.principal,
            "action": example.action,
            "resource_id": example.resource,
            "resource_kind": example.kind,
        },
    }


def _context(context: "Context") -> dict[str, Any]:
    from grantproof.core.geodesy import degrees
    from grantproof.policyfile.value_fields import write_attributes

    return {
        "instant": context.instant,
        "hour": context.hour,
        "weekday": context.weekday,
        "year": context.year,
        "region": context.region,
        "position": None if context.position is None else degrees(context.position),
        "usage": context.usage,
        "rate": context.rate,
        "attributes": write_attributes(context.attributes),
        "action_properties": write_attributes(context.action_properties),
    }
