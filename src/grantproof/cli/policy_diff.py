"""`policy diff`: what a policy allows that another does not, whatever the context and the time."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from grantproof.cli.difference import SHOWN, compared, tell_difference
from grantproof.cli.exits import ExitCode, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import complain, tell_json, tell_text
from grantproof.cli.progress import progress

if TYPE_CHECKING:
    from grantproof.analysis.findings import Difference

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
    from grantproof.cli.policy_sides import side, zones_line
    from grantproof.service.difference_documents import difference_document
    from grantproof.service.difference_text import markdown as written

    if markdown and operator.json:
        raise usage("--markdown and --json are two forms of one answer: choose one")
    if old == new == "-":
        raise usage("the standard input can only be one side")
    with progress() as bar:
        bar.begin("reading")
        before, after = side(operator, old), side(operator, new)
        bar.begin("comparing")
        now, most = SystemClock().now(), None if everything else limit
        found = compared(before.state, after.state, now=now, limit=most)
    zones = zones_line(before, after)
    if zones is not None:
        complain(zones)
    if operator.json:
        tell_json(difference_document(found, everything=everything))
    elif markdown:
        tell_text(written(found, old=before.name, new=after.name))
    else:
        tell_difference(found)
    code = _gained(found) if no_new_access else _differs(found)
    if code is not ExitCode.OK:
        raise typer.Exit(code)


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
