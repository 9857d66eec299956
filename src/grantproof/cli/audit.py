"""The audit: is the history whole, what is in it, and who is to be forgotten."""

import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import ExitCode, Stop, absent, usage
from grantproof.cli.findings import fault_line
from grantproof.cli.operator import Operator
from grantproof.cli.options import Yes
from grantproof.cli.output import complain, tell, tell_json, tell_text

if TYPE_CHECKING:
    from grantproof.service.audit import Verdict
    from grantproof.service.history import Entry

FOLLOW_SECONDS: Final = 0.5

app = group("What happened, and whether it is still all there.")

CheckpointFile = Annotated[
    str | None,
    typer.Option("--checkpoint", metavar="FILE", help="What an earlier `checkpoint` printed."),
]
PublicKey = Annotated[
    str | None,
    typer.Option("--public-key", metavar="HEX", help="Whose checkpoints are believed."),
]
ShowKey = Annotated[
    bool, typer.Option("--public-key", help="Print the key that checks the signatures.")
]
Last = Annotated[int, typer.Option("-n", min=0, metavar="COUNT", help="How many of the last.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens next.")]
Format = Annotated[Literal["jsonl", "csv"], typer.Option("--format", help="How it is written.")]
After = Annotated[int, typer.Option("--after", metavar="REVISION", help="Only what came after.")]
Since = Annotated[str | None, typer.Option("--since", metavar="MOMENT", help="Only from then on.")]
Until = Annotated[str | None, typer.Option("--until", metavar="MOMENT", help="Only before.")]
ActorFilter = Annotated[
    str | None, typer.Option("--actor", metavar="NAME", help="Only what this actor did.")
]
Actor = Annotated[
    str | None, typer.Option("--actor", metavar="NAME", help="All events of this actor.")
]
Revision = Annotated[
    int | None, typer.Option("--revision", min=0, metavar="N", help="The event of this revision.")
]


@command(app)
def verify(
    operator: Operator, *, checkpoint: CheckpointFile = None, public_key: PublicKey = None
) -> None:
    """Verify the chain of events: exit code 1 when something was changed, removed or added.

    Without --org every organization's, deleted ones included.
    """
    from grantproof.cli.checkpoints import read_checkpoints

    audit = operator.audit
    marks = {} if checkpoint is None else read_checkpoints(checkpoint, audit, key=public_key)
    known, named = audit.organizations(), operator.named_organization
    if named is not None and named not in {*known, *marks}:
        raise absent("organization", named)
    names = sorted({*known, *marks}) if named is None else [named]
    verdicts = [audit.verify(name, checkpoint=marks.get(name)) for name in names]
    if operator.json:
        tell_json([_verdict_document(verdict) for verdict in verdicts])
    for verdict in verdicts:
        for fault in verdict.faults:
            complain(fault_line(verdict.organization, fault))
        if not verdict.faults and not operator.json:
            tell(_verdict_line(verdict, compared=verdict.organization in marks))
    if any(verdict.faults for verdict in verdicts):
        raise typer.Exit(ExitCode.NO)


@command(app)
def checkpoint(operator: Operator, *, public_key: ShowKey = False) -> None:
    """Print how far each chain is now, signed: a line of JSON for each organization.

    Keep it where whoever can write the database cannot: only against it is a rollback seen.
    """
    from grantproof.cli.checkpoints import written
    from grantproof.service.audit_chain import Checkpoint

    audit, named = operator.audit, operator.named_organization
    if public_key:
        tell(audit.signer.public_key)
        return
    names = audit.organizations()
    if named is not None and named not in names:
        raise absent("organization", named)
    lines = []
    for name in names if named is None else (named,):
        mark = audit.checkpoint(name)
        if not isinstance(mark, Checkpoint):
            raise Stop(ExitCode.NO, fault_line(name, mark.faults[0]))
        lines.append(written(mark, audit.signer))
    tell_text("".join(lines))


@command(app)
def tail(operator: Operator, *, last: Last = 10, follow: Follow = False) -> None:
    """Print the last events, and with --follow each that happens from now on."""
    from grantproof.service.history import EVERYTHING

    name = operator.organization
    latest = operator.latest_event(name)
    if latest is None:
        raise absent("organization", name)
    query = replace(EVERYTHING, after=latest - last)
    pause = threading.Event()
    try:
        while True:
            for entry in operator.events(name, query):
                _tell_entry(operator, entry)
                query = replace(query, after=entry.revision)
            if not follow:
                return
            sys.stdout.flush()
            pause.wait(FOLLOW_SECONDS)
    except KeyboardInterrupt:
        return


@command(app)
def export(
    operator: Operator,
    *,
    form: Format = "jsonl",
    after: After = -1,
    since: Since = None,
    until: Until = None,
    actor: ActorFilter = None,
) -> None:
    """Write the events, oldest first, as they are read."""
    from grantproof.cli.exported import csv_rows, jsonl_lines
    from grantproof.cli.values import moment
    from grantproof.service.history import EventQuery

    name = operator.organization
    if operator.latest_event(name) is None:
        raise absent("organization", name)
    query = EventQuery(after, actor, moment("--since", since), moment("--until", until))
    entries = operator.events(name, query)
    written = csv_rows if form == "csv" else jsonl_lines
    for line in written(entries, sealed=operator.has_seals):
        tell_text(line)


@command(app)
def erase(
    operator: Operator, *, actor: Actor = None, revision: Revision = None, yes: Yes = False
) -> None:
    """Erase who made events, and why: the events stay, and the chain stays whole."""
    if (actor is None) == (revision is None):
        raise usage("say whose events with --actor, or which one with --revision")
    name, chain = operator.organization, operator.audit
    if operator.latest_event(name) is None:
        raise absent("organization", name)
    whose = f"of `{actor}`" if revision is None else f"of event {revision}"
    if not yes:
        _confirm(f"erase the author {whose} in `{name}` for good?")
    count = chain.erase(name, actor=actor, revision=revision)
    if operator.json:
        tell_json({"outcome": "erased", "organization": name, "events": count})
    else:
        tell(f"erased who made {count} events ({name})")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise usage("nobody is there to ask: say --yes")
    typer.confirm(question, abort=True)


def _tell_entry(operator: Operator, entry: "Entry") -> None:
    from grantproof.cli.exported import entry_line, jsonl_lines

    if operator.json:
        tell_text(next(jsonl_lines(iter([entry]), sealed=operator.has_seals)))
    else:
        tell(entry_line(entry))


def _verdict_line(verdict: "Verdict", *, compared: bool) -> str:
    told = [f"organization `{verdict.organization}`: {verdict.length} events, the chain is whole"]
    if compared:
        told.append("and extends the checkpoint")
    if verdict.adopted is not None:
        told.append(f"(events up to {verdict.adopted} were sealed later than they were made)")
    if verdict.erased:
        told.append(f"({verdict.erased} without author, erased)")
    return " ".join(told)


def _verdict_document(verdict: "Verdict") -> dict[str, object]:
    return {
        "organization": verdict.organization,
        "outcome": "tampered" if verdict.faults else "whole",
        "length": verdict.length,
        "head": verdict.head,
        "adopted_until": verdict.adopted,
        "erased": verdict.erased,
        "faults": [{"revision": fault.revision, "what": fault.what} for fault in verdict.faults],
    }
