"""`grantproof verify`: a policy as a whole, or the gate of the checkout that the command is run in.

The gate is no part of the product: it runs in a process of its own, and its output and its exit
code are the command's.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import tell_text
from grantproof.cli.verify_policy import Form, verify_policy, wanted_forms

GATE: Final = Path("specs", "gate", "__main__.py")
REPORT: Final = Path("build", "verify", "report.json")

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATHS",
        help=(
            "Files of a policy and of its tests (*_test.yaml), or folders of them;"
            " - is the standard input. Without any the gate of the checkout is run."
        ),
    ),
]
BaseSide = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="SIDE",
        help=(
            "Compare with this: a policy file or folder, org:ID, org:ID@REVISION,"
            " or git:REVISION for the same paths at a revision of git."
        ),
    ),
]
NoNewAccess = Annotated[
    bool, typer.Option("--no-new-access", help="It is a violation if anything is gained.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Warnings are violations.")]
Forms = Annotated[
    list[Form] | None,
    typer.Option(
        "--format",
        metavar="|".join(Form),
        help="The form of the report; may be repeated. Default: text.",
    ),
]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="Where it goes: the first file is for the first --format, and so on.",
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only", metavar="STAGE", help="Of the gate, run this stage only; may be repeated."
    ),
]


def verify(
    operator: Operator,
    paths: Paths = None,
    *,
    base: BaseSide = None,
    no_new_access: NoNewAccess = False,
    strict: Strict = False,
    forms: Forms = None,
    output: Outputs = None,
    only: Only = None,
) -> None:
    """Verify a policy: check, tests, guardrails, what it grants; or without PATHS this checkout.

    Exit code 0: all holds. 1: a violation. 2: something cannot be read. 3: undetermined. The worst
    counts: 2 before 1, 1 before 3. Without PATHS every proof, model, fault and property test of
    the checkout of Grantproof that the command is run in is run.
    """
    wanted = wanted_forms(forms or (), output or (), json=operator.json)
    if not paths:
        if base or no_new_access or strict or forms or output:
            raise usage("no policy to verify: name its files or folders")
        _run_gate(operator, only or ())
    if only:
        raise usage("--only is for the gate of a checkout, which is run without PATHS")
    if no_new_access and base is None:
        raise usage("--no-new-access needs something to compare with: name it with --base")
    from grantproof.service.verification import Terms

    code = verify_policy(
        operator, paths, base=base, terms=Terms(no_new_access, strict), wanted=wanted
    )
    if code is not ExitCode.OK:
        raise typer.Exit(code)


def _run_gate(operator: Operator, only: Sequence[str]) -> NoReturn:
    """Run the gate of the checkout, and end as it does."""
    checkout = enclosing_checkout(Path.cwd())
    if checkout is None:
        raise nothing_here()
    stages = [argument for stage in only for argument in ("--only", stage)]
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
    return usage(
        f"nothing to verify here: no `{GATE.parent}` in this folder or above it, and no PATH"
    )
