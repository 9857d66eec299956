"""The database: is what it holds what the core would accept, and what the events make?"""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import ExitCode, Stop, absent, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import complain, tell, tell_json

if TYPE_CHECKING:
    from grantproof.core.identifiers import OrganizationId
    from grantproof.service.ports import Store

app = group("The database.")


DIFFERENCES_SHOWN_MAX: Final = 20

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
        store = operator.services.store
        organizations = [one.id for one in operator.organizations()]
        damage = store.damage()
        chains = operator.audit.organizations()
    except StoreUnusable as error:
        raise Stop(ExitCode.NO, str(error)) from None
    violations = {name: list(_violations(store, name)) for name in organizations}
    audit = [line for name in chains for line in _chain_faults(operator, name)]
    lines = [*damage, *(line for found in violations.values() for line in found), *audit]
    if operator.json:
        tell_json(
            {
                "outcome": "violated" if lines else "valid",
                "damage": damage,
                "organizations": [
                    {"id": name, "violations": found} for name, found in violations.items()
                ],
                "audit": audit,
            }
        )
    elif not lines:
        tell(f"{len(organizations)} organizations, no violation")
    _end(lines)


@command(app)
def replay(operator: Operator, *, check: Check = False) -> None:
    """Fold the events anew and compare every stored row with what they make."""
    if not check:
        raise usage("a replay only compares: say --check")
    named = operator.named_organization
    known = operator.audit.organizations()
    if named is not None and named not in known:
        raise absent("organization", named)
    found = {
        name: [
            f"organization `{name}`, table `{one.table}`, row"
            f" {', '.join(f'`{part}`' for part in one.key)}: {one.what}"
            for one in islice(operator.audit.differences(name), DIFFERENCES_SHOWN_MAX)
        ]
        for name in (known if named is None else (named,))
    }
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


def _end(lines: list[str]) -> None:
    """Say what is wrong, and end with code 1 if anything is."""
    for line in lines:
        complain(line)
    if lines:
        raise typer.Exit(ExitCode.NO)


def _chain_faults(operator: Operator, name: str) -> Iterator[str]:
    for fault in operator.audit.verify(name).faults:
        yield f"organization `{name}`, event {fault.revision}: {fault.what}"


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
