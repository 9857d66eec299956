"""Separation-of-duty sets: roles that nobody may combine."""

from typing import Annotated, Literal

import typer

from grantproof.cli import duty_report
from grantproof.cli.command import command, group
from grantproof.cli.exits import absent
from grantproof.cli.operator import Operator
from grantproof.cli.options import Cascade
from grantproof.cli.output import Table, listed, tell_fields, tell_json, tell_table

app = group("Separation-of-duty sets: what nobody may combine.")

SetArgument = Annotated[str, typer.Argument(metavar="SET", help="The set's id.")]
Roles = Annotated[list[str], typer.Argument(metavar="ROLE", help="The roles of the set.")]
Smallest = Annotated[
    int, typer.Option("--n", metavar="N", help="How many of the roles are forbidden together.")
]
Mode = Annotated[
    Literal["static", "dynamic"],
    typer.Option(help="static: what anybody may hold; dynamic: what may be active together."),
]


@command(app)
def create(
    operator: Operator,
    sod_set: SetArgument,
    roles: Roles,
    *,
    n: Smallest = 2,
    mode: Mode = "static",
) -> None:
    """Forbid to combine N or more of the roles."""
    from grantproof.core import identifiers, model
    from grantproof.core.commands.language import CreateSodSet

    new = model.SodSet(
        identifiers.SodSetId(sod_set), frozenset(map(identifiers.RoleId, roles)), n, mode
    )
    operator.propose(CreateSodSet(new), done=f"created separation-of-duty set `{sod_set}`")


@command(app, "list")
def list_all(operator: Operator) -> None:
    """List the separation-of-duty sets."""
    from grantproof.policyfile import documents

    state = operator.state
    sets = [state.sod_sets[name] for name in sorted(state.sod_sets)]
    if operator.json:
        tell_json([documents.SodSet.of(one).written() for one in sets])
        return
    rows = [(one.id, one.mode, str(one.n), listed(one.roles)) for one in sets]
    tell_table(Table(("set", "mode", "n", "roles"), rows))


@command(app)
def show(operator: Operator, sod_set: SetArgument) -> None:
    """Show a separation-of-duty set, and the roles that nobody can hold because of it."""
    from grantproof.core.duty import unholdable_roles
    from grantproof.core.identifiers import SodSetId
    from grantproof.policyfile import documents

    state = operator.state
    found = state.sod_sets.get(SodSetId(sod_set))
    if found is None:
        raise absent("separation-of-duty set", sod_set)
    unholdable = unholdable_roles(state, found)
    if operator.json:
        tell_json({**documents.SodSet.of(found).written(), "unholdable_roles": unholdable})
        return
    tell_fields(
        [
            ("set", found.id),
            ("mode", found.mode),
            ("n", f"{found.n}: the smallest forbidden count"),
            ("roles", listed(found.roles)),
            ("unholdable", listed(unholdable)),
        ]
    )


@command(app)
def change(
    operator: Operator, sod_set: SetArgument, roles: Roles, *, n: Smallest, mode: Mode
) -> None:
    """Replace a separation-of-duty set: all of it has to be given."""
    from grantproof.core import identifiers, model
    from grantproof.core.commands.language import ChangeSodSet

    changed = model.SodSet(
        identifiers.SodSetId(sod_set), frozenset(map(identifiers.RoleId, roles)), n, mode
    )
    operator.propose(ChangeSodSet(changed), done=f"changed separation-of-duty set `{sod_set}`")


@command(app)
def delete(operator: Operator, sod_set: SetArgument, *, cascade: Cascade = False) -> None:
    """Delete a separation-of-duty set."""
    from grantproof.core.commands.language import DeleteSodSet
    from grantproof.core.identifiers import SodSetId

    operator.propose(
        DeleteSodSet(SodSetId(sod_set), cascade),
        done=f"deleted separation-of-duty set `{sod_set}`",
    )


command(app)(duty_report.report)
