"""What is possible: who can, what can, why not, what is dead; answered by proof, not by trying.

Exit code 0 is yes, 1 no, 3 not known within the limits of the solver.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.asked import Action, AskedRequest, Circumstances, Kind, Resource, kind_of
from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.cli.operator import Operator
from grantproof.cli.options import PrincipalArgument
from grantproof.cli.output import complain, tell_json

if TYPE_CHECKING:
    from grantproof.core.guardrails import Selector
    from grantproof.policyfile.contexts import Written
    from grantproof.service.inquiries import Finding

Now = Annotated[
    bool, typer.Option("--now", help="In the context of this moment, not in any context.")
]
ActionPattern = Annotated[
    str, typer.Argument(metavar="ACTION", help="The action, or * for every one.")
]
ResourcePattern = Annotated[
    str,
    typer.Argument(metavar="RESOURCE", help="docs, docs/** (with all inside), kind:KIND or *."),
]
Stored = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        "-a",
        metavar="NAME=VALUE",
        help="Only resources that store this. Repeatable: all of them.",
    ),
]
Who = Annotated[
    list[str] | None,
    typer.Option(
        "--who",
        metavar="WHO",
        help="group:G, role:R or attribute:NAME=VALUE; nobody at all without. Repeatable: any.",
    ),
]


def who_can(
    operator: Operator,
    action: Action,
    *,
    resource: Resource,
    kind: Kind = None,
    now: Now = False,
    circumstances: Circumstances,
) -> None:
    """Say who is allowed an action, in any context, or in the one that options describe.

    Usage and rate that are not given are 0 in that context.
    """
    from grantproof.cli.possible import tell_able
    from grantproof.core import identifiers
    from grantproof.service import inquiries, pip

    deed = inquiries.Deed(
        identifiers.Action(action), identifiers.ResourceId(resource), kind_of(kind)
    )
    supplied, state = circumstances.supplied(), operator.state
    instant, context = operator.instant(), None
    if now or circumstances.given:
        context = pip.situate(instant, state.time_zone, pip.uncounted(supplied))
    work = partial(inquiries.who_can, state, deed, context, now=instant)
    _answer(operator, work, tell=tell_able)


def what_can(operator: Operator, principal: PrincipalArgument) -> None:
    """Say what a principal can do, in any context: each of its claims, and what it is good for."""
    from grantproof.cli.possible import tell_usable
    from grantproof.service import inquiries

    state, name = operator.principal(principal)
    instant = operator.instant()
    _answer(operator, partial(inquiries.what_can, state, name, now=instant), tell=tell_usable)


def why_not(operator: Operator, *, asked: AskedRequest, circumstances: Circumstances) -> None:
    """Say why a request is denied and what would make it be allowed, the least first."""
    from grantproof.cli.possible import tell_remedies
    from grantproof.service import inquiries
    from grantproof.service.pip import situate

    request, supplied, state = asked.request(), circumstances.supplied(), operator.state
    context = situate(operator.instant(), state.time_zone, supplied)
    readings = operator.readings(request.principal)
    work = partial(inquiries.why_not, state, request, context, readings=readings)
    _answer(operator, work, tell=partial(tell_remedies, asked.active_role))


def not_granted(
    operator: Operator,
    action: ActionPattern,
    resource: ResourcePattern,
    *,
    attribute: Stored = None,
    who: Who = None,
) -> None:
    """Prove that nobody is ever allowed an access: exit code 0, or 1 with who is, and how."""
    from grantproof.cli.possible import tell_granted
    from grantproof.cli.values import typed_attributes
    from grantproof.core.guardrails import Access, Forbidden
    from grantproof.policyfile.fields import read_action, read_resource
    from grantproof.service import inquiries

    stored = typed_attributes(attribute or [])
    access = Access(read_action(action), read_resource(resource), stored)
    rule = Forbidden(access, frozenset(map(_selector, who or [])))
    instant = operator.instant()
    work = partial(inquiries.not_granted, operator.state, rule, now=instant)
    _answer(operator, work, tell=tell_granted)


def dead(operator: Operator) -> None:
    """List what is without effect, exit code 1 if anything: claims, roles and assignments."""
    from grantproof.cli.possible import tell_dead
    from grantproof.service import inquiries

    instant = operator.instant()
    _answer(operator, partial(inquiries.dead, operator.state, now=instant), tell=tell_dead)


def conflicts(operator: Operator) -> None:
    """List roles that nobody can hold or use for separation of duty, exit code 1 if any."""
    from grantproof.cli.possible import tell_conflicts
    from grantproof.service import inquiries

    _answer(operator, partial(inquiries.conflicts, operator.state), tell=tell_conflicts)


def _answer(
    operator: Operator, work: "Callable[[], Finding]", *, tell: "Callable[[Written], None]"
) -> None:
    """Do the work apart, print what comes of it, and end with the code that says it."""
    from grantproof.service.solving import Undetermined

    found = operator.solver.ask(work)
    if isinstance(found, Undetermined):
        raise Stop(ExitCode.UNDETERMINED, f"not known: {found.why}")
    if operator.json:
        tell_json(found.document)
    elif found.yes is not None:
        tell(found.document)
    if found.yes is None:
        complain(f"not known: {found.why}")
        raise typer.Exit(ExitCode.UNDETERMINED)
    if not found.yes:
        raise typer.Exit(ExitCode.NO)


def _selector(text: str) -> "Selector":
    """Return which principals `group:staff`, `role:clerk` or `attribute:team="a"` means."""
    from grantproof.cli.values import typed_attributes
    from grantproof.core.guardrails import Having, HolderOf, MemberOf
    from grantproof.core.identifiers import GroupId, RoleId

    noun, _, name = text.partition(":")
    match noun:
        case "group":
            return MemberOf(GroupId(name))
        case "role":
            return HolderOf(RoleId(name))
        case "attribute":
            return Having(typed_attributes([name], "--who"))
        case _:
            raise usage(f"--who `{text}` must be group:G, role:R or attribute:NAME=VALUE")
