"""The database: is what it holds what the core would accept? Is it what the events make? Copies."""

from typing import Annotated

import typer

from grantproof.cli import backup
from grantproof.cli.command import command, group
from grantproof.cli.exits import ExitCode, Stop, absent, usage
from grantproof.cli.findings import differences, findings
from grantproof.cli.operator import Operator
from grantproof.cli.output import complain, tell, tell_json

app = group("The database.")

Check = Annotated[
    bool, typer.Option("--check", help="Compare and change nothing: the only thing it can do.")
]


@command(app)
def check(operator: Operator) -> None:
    """Load every organization, run the invariants, verify the events: exit code 1 on a violation.

    The chain of a deleted organization is verified too.
    """
    from grantproof.service.ports import StoreUnusable

    try:
        found = findings(operator.services, operator.audit)
    except StoreUnusable as error:
        raise Stop(ExitCode.NO, str(error)) from None
    if operator.json:
        tell_json(
            {
                "outcome": "violated" if found.lines else "valid",
                "damage": found.damage,
                "organizations": [
                    {"id": name, "violations": some} for name, some in found.violations.items()
                ],
                "audit": found.audit,
            }
        )
    elif not found.lines:
        tell(f"{len(found.violations)} organizations, no violation")
    _end(found.lines)


@command(app)
def replay(operator: Operator, *, check: Check = False) -> None:
    """Fold the events anew and compare every stored row with what they make."""
    if not check:
        raise usage("a replay only compares: say --check")
    named = operator.named_organization
    known = operator.audit.organizations()
    if named is not None and named not in known:
        raise absent("organization", named)
    names = known if named is None else (named,)
    found = {name: differences(operator.audit, name) for name in names}
    lines = [line for some in found.values() for line in some]
    if operator.json:
        tell_json(
            {
                "outcome": "different" if lines else "same",
                "organizations": [
                    {"id": name, "differences": some} for name, some in found.items()
                ],
            }
        )
    elif not lines:
        tell(f"{len(found)} organizations, every row is what the events make it")
    _end(lines)


command(app, "backup")(backup.back_up)
command(app)(backup.restore)


def _end(lines: list[str]) -> None:
    """Say what is wrong, and end with code 1 if anything is."""
    for line in lines:
        complain(line)
    if lines:
        raise typer.Exit(ExitCode.NO)
