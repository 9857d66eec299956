"""API keys: how services, people and operators prove who they are."""

import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from grantproof.cli.command import command, group
from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import NOTHING, Table, complain, listed, tell, tell_json, tell_table

if TYPE_CHECKING:
    from grantproof.core.identifiers import OrganizationId, PrincipalId
    from grantproof.policyfile.contexts import Written
    from grantproof.service.callers import Scope

app = group("API keys.")

UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LASTING: Final = re.compile(r"([1-9][0-9]{0,8})([smhd])")

AnOperators = Annotated[
    bool,
    typer.Option(
        "--operator", help="An operator's key: of all organizations, or of the one in --org."
    ),
]
Principal = Annotated[
    str | None,
    typer.Option("--principal", metavar="PRINCIPAL", help="Whose key it is, in --org."),
]
Scopes = Annotated[
    list[str] | None,
    typer.Option(
        "--scope",
        metavar="SCOPE",
        help="evaluate, trusted-context, review, administer, sessions or operate. Repeatable."
        " Default for operators: all that it may have.",
    ),
]
ExpiresIn = Annotated[
    str | None,
    typer.Option("--expires-in", metavar="TIME", help="Such as 90d, 12h, 30m. Default: never."),
]
Label = Annotated[str, typer.Option("--label", metavar="TEXT", help="What it is for.")]
PrefixArgument = Annotated[
    str, typer.Argument(metavar="PREFIX", help="What stands after `gp_` in the key.")
]


@command(app)
def create(
    operator: Operator,
    *,
    is_operator: AnOperators = False,
    principal: Principal = None,
    scope: Scopes = None,
    expires_in: ExpiresIn = None,
    label: Label = "",
) -> None:
    """Make a key and print it: this once, and never again."""
    from grantproof.service.keyring import KeyRequest

    organization, whose = _holder(operator, principal, is_operator=is_operator)
    scopes = _scopes(scope, organization, is_operator=is_operator)
    lasting = None if expires_in is None else seconds(expires_in)
    wanted = KeyRequest(organization, whose, scopes, label)
    _tell_made(operator.make_key(wanted, seconds=lasting), json=operator.json)


@command(app, "list")
def list_all(operator: Operator) -> None:
    """List the keys, revoked and expired ones too; none shows its secret."""
    found = operator.keys()
    if operator.json:
        tell_json(found)
        return
    now = operator.instant()
    tell_table(
        Table(
            ("key", "organization", "principal", "scopes", "status", "label"),
            [_row(key, now) for key in found],
        )
    )


@command(app)
def revoke(operator: Operator, prefix: PrefixArgument) -> None:
    """Revoke a key for good; running servers refuse it within GRANTPROOF_MAX_STALENESS seconds."""
    if not operator.revoke_key(prefix):
        line = f"key `{prefix}` does not exist, or is revoked already"
        raise Stop(ExitCode.NO, line)
    if operator.json:
        tell_json({"outcome": "revoked", "prefix": prefix})
    else:
        tell(f"revoked key `{prefix}`")


def _holder(
    operator: Operator, principal: str | None, *, is_operator: bool
) -> "tuple[OrganizationId | None, PrincipalId | None]":
    """Return of which organization and whose the key is to be; raises `Stop`."""
    from grantproof.core.identifiers import OrganizationId, PrincipalId

    if is_operator:
        if principal is not None:
            raise usage("a key is an operator's or a principal's: leave one of the options out")
        named = operator.named_organization
        return (None if named is None else OrganizationId(named)), None
    if principal is None:
        raise usage("whose key: name a principal with --principal, or add --operator")
    return operator.organization, PrincipalId(principal)


def _scopes(
    named: list[str] | None, organization: "OrganizationId | None", *, is_operator: bool
) -> "frozenset[Scope]":
    from grantproof.service.callers import EVERY_SCOPE, WITHIN_ORGANIZATION, Scope

    if not named:
        if not is_operator:
            raise usage("what for: name at least one scope with --scope")
        return EVERY_SCOPE if organization is None else WITHIN_ORGANIZATION
    known = [one.value for one in Scope]
    unknown = [one for one in named if one not in known]
    if unknown:
        raise usage(f"there is no scope `{unknown[0]}`: use {', '.join(known)}")
    return frozenset(map(Scope, named))


def seconds(lasting: str) -> int:
    """Return how many seconds a time such as `90d` is; raises `Stop`."""
    found = LASTING.fullmatch(lasting)
    if found is None:
        raise usage(f"`{lasting}` is no time: write a number and s, m, h or d, such as 90d")
    return int(found[1]) * UNITS[found[2]]


def _tell_made(made: "Written", *, json: bool) -> None:
    if json:
        tell_json(made)
        return
    # Nothing but the key on the standard output, so that a script can take it.
    tell(made["key"])
    complain(f"made key `{made['prefix']}`: keep it now, it is not shown again")


def _row(key: "Written", now: int) -> tuple[str, ...]:
    return (
        key["prefix"],
        key["org_id"] or NOTHING,
        key["principal_id"] or NOTHING,
        listed(key["scopes"]),
        _status(key, now),
        key["label"] or NOTHING,
    )


def _status(key: "Written", now: int) -> str:
    from grantproof.cli.shown import moment

    revoked_at, expires_at = key["revoked_at"], key["expires_at"]
    if revoked_at is not None:
        return f"revoked {moment(revoked_at)}"
    if expires_at is None:
        return "counts"
    return f"{'expired' if expires_at <= now else 'until'} {moment(expires_at)}"
