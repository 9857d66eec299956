"""The program `grantproof`: every command, and what becomes of one that is not understood.

Modules of this package import nothing heavy before a command runs, so that `--help` is quick.
"""

import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import Final, NoReturn, cast

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from grantproof.cli import (
    access_review,
    assignment,
    audit,
    bulk,
    case,
    claim,
    db,
    decision,
    duty_report,
    group,
    guardrail,
    key,
    kind,
    org,
    people,
    policy,
    principal,
    question,
    reach,
    resource,
    review,
    role,
    serve,
    session,
    sod,
    transfer,
    usage,
    verify,
)
from grantproof.cli.command import before_the_command, command
from grantproof.cli.exits import ExitCode
from grantproof.cli.output import complain

PROGRAM: Final = "grantproof"

app = typer.Typer(
    help="May this principal do this action on this resource, here and now? With proof.",
    epilog="Exit codes: 0 yes or done, 1 no or refused, 2 not understood, 3 undetermined.",
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback()(before_the_command)

command(app)(serve.serve)
command(app)(decision.evaluate)
command(app)(decision.consume)
command(app)(decision.explain)
command(app)(reach.reach)
command(app, "why")(decision.explain)
command(app)(decision.what_if)
command(app)(question.why_not)
command(app)(question.who_can)
command(app)(question.what_can)
command(app)(question.not_granted)
command(app)(question.dead)
command(app)(question.conflicts)
command(app)(assignment.assign)
command(app)(assignment.revoke)
command(review.app)(access_review.access)
command(review.app)(access_review.export)
command(review.app)(access_review.apply)
command(review.app)(access_review.expiring)
command(sod.app)(duty_report.report)
command(principal.app)(people.join)
command(principal.app)(people.move)
command(principal.app)(people.leave)
GROUPS: Final = {
    "org": org.app,
    "principal": principal.app,
    "group": group.app,
    "role": role.app,
    "kind": kind.app,
    "resource": resource.app,
    "claim": claim.app,
    "sod": sod.app,
    "session": session.app,
    "guardrail": guardrail.app,
    "usage": usage.app,
    "policy": policy.app,
}
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)
app.add_typer(bulk.app, name="assignments")
command(app, "import")(transfer.import_)
command(app)(transfer.export)
app.add_typer(audit.app, name="audit")
app.add_typer(db.app, name="db")
app.add_typer(key.app, name="key")
app.add_typer(case.app, name="case")
app.add_typer(review.app, name="review")
command(app)(verify.verify)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command that the arguments name, and exit with its code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = program().main(given or ["--help"], prog_name=PROGRAM, standalone_mode=False)
    except TyperException as error:
        complain(in_our_words(error))
        sys.exit(error.exit_code)
    except typer.Abort:
        complain("stopped: nothing was changed")
        sys.exit(ExitCode.NO)
    sys.exit(code if isinstance(code, int) else ExitCode.OK)


@cache
def program() -> TyperGroup:
    """Return the program, put together once."""
    return cast(TyperGroup, typer.main.get_command(app))


def in_our_words(error: TyperException) -> str:
    """Return what typer found wrong with a command line as every other message is written."""
    message = error.format_message().partition("\n")[0].rstrip(".")
    for theirs, ours in WORDS:
        message = theirs.sub(ours, message)
    context = getattr(error, "ctx", None)
    path = PROGRAM if context is None else context.command_path
    return f"{message[:1].lower()}{message[1:]}: see `{path} --help`"


WORDS: Final = (
    (re.compile(r"Invalid value for '([^']*)': (Value error, )?"), r"\1: "),
    (re.compile(r"Input should be a valid integer.*"), "must be a whole number"),
    (re.compile(r"No such option: (\S+)"), r"no such option `\1`"),
    (re.compile(r" \(Possible options: (.*)\)"), r", did you mean \1"),
    (re.compile(r"\. Did you mean (.*)\?"), r", did you mean \1"),
    (re.compile(r"Got unexpected extra argument\(s\) \((.*)\)"), r"more than it takes: `\1`"),
    (re.compile(r"'([^']*)'"), r"`\1`"),
)
"""The messages of typer that do not read like ours, and how ours read."""
