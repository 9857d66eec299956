"""Cases: what a service found wrong with itself, gone through again here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import ExitCode, unusable, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import tell, tell_json

if TYPE_CHECKING:
    from grantproof.service.cases import Case

app = group("What a service found wrong with itself, and kept.")

File = Annotated[
    str, typer.Argument(metavar="FILE", help="A file of the folder that GRANTPROOF_CASES names.")
]


@command(app)
def replay(operator: Operator, file: File) -> None:
    """Go through a case again with the code of today: exit code 1 when it is still wrong.

    The database is opened only for a case whose state was too large to be kept with it.
    """
    from grantproof.service.cases import replayed

    case = _read(operator, file)
    wrong = replayed(case)
    if operator.json:
        tell_json(
            {
                "outcome": "well" if wrong is None else "wrong",
                "contract": case.contract,
                "organization": case.state.id,
                "revision": case.state.revision,
                "expected": case.expected,
                "found": case.found,
                "now": wrong,
            }
        )
    else:
        tell(
            f"{case.contract}, organization `{case.state.id}`, revision {case.state.revision}:"
            f" expected {case.expected}, found {case.found}"
        )
        tell("all is well with it now" if wrong is None else f"still wrong: {wrong}")
    if wrong is not None:
        raise typer.Exit(ExitCode.NO)


def _read(operator: Operator, file: str) -> "Case":
    from grantproof.policyfile.wire import Unreadable
    from grantproof.service.case_text import read_case

    try:
        text = Path(file).read_bytes()
    except OSError as error:
        raise unusable(file, "read", error) from None
    try:
        return read_case(text, operator.state_at)
    except Unreadable as error:
        raise usage(f"{file}: {error}") from None
