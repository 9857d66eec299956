"""The database: is what it holds what the core would accept?"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.operator import Operator
from grantproof.cli.output import complain, tell, tell_json

if TYPE_CHECKING:
    from grantproof.core.identifiers import OrganizationId
    from grantproof.service.ports import Store

app = group("The database.")


@app.callback()
def only_group() -> None:
    """Let `check` be a command of a group, though it is the only one."""


@command(app)
def check(operator: Operator) -> None:
    """Load every organization and run the invariants: exit code 1 on a violation."""
    from grantproof.service.ports import StoreUnusable

    try:
        store = operator.services.store
        organizations = [one.id for one in operator.organizations()]
        damage = store.damage()
    except StoreUnusable as error:
        raise Stop(ExitCode.NO, str(error)) from None
    violations = {name: list(_violations(store, name)) for name in organizations}
    lines = [*damage, *(line for found in violations.values() for line in found)]
    if operator.json:
        tell_json(
            {
                "outcome": "violated" if lines else "valid",
                "damage": damage,
                "organizations": [
                    {"id": name, "violations": found} for name, found in violations.items()
                ],
            }
        )
    elif not lines:
        tell(f"{len(organizations)} organizations, no violation")
    for line in lines:
        complain(line)
    if lines:
        raise typer.Exit(ExitCode.NO)


def _violations(store: "Store", name: "OrganizationId") -> Iterator[str]:
    from grantproof.core.invariants import valid
    from grantproof.service.ports import StoreUnusable

    try:
        state = store.load(name)
    except StoreUnusable as error:
        yield str(error)
        return
    for violation in () if state is None else valid(state):
        yield f"organization `{name}` breaks {violation.invariant} at {', '.join(violation.ids)}"
