"""What could they bring about? `reach` asks for the worst sequence of changes that are all allowed.

Of an organization: these people, by any changes that each of them may make. Of an `.arbac` file:
anybody, by its rules. A security question, so "no" is the good answer: 0 means out of reach.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.asked import Position, Region
from grantproof.cli.exits import ExitCode, Stop, unusable, usage
from grantproof.cli.operator import Operator

if TYPE_CHECKING:
    from grantproof.analysis.reachability import collusion, rules
    from grantproof.analysis.reachability.question import Holds, MayDo
    from grantproof.cli.reached import Wanted
    from grantproof.core.organization import Organization
    from grantproof.service.pip import Supplied

Rules = Annotated[
    str | None,
    typer.Option("--arbac", metavar="FILE", help="Rules in the .arbac format, with their goal."),
]
By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="PRINCIPAL", help="One of those who make changes. Repeatable."),
]
For = Annotated[
    str | None,
    typer.Option("--principal", metavar="PRINCIPAL", help="For whom. Default: the one of --by."),
]
Role = Annotated[str | None, typer.Option("--role", metavar="ROLE", help="To hold this role.")]
Action = Annotated[
    str | None, typer.Option("--action", metavar="ACTION", help="Or to be allowed this action.")
]
Resource = Annotated[
    str | None, typer.Option("--resource", metavar="RESOURCE", help="On which resource.")
]
Kind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Its kind, if it is not registered.")
]
Hour = Annotated[
    int | None, typer.Option("--hour", metavar="H", help="Suppose this local hour, 0 to 23.")
]
Weekday = Annotated[
    str | None, typer.Option("--weekday", metavar="DAY", help="Suppose mon to sun, or 0 to 6.")
]

ContextAttributes = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute", "-a", metavar="NAME=VALUE", help="What `context.NAME` is. Repeatable."
    ),
]


def reach(
    operator: Operator,
    *,
    arbac: Rules = None,
    by: By = None,
    principal: For = None,
    role: Role = None,
    action: Action = None,
    resource: Resource = None,
    kind: Kind = None,
    hour: Hour = None,
    weekday: Weekday = None,
    region: Region = None,
    position: Position = None,
    attribute: ContextAttributes = None,
) -> None:
    """Ask what some people can bring about: exit code 0 for out of reach, 1 for reachable.

    Reachable comes with the changes, which have been replayed; out of reach with what proves it.
    """
    from grantproof.cli import reached, values
    from grantproof.core.identifiers import Region as RegionId
    from grantproof.service.pip import Supplied

    asked = (by, action, resource, kind, hour, weekday, region, position, attribute)
    if arbac is not None:
        if any(given is not None for given in asked):
            raise usage("--arbac asks a file: it goes with --role and --principal alone")
        raise typer.Exit(
            reached.tell(_of_rules(arbac, role=role, user=principal), json=operator.json)
        )
    supplied = Supplied(
        region=None if region is None else RegionId(region),
        position=None if position is None else values.position(position),
        attributes=values.typed_attributes(attribute or []),
        hour=hour,
        weekday=None if weekday is None else values.weekday(weekday),
    )
    wanted = _wanted(by, principal, role=role, action=action, resource=resource, kind=kind)
    answer = _of_organization(operator, wanted, supplied)
    raise typer.Exit(reached.tell(answer, json=operator.json))


def _wanted(
    by: list[str] | None,
    principal: str | None,
    *,
    role: str | None,
    action: str | None,
    resource: str | None,
    kind: str | None,
) -> "Wanted":
    """Return what is asked; raises `Stop` when that is not one question."""
    from grantproof.cli.reached import Wanted

    if by is None:
        raise usage("nobody to act: name them with --by, or a file of rules with --arbac")
    if principal is None and len(by) > 1:
        raise usage("several act: name the one it is for with --principal")
    if (role is None) == (action is None) or (action is None) != (resource is None):
        raise usage("ask for one thing: --role, or --action with --resource")
    if kind is not None and action is None:
        raise usage("--kind goes with --action and --resource")
    return Wanted(
        tuple(by), by[0] if principal is None else principal, role, action, resource, kind
    )


def _of_rules(file: str, *, role: str | None, user: str | None) -> "rules.Answer":
    from grantproof.core.identifiers import PrincipalId, RoleId
    from grantproof.policyfile.arbac_text import ArbacDocument, read_arbac
    from grantproof.service import reach

    read = read_arbac(_text_of(file))
    if not isinstance(read, ArbacDocument):
        raise Stop(ExitCode.USAGE, *(problem.in_file(file) for problem in read))
    if role is not None and role not in read.roles:
        raise usage(f"{file} declares no role `{role}`")
    if user is not None and user not in read.users:
        raise usage(f"{file} declares no user `{user}`")
    return reach.by_rules(
        read,
        role=None if role is None else RoleId(role),
        user=None if user is None else PrincipalId(user),
    )


def _of_organization(
    operator: Operator, wanted: "Wanted", supplied: "Supplied"
) -> "collusion.Answer":
    from grantproof.analysis.reachability.verdicts import Undetermined
    from grantproof.core.identifiers import PrincipalId
    from grantproof.service import reach, solving

    people, principal = map(PrincipalId, wanted.by), PrincipalId(wanted.principal)
    state, instant = operator.state, operator.instant()
    colluding = tuple(people)
    for name in (*colluding, principal):
        if name not in state.principals:
            raise usage(f"principal `{name}` does not exist: nobody to ask about")
    found = reach.in_organization(
        state,
        _goal(state, wanted, supplied, instant=instant),
        people=colluding,
        principal=principal,
        instant=instant,
        hour=supplied.hour,
        weekday=supplied.weekday,
        solver=operator.solver,
    )
    return Undetermined(found.why) if isinstance(found, solving.Undetermined) else found


def _goal(
    state: "Organization", wanted: "Wanted", supplied: "Supplied", *, instant: int
) -> "Holds | MayDo":
    """Return what is to be brought about; raises `Stop` for what there is not."""
    from grantproof.analysis.reachability.question import Holds
    from grantproof.core.identifiers import Action as ActionId
    from grantproof.core.identifiers import ResourceId, RoleId
    from grantproof.service import reach
    from grantproof.service.standard_review import known

    if wanted.action is None or wanted.resource is None:
        role = RoleId(str(wanted.role))
        if role not in state.roles:
            raise usage(f"role `{role}` does not exist: nothing to ask about")
        return Holds(role)
    action, resource = ActionId(wanted.action), ResourceId(wanted.resource)
    if not known(state, resource, wanted.kind):
        raise usage(f"resource `{resource}` is unknown: name it, or its declared --kind, as it is")
    return reach.may_do(
        state, action, resource, instant=instant, kind=wanted.kind, supplied=supplied
    )


def _text_of(file: str) -> str:
    try:
        content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise unusable(file, "read", error) from None
    except UnicodeDecodeError:
        raise usage(f"the file `{file}` is not UTF-8") from None
