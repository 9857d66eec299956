"""Review as NIST/ANSI INCITS 359 names it: who is assigned what, and which claims that gives."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli import access_review
from grantproof.cli.command import command, group
from grantproof.cli.exits import absent
from grantproof.cli.operator import Operator
from grantproof.cli.options import PrincipalArgument, RoleArgument
from grantproof.cli.output import Table, tell, tell_json, tell_table

if TYPE_CHECKING:
    from grantproof.core.identifiers import ResourceId, RoleId
    from grantproof.core.model import ActionPattern, Claim
    from grantproof.core.organization import Organization

app = group("Access reviews, and the review functions of the RBAC standard (INCITS 359).")

ResourceArgument = Annotated[str, typer.Argument(metavar="RESOURCE", help="The resource's id.")]
KindOption = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="The kind of the resource.")
]
Chosen = Annotated[
    list[str] | None,
    typer.Option("--active-role", metavar="ROLE", help="A role of the session. Repeatable."),
]


@command(app)
def assigned_users(operator: Operator, role: RoleArgument) -> None:
    """List who is assigned a role now, directly or through a group."""
    from grantproof.service import standard_review

    state, name = operator.role(role)
    _tell_names(operator, standard_review.assigned_users(state, name, operator.instant()))


@command(app)
def authorized_users(operator: Operator, role: RoleArgument) -> None:
    """List who is assigned a role, or one that inherits from it, now."""
    from grantproof.service import standard_review

    state, name = operator.role(role)
    _tell_names(operator, standard_review.authorized_users(state, name, operator.instant()))


@command(app)
def assigned_roles(operator: Operator, principal: PrincipalArgument) -> None:
    """List the roles that a principal is assigned now."""
    from grantproof.service import standard_review

    state, name = operator.principal(principal)
    _tell_names(operator, standard_review.assigned_roles(state, name, operator.instant()))


@command(app)
def authorized_roles(operator: Operator, principal: PrincipalArgument) -> None:
    """List the roles that a principal is assigned now, and all they inherit from."""
    from grantproof.service import standard_review

    state, name = operator.principal(principal)
    _tell_names(operator, standard_review.authorized_roles(state, name, operator.instant()))


@command(app)
def role_permissions(operator: Operator, role: RoleArgument) -> None:
    """List the claims of a role, inherited ones too."""
    from grantproof.service import standard_review

    _tell_claims(operator, standard_review.role_permissions(*operator.role(role)))


@command(app)
def user_permissions(operator: Operator, principal: PrincipalArgument) -> None:
    """List the claims of all roles of a principal now."""
    from grantproof.service import standard_review

    state, name = operator.principal(principal)
    _tell_claims(operator, standard_review.user_permissions(state, name, operator.instant()))


@command(app)
def session_roles(
    operator: Operator, principal: PrincipalArgument, *, active_role: Chosen = None
) -> None:
    """List the roles that are active in a session now."""
    from grantproof.service import standard_review

    state, name = operator.principal(principal)
    chosen = _chosen(active_role)
    found = standard_review.session_roles(state, name, operator.instant(), chosen=chosen)
    _tell_names(operator, found)


@command(app)
def session_permissions(
    operator: Operator, principal: PrincipalArgument, *, active_role: Chosen = None
) -> None:
    """List the claims of the roles that are active in a session now."""
    from grantproof.service import standard_review

    state, name = operator.principal(principal)
    chosen = _chosen(active_role)
    found = standard_review.session_permissions(state, name, operator.instant(), chosen=chosen)
    _tell_claims(operator, found)


@command(app)
def role_operations(
    operator: Operator, role: RoleArgument, resource: ResourceArgument, *, kind: KindOption = None
) -> None:
    """List the actions that a role's claims name for a resource, whatever their constraints."""
    from grantproof.service import standard_review

    state, name = operator.role(role)
    on = _resource(state, resource, kind)
    _tell_actions(operator, standard_review.role_operations_on_object(state, name, on, kind=kind))


@command(app)
def user_operations(
    operator: Operator,
    principal: PrincipalArgument,
    resource: ResourceArgument,
    *,
    kind: KindOption = None,
) -> None:
    """List the actions that a principal's claims name for a resource now."""
    from grantproof.service import standard_review

    state, name = operator.principal(principal)
    on, instant = _resource(state, resource, kind), operator.instant()
    found = standard_review.user_operations_on_object(state, name, on, instant=instant, kind=kind)
    _tell_actions(operator, found)


def _resource(state: "Organization", resource: str, kind: str | None) -> "ResourceId":
    from grantproof.core.identifiers import ResourceId
    from grantproof.service.standard_review import known

    name = ResourceId(resource)
    if not known(state, name, kind):
        raise absent("resource", resource)
    return name


def _chosen(roles: list[str] | None) -> "frozenset[RoleId] | None":
    from grantproof.core.identifiers import RoleId

    return None if roles is None else frozenset(map(RoleId, roles))


def _tell_names(operator: Operator, names: Iterable[str]) -> None:
    found = sorted(names)
    if operator.json:
        tell_json(found)
    else:
        for name in found:
            tell(name)


def _tell_actions(operator: Operator, actions: "Iterable[ActionPattern]") -> None:
    from grantproof.policyfile.fields import write_action

    _tell_names(operator, map(write_action, actions))


def _tell_claims(operator: Operator, claims: "Iterable[Claim]") -> None:
    from grantproof.cli.shown import claim_text
    from grantproof.policyfile import documents

    if operator.json:
        tell_json([documents.Claim.of(claim).written() for claim in claims])
        return
    rows = [(claim.id, claim.role, claim_text(claim)) for claim in claims]
    tell_table(Table(("claim", "role", "what"), rows))


command(app)(access_review.access)
command(app)(access_review.export)
command(app)(access_review.apply)
command(app)(access_review.expiring)
