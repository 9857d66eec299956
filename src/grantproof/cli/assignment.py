"""Who holds which role: assign and revoke, for a principal or for a group."""

from typing import Annotated

import typer

from grantproof.cli.operator import Operator
from grantproof.cli.options import From, RoleArgument, Until

Holder = Annotated[
    str, typer.Argument(metavar="PRINCIPAL", help="The principal, or with --group the group.")
]
ToGroup = Annotated[bool, typer.Option("--group", help="The first argument names a group.")]

Replace = Annotated[
    bool, typer.Option("--replace", help="In place of the assignment that is there.")
]


def assign(
    operator: Operator,
    holder: Holder,
    role: RoleArgument,
    *,
    group: ToGroup = False,
    start: From = None,
    until: Until = None,
    replace: Replace = False,
) -> None:
    """Let a principal, or every principal of a group, hold a role.

    With --replace for another time than until now, in one change.
    """
    from grantproof.cli.values import validity
    from grantproof.core.commands import language
    from grantproof.core.identifiers import GroupId, PrincipalId, RoleId

    lasting, name = validity(start, until), RoleId(role)
    if group:
        members = GroupId(holder)
        first = (language.RevokeGroupRole(members, name),) if replace else ()
        command = language.AssignGroupRole(members, name, lasting)
        operator.propose(*first, command, done=f"group `{holder}` holds `{role}`")
    else:
        principal = PrincipalId(holder)
        before = (language.RevokeRole(principal, name),) if replace else ()
        own = language.AssignRole(principal, name, lasting)
        operator.propose(*before, own, done=f"principal `{holder}` holds `{role}`")


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
