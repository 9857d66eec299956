"""Whole organizations as files: `import` and `export`.

An import is one change of an empty organization: all of the files, or nothing. It is tried on paper
first, so that what is refused does not even leave an empty organization behind.
"""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.operator import Operator
from grantproof.cli.output import tell_text
from grantproof.cli.policy_files import Paths, read_policy_of
from grantproof.cli.progress import progress

if TYPE_CHECKING:
    from grantproof.policyfile.organization_document import OrganizationDocument

Exported = Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")]
Format = Annotated[Literal["yaml", "json"], typer.Option("--format", help="How it is written.")]


def import_(operator: Operator, paths: Paths) -> None:
    """Make an organization of a file, or of several that are read as one policy.

    It gets the name that stands there, or the one that --org gives; all of it, or nothing.
    """
    from grantproof.policyfile.organization_document import to_change_set

    with progress() as bar:
        document = read_policy_of(paths, bar, name=operator.named_organization)
        exists = _exists(operator, document)
        bar.begin("writing")
        if not exists:
            _found(operator, document)
    done = f"imported organization `{document.id}`"
    wanted = to_change_set(document)
    if wanted:
        operator.propose_to(document.id, *wanted, done=done)
    else:
        operator.tell_done(done, document.id, revision=0)


def export(operator: Operator, organization: Exported, *, form: Format = "yaml") -> None:
    """Write an organization as a document that `import` reads."""
    from grantproof.policyfile.policy_stream import json_pieces, yaml_pieces

    state = operator.state_of(organization)
    pieces = json_pieces if operator.json or form == "json" else yaml_pieces
    for piece in pieces(state):
        tell_text(piece)


def _exists(operator: Operator, document: "OrganizationDocument") -> bool:
    """Return whether there is an empty organization to fill; raises `Stop` if it is not empty."""
    from grantproof.core.organization import facts

    state = operator.find(document.id, create=True)
    if state is None:
        return False
    if next(facts(state), None) is not None:
        line = f"organization `{state.id}` is not empty: name a new one with --org"
        raise Stop(ExitCode.NO, line)
    if state.time_zone != document.time_zone:
        raise Stop(
            ExitCode.NO,
            f"organization `{state.id}` keeps the time of `{state.time_zone}`,"
            f" the file that of `{document.time_zone}`: name a new one with --org",
        )
    return True


def _found(operator: Operator, document: "OrganizationDocument") -> None:
    if not operator.found(document.id, time_zone=document.time_zone):
        line = f"organization `{document.id}` exists, or existed: name a new one with --org"
        raise Stop(ExitCode.NO, line)
