"""Organizations: the tenants. Everything else belongs to exactly one."""

import sys
from typing import Annotated

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import ExitCode, Stop, absent, usage
from grantproof.cli.operator import Operator
from grantproof.cli.options import Yes
from grantproof.cli.output import Table, tell_fields, tell_json, tell_table

app = group("Organizations: the tenants.")

OrganizationArgument = Annotated[str, typer.Argument(metavar="ORG", help="The organization's id.")]
TimeZone = Annotated[
    str, typer.Option(metavar="ZONE", help="The IANA time zone of hours and weekdays.")
]
Administrator = Annotated[
    str | None,
    typer.Option(metavar="PRINCIPAL", help="Make a principal that may administer all of it."),
]


@command(app)
def create(
    operator: Operator,
    organization: OrganizationArgument,
    *,
    time_zone: TimeZone = "UTC",
    administrator: Administrator = None,
) -> None:
    """Create an organization: empty, or with its first administrator."""
    from grantproof.core.identifiers import OrganizationId, PrincipalId
    from grantproof.service import founding

    name = OrganizationId(organization)
    who = None if administrator is None else PrincipalId(administrator)
    if not operator.found(name, time_zone=time_zone):
        line = f"organization `{name}` exists, or existed: an id is never used again"
        raise Stop(ExitCode.NO, line)
    if who is None:
        operator.tell_done(f"created organization `{name}`", name, revision=0)
    else:
        done = f"created organization `{name}`, administered by `{who}`"
        operator.propose_to(name, *founding.administrator(who).commands, done=done)


@command(app, "list")
def list_all(operator: Operator) -> None:
    """List the organizations."""
    found = operator.organizations()
    if operator.json:
        tell_json([organization_document(one.id, one.revision, one.time_zone) for one in found])
        return
    rows = [(one.id, str(one.revision), one.time_zone) for one in found]
    tell_table(Table(("organization", "revision", "time zone"), rows))


@command(app)
def show(operator: Operator, organization: OrganizationArgument) -> None:
    """Show an organization: its revision and how much it holds."""
    state = operator.state_of(organization)
    counts = {
        "principals": len(state.principals),
        "groups": len(state.groups),
        "roles": len(state.roles),
        "kinds": len(state.resources_of_kind),
        "resources": len(state.resources),
        "claims": len(state.claims),
        "sod_sets": len(state.sod_sets),
        "guardrails": len(state.guardrails),
    }
    if operator.json:
        tell_json({**organization_document(state.id, state.revision, state.time_zone), **counts})
        return
    tell_fields(
        [
            ("organization", state.id),
            ("revision", str(state.revision)),
            ("time zone", state.time_zone),
            *((name.replace("_", "-"), str(count)) for name, count in counts.items()),
        ]
    )


@command(app)
def delete(operator: Operator, organization: OrganizationArgument, *, yes: Yes = False) -> None:
    """Delete an organization for good; its id is never used again."""
    from grantproof.core.identifiers import OrganizationId

    name = OrganizationId(organization)
    if not yes:
        _confirm(name)
    if not operator.dissolve(name):
        raise absent("organization", name)
    operator.tell_done(f"deleted organization `{name}`", name, revision=None)


def organization_document(name: str, revision: int, time_zone: str) -> dict[str, object]:
    """Return an organization as a list shows it to programs."""
    return {"id": name, "revision": revision, "time_zone": time_zone}


def _confirm(name: str) -> None:
    if not sys.stdin.isatty():
        raise usage(f"deleting organization `{name}` is for good: confirm it with --yes")
    if not typer.confirm(f"delete organization `{name}` for good?", err=True):
        raise Stop(ExitCode.NO, "nothing was deleted")
