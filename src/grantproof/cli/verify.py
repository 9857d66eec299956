"""`grantproof verify`: the verification gate of the checkout that the command is run in.

The gate is no part of the product: it runs in a process of its own, and its output and its exit
code are the command's.
"""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from grantproof.cli.exits import Stop, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import tell_text

GATE: Final = Path("specs", "gate", "__main__.py")
REPORT: Final = Path("build", "verify", "report.json")

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="STAGE", help="Run this stage only; may be repeated."),
]


def verify(operator: Operator, *, only: Only = None) -> None:
    """Run every proof, model, fault and property test of this checkout."""
    checkout = enclosing_checkout(Path.cwd())
    if checkout is None:
        raise nothing_here()
    stages = [argument for stage in only or [] for argument in ("--only", stage)]
    # What a program reads is the report; what people read goes where it is not in the way.
    done = subprocess.run(  # noqa: S603 - our own interpreter, on the checkout the user stands in
        (sys.executable, "-m", "specs.gate", *stages),
        cwd=checkout,
        stdout=sys.stderr.fileno() if operator.json else None,
        check=False,
    )
    report = checkout / REPORT
    if operator.json and report.is_file():
        tell_text(report.read_text(encoding="utf-8"))
    raise typer.Exit(done.returncode)


def enclosing_checkout(folder: Path) -> Path | None:
    """Return the folder, or the nearest above it, that has a gate; nothing where none has."""
    return next((each for each in (folder, *folder.parents) if (each / GATE).is_file()), None)


def nothing_here() -> Stop:
    """Return the end of the command where there is no gate."""
    return usage(f"nothing to verify here: no `{GATE.parent}` in this folder or above it")
