"""Policy files as a command line names them: files, folders, the standard input."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.progress import Progress
from grantproof.client.policy_paths import (
    STANDARD_INPUT,
    Reading,
    gather,
)

if TYPE_CHECKING:
    from grantproof.core.organization import Organization
    from grantproof.policyfile.organization_document import OrganizationDocument
    from grantproof.policyfile.policy_problems import FiledProblem

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATHS",
        help="YAML or JSON files, or folders of them, read as one policy; - is the standard input.",
    ),
]


def read_paths(paths: Sequence[str]) -> dict[str, str]:
    """Return the texts of all policy files at the paths, by name; raises `Stop` with every fault.

    Policy tests that are named themselves, as a pattern of the shell does, are passed over too.
    """
    reading = gather(paths)
    if reading.unreadable:
        raise Stop(ExitCode.USAGE, *(one.message for one in reading.unreadable))
    return reading.texts


def text_of(name: str) -> str:
    """Return what one file holds, or for a dash the standard input; raises `Stop`."""
    reading = Reading()
    reading.read(name, None if name == STANDARD_INPUT else Path(name))
    if reading.unreadable:
        raise Stop(ExitCode.USAGE, reading.unreadable[0].message)
    return reading.texts[name]


def read_policy_of(
    paths: Sequence[str], bar: Progress, *, name: str | None = None
) -> "OrganizationDocument":
    """Return the organization that the files at the paths describe together, `name` if given.

    Raises `Stop` with every problem: of the files, of what they hold, of what would be refused.
    """
    from grantproof.core.identifiers import OrganizationId
    from grantproof.policyfile.organization_document import OrganizationDocument
    from grantproof.service.policy_checks import check_policy

    named = None if name is None else OrganizationId(name)
    found = check_policy(read_paths(paths), name=named, told=bar.step)
    if isinstance(found, OrganizationDocument):
        return found
    raise refused(found)


def state_of_policy(paths: Sequence[str], bar: Progress) -> "Organization":
    """Return the organization that the files at the paths make; raises `Stop` as they are read."""
    from grantproof.service.policy_checks import state_of

    return state_of(read_policy_of(paths, bar))


def refused(problems: "Sequence[FiledProblem]") -> Stop:
    """Return the end of a command on a policy with problems.

    A policy that cannot be read as one ends with code 2, one that an organization would refuse with
    code 1, and then the first refusal is told to programs and on a terminal as any other is.
    """
    from grantproof.cli.witness import refused as refused_change

    lines = [problem.message for problem in problems]
    refusals = [problem.refusal for problem in problems if problem.refusal is not None]
    if len(refusals) < len(problems):
        return Stop(ExitCode.USAGE, *lines)
    first = refused_change(refusals[0])
    return Stop(ExitCode.NO, *lines, document=first.document, tree=first.tree)
