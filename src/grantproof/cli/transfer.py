"""Whole organizations as files: `import` and `export`.

An import is one change of an empty organization: all of the file, or nothing. It is tried on paper
first, so that a file that is refused does not even leave an empty organization behind.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import tell_text
from grantproof.cli.progress import Progress, progress

if TYPE_CHECKING:
    from grantproof.core.commands.language import SingleCommand
    from grantproof.core.errors import Refusal
    from grantproof.core.organization import Organization
    from grantproof.policyfile.faults import Location
    from grantproof.policyfile.organization_document import OrganizationDocument
    from grantproof.policyfile.source import Place

    Steps = list[tuple[Location, SingleCommand]]

STANDARD_INPUT: Final = "-"
STEPS_AT_ONCE: Final = 1_000
"""So many are tried between two movements of the progress bar."""

File = Annotated[
    str, typer.Argument(metavar="FILE", help="A YAML or JSON document; - is the standard input.")
]
Exported = Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")]
Format = Annotated[Literal["yaml", "json"], typer.Option("--format", help="How it is written.")]


def import_(operator: Operator, file: File) -> None:
    """Make an organization of a file.

    It gets the name that stands in the file, or the one that --org gives; all of it, or nothing.
    """
    from grantproof.policyfile.organization_document import steps

    with progress() as bar:
        text = text_of(file)
        document = _document(text, file, name=operator.named_organization)
        empty, exists = _target(operator, document)
        wanted = list(steps(document))
        _try(
            empty, wanted, bar, text=text, file=file, instant=operator.services.decisions.instant()
        )
        bar.begin("writing")
        if not exists:
            _found(operator, document)
    done = f"imported organization `{document.id}`"
    if wanted:
        operator.propose_to(document.id, *(command for _, command in wanted), done=done)
    else:
        operator.tell_done(done, document.id, revision=0)


def export(operator: Operator, organization: Exported, *, form: Format = "yaml") -> None:
    """Write an organization as a document that `import` reads."""
    from grantproof.policyfile.organization_document import from_organization
    from grantproof.policyfile.policy_text import write_json, write_yaml

    document = from_organization(operator.state_of(organization))
    as_json = operator.json or form == "json"
    tell_text(write_json(document) if as_json else write_yaml(document))


def text_of(file: str) -> str:
    """Return what a file, or for a dash the standard input, holds; raises `Stop`."""
    try:
        content = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        why = (error.strerror or "it cannot be read").lower()
        raise usage(f"the file `{file}` cannot be read: {why}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise usage(f"{file}:{line}:1: not UTF-8") from None


def _document(text: str, file: str, *, name: str | None) -> "OrganizationDocument":
    """Return what the text describes, under another name where one is given."""
    from grantproof.core.identifiers import OrganizationId
    from grantproof.policyfile.organization_document import OrganizationDocument
    from grantproof.policyfile.policy_text import read_organization
    from grantproof.service.pip import check_time_zone

    read = read_organization(text)
    if not isinstance(read, OrganizationDocument):
        raise Stop(ExitCode.USAGE, *(problem.in_file(file) for problem in read))
    check_time_zone(read.time_zone)
    return read if name is None else read.model_copy(update={"id": OrganizationId(name)})


def _target(operator: Operator, document: "OrganizationDocument") -> "tuple[Organization, bool]":
    """Return the empty organization to fill, and whether it exists; raises `Stop` if not empty."""
    from grantproof.core.organization import facts

    index = operator.opened(create=True).snapshots.load(document.id)
    if index is None:
        return document.empty(), False
    state = index.state
    if next(facts(state), None) is not None:
        line = f"organization `{state.id}` is not empty: name a new one with --org"
        raise Stop(ExitCode.NO, line)
    if state.time_zone != document.time_zone:
        raise Stop(
            ExitCode.NO,
            f"organization `{state.id}` keeps the time of `{state.time_zone}`,"
            f" the file that of `{document.time_zone}`: name a new one with --org",
        )
    return state, True


def _try(
    state: "Organization", wanted: "Steps", bar: Progress, *, text: str, file: str, instant: int
) -> None:
    """Raise `Stop` that names the line at fault if one of the steps would be refused."""
    from grantproof.core.commands import Rejected, apply
    from grantproof.core.commands.language import ChangeSet

    bar.begin("checking", len(wanted))
    for start in range(0, len(wanted), STEPS_AT_ONCE):
        some = tuple(command for _, command in wanted[start : start + STEPS_AT_ONCE])
        outcome = apply(state, ChangeSet(some), actor="import", instant=instant)
        if isinstance(outcome, Rejected):
            raise _refused_step(outcome.refusal, wanted[start:], text=text, file=file)
        state = outcome.state
        bar.advance(len(some))


def _refused_step(refusal: "Refusal", wanted: "Steps", *, text: str, file: str) -> Stop:
    """Return the end of an import that is refused, with the place in the file at fault."""
    from grantproof.cli.witness import refused
    from grantproof.core.errors import RefusedAt

    if not isinstance(refusal, RefusedAt):
        return refused(refusal, place=f"{file}: ")
    line, column = _place(text, wanted[refusal.position][0])
    return refused(refusal.refusal, place=f"{file}:{line}:{column}: ")


def _place(text: str, path: "Location") -> "Place":
    """Return the line and the column at which a part of the text stands."""
    from grantproof.policyfile.policy_text import read_source
    from grantproof.policyfile.source import START, Source

    source = read_source(text)
    return source.locate([path])[path] if isinstance(source, Source) else START


def _found(operator: Operator, document: "OrganizationDocument") -> None:
    administration = operator.services.administration
    zone = document.time_zone
    if not administration.found(document.id, time_zone=zone, by=operator.author):
        line = f"organization `{document.id}` exists, or existed: name a new one with --org"
        raise Stop(ExitCode.NO, line)
