"""Who holds which role: assign and revoke, for a principal or for a group."""

from typing import Annotated

import typer

from grantproof.cli.operator import Operator
from grantproof.cli.options import From, RoleArgument, Until

Holder = Annotated[
    str, typer.Argument(metavar="PRINCIPAL", help="The principal, or with --group the group.")
]
ToGroup = Annotated[bool, typer.Option("--group", help="The first argument names a group.")]


def assign(
    operator: Operator,
    holder: Holder,
    role: RoleArgument,
    *,
    group: ToGroup = False,
    start: From = None,
    until: Until = None,
) -> None:
    """Let a principal, or every principal of a group, hold a role."""
    from grantproof.cli.values import validity
    from grantproof.core.commands.language import AssignGroupRole, AssignRole
    from grantproof.core.identifiers import GroupId, PrincipalId, RoleId

    lasting, name = validity(start, until), RoleId(role)
    if group:
        command = AssignGroupRole(GroupId(holder), name, lasting)
        operator.propose(command, done=f"group `{holder}` holds `{role}`")
    else:
        own = AssignRole(PrincipalId(holder), name, lasting)
        operator.propose(own, done=f"principal `{holder}` holds `{role}`")


def revoke(
    operator: Operator, holder: Holder, role: RoleArgument, *, group: ToGroup = False
) -> None:
    """Take a directly assigned role from a principal or a group."""
    from grantproof.core.commands.language import RevokeGroupRole, RevokeRole
    from grantproof.core.identifiers import GroupId, PrincipalId, RoleId

    name = RoleId(role)
    if group:
        command = RevokeGroupRole(GroupId(holder), name)
        operator.propose(command, done=f"group `{holder}` no longer holds `{role}`")
    else:
        own = RevokeRole(PrincipalId(holder), name)
        operator.propose(own, done=f"principal `{holder}` no longer holds `{role}` directly")
