"""What could they bring about? `reach` asks for the worst sequence of changes that are all allowed.

Of an organization: these people, by any changes that each of them may make. Of an `.arbac` file:
anybody, by its rules. A security question, so "no" is the good answer: 0 means out of reach.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from grantproof.cli.asked import Uncounted
from grantproof.cli.exits import ExitCode, Stop, unusable, usage
from grantproof.cli.operator import Operator

if TYPE_CHECKING:
    from grantproof.analysis.reachability import collusion, rules
    from grantproof.analysis.reachability.question import Holds, MayDo
    from grantproof.core.identifiers import PrincipalId
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

NOTHING: Final = Uncounted()


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who acts, for whom, and what is to come of it: that they hold a role, or may do something."""

    by: By = None
    principal: For = None
    role: Role = None
    action: Action = None
    resource: Resource = None
    kind: Kind = None

    def people(self) -> "tuple[tuple[PrincipalId, ...], PrincipalId]":
        """Return who acts, and for whom; raises `Stop` when what is asked is not one question."""
        from grantproof.core.identifiers import PrincipalId

        if self.by is None:
            raise usage("nobody to act: name them with --by, or a file of rules with --arbac")
        if self.principal is None and len(self.by) > 1:
            raise usage("several act: name the one it is for with --principal")
        if (self.role is None) == (self.action is None) or (self.action is None) != (
            self.resource is None
        ):
            raise usage("ask for one thing: --role, or --action with --resource")
        if self.kind is not None and self.action is None:
            raise usage("--kind goes with --action and --resource")
        acting = tuple(map(PrincipalId, self.by))
        return acting, acting[0] if self.principal is None else PrincipalId(self.principal)


def reach(
    operator: Operator, *, arbac: Rules = None, wanted: Wanted, circumstances: Uncounted
) -> None:
    """Ask what some people can bring about: exit code 0 for out of reach, 1 for reachable.

    Reachable comes with the changes, which have been replayed; out of reach with what proves it.
    """
    from grantproof.cli import reached

    if arbac is None:
        answer = _of_organization(operator, wanted, circumstances.supplied())
        raise typer.Exit(reached.tell(answer, json=operator.json))
    if (wanted, circumstances) != (Wanted(principal=wanted.principal, role=wanted.role), NOTHING):
        raise usage("--arbac asks a file: it goes with --role and --principal alone")
    told = _of_rules(arbac, role=wanted.role, user=wanted.principal)
    raise typer.Exit(reached.tell(told, json=operator.json))


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
    operator: Operator, wanted: Wanted, supplied: "Supplied"
) -> "collusion.Answer":
    from grantproof.analysis.reachability.verdicts import Undetermined
    from grantproof.service import reach, solving

    people, principal = wanted.people()
    state, instant = operator.state, operator.instant()
    for name in (*people, principal):
        if name not in state.principals:
            raise usage(f"principal `{name}` does not exist: nobody to ask about")
    found = reach.in_organization(
        state,
        _goal(state, wanted, supplied, instant=instant),
        people=people,
        principal=principal,
        instant=instant,
        hour=supplied.hour,
        weekday=supplied.weekday,
        solver=operator.solver,
    )
    return Undetermined(found.why) if isinstance(found, solving.Undetermined) else found


def _goal(
    state: "Organization", wanted: Wanted, supplied: "Supplied", *, instant: int
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
