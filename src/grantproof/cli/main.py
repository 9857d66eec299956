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

from grantproof.cli.command import before_the_command
from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.late import Late, LateGroup
from grantproof.cli.output import complain, ready_streams

PROGRAM: Final = "grantproof"
FIRST: Final = "name a command: `grantproof serve --demo` starts a service to try it with"

COMMANDS: Final = {
    "serve": Late("serve:serve", "Start the service."),
    "evaluate": Late("decision:evaluate", "Decide a request: exit code 0 for Allow, 1 for Deny."),
    "consume": Late(
        "decision:consume",
        "Decide a request and count it: exit code 0 for Allow, 1 for Deny, which counts nothing.",
    ),
    "explain": Late("decision:explain", "Say why a request is allowed or denied."),
    "reach": Late(
        "reach:reach",
        "Ask what some people can bring about: exit code 0 for out of reach, 1 for reachable.",
    ),
    "why": Late("decision:explain", "Say why a request is allowed or denied."),
    "what-if": Late(
        "decision:what_if",
        "Say what would be decided at another time or after a change, beside what is decided now.",
    ),
    "why-not": Late(
        "question:why_not",
        "Say why a request is denied and what would make it be allowed, the least first.",
    ),
    "who-can": Late(
        "question:who_can",
        "Say who is allowed an action, in any context, or in the one that options describe.",
    ),
    "what-can": Late(
        "question:what_can",
        "Say what a principal can do, in any context: each of its claims, and what it is good for.",
    ),
    "not-granted": Late(
        "question:not_granted",
        "Prove that nobody is ever allowed an access: exit code 0, or 1 with who is, and how.",
    ),
    "dead": Late(
        "question:dead",
        "List what is without effect, exit code 1 if anything: claims, roles and assignments.",
    ),
    "conflicts": Late(
        "question:conflicts",
        "List roles that nobody can hold or use for separation of duty, exit code 1 if any.",
    ),
    "assign": Late(
        "assignment:assign",
        "Let a principal, or every principal of a group, hold a role.",
    ),
    "revoke": Late(
        "assignment:revoke",
        "Take a directly assigned role from a principal or a group.",
    ),
    "import": Late(
        "transfer:import_",
        "Make an organization of a file, or of several that are read as one policy.",
    ),
    "export": Late("transfer:export", "Write an organization as a document that `import` reads."),
    "verify": Late(
        "verify:verify",
        "Verify a policy: check, tests, guardrails, what it grants;"
        " or without PATHS this checkout.",
    ),
    "org": Late("org:app", "Organizations: the tenants."),
    "principal": Late("principal:app", "Principals: people and service accounts."),
    "group": Late("group:app", "Groups of principals and of other groups."),
    "role": Late("role:app", "Roles, and what they inherit."),
    "kind": Late("kind:app", "Kinds of resources."),
    "resource": Late("resource:app", "Resources: what is protected."),
    "claim": Late("claim:app", "Claims: what a role may do."),
    "sod": Late("sod:app", "Separation-of-duty sets: what nobody may combine."),
    "session": Late(
        "session:app",
        "Sessions: the roles that a principal has chosen, kept for a while.",
    ),
    "guardrail": Late("guardrail:app", "Guardrails: what every change has to keep."),
    "usage": Late("usage:app", "Usage: what was counted of metered claims."),
    "policy": Late(
        "policy:app",
        "Policies as files: check, test, compare, format, convert, apply, import, export.",
    ),
    "assignments": Late("bulk:app", "Assignments, many at once."),
    "audit": Late("audit:app", "What happened, and whether it is still all there."),
    "db": Late("db:app", "The database."),
    "key": Late("key:app", "API keys."),
    "case": Late("case:app", "What a service found wrong with itself, and kept."),
    "review": Late(
        "review:app",
        "Access reviews, and the review functions of the RBAC standard (INCITS 359).",
    ),
}
"""Every command, in the order of the help, which tells what each is for without making it."""


class Program(LateGroup):
    """The program as typer makes it."""

    late = COMMANDS


app = typer.Typer(
    cls=Program,
    help="May this principal do this action on this resource, here and now? With proof.",
    epilog="Exit codes: 0 yes or done, 1 no or refused, 2 not understood, 3 undetermined.",
    add_completion=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback()(before_the_command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command that the arguments name, and exit with its code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    ready_streams()
    try:
        code = program().main(given or ["--help"], prog_name=PROGRAM, standalone_mode=False)
        if not given:
            complain(FIRST)
            sys.exit(ExitCode.USAGE)
    except TyperException as error:
        complain(in_our_words(error))
        sys.exit(error.exit_code)
    except typer.Abort:
        complain("stopped: nothing was changed")
        sys.exit(ExitCode.NO)
    except Stop as stop:
        for line in stop.lines:
            complain(line)
        sys.exit(stop.code)
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
    (re.compile(r"Input should be a valid number.*"), "must be a number"),
    (re.compile(r"Input should be a valid string, unable to parse.*"), "must be UTF-8"),
    (re.compile(r"Input should be greater than or equal to (\S+)"), r"must be at least \1"),
    (re.compile(r"Input should be less than or equal to (\S+)"), r"must be at most \1"),
    (re.compile(r"No such option: (\S+)"), r"no such option `\1`"),
    (re.compile(r" \(Possible options: (.*)\)"), r", did you mean \1"),
    (re.compile(r"\. Did you mean (.*)\?"), r", did you mean \1"),
    (re.compile(r"Got unexpected extra argument\(s\) \((.*)\)"), r"more than it takes: `\1`"),
    (re.compile(r"'([^']*)'"), r"`\1`"),
)
"""The messages of typer that do not read like ours, and how ours read."""
