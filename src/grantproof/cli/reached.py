"""Answers of `reach` in print: the verdict first, then the changes, or what the no rests on."""

from typing import Final, assert_never

from grantproof.analysis.reachability.invariant import Invariant, NeverMet
from grantproof.analysis.reachability.powers import Powers
from grantproof.analysis.reachability.problem import Roles, Step
from grantproof.analysis.reachability.replay import command_of
from grantproof.analysis.reachability.verdicts import (
    Exhausted,
    Reachable,
    Undetermined,
    Unreachable,
)
from grantproof.cli.exits import ExitCode
from grantproof.cli.output import listed, tell_json, tell_tree
from grantproof.cli.shown import claim_text, period
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    CreateClaim,
    CreateRole,
    DeleteSodSet,
    RemoveMember,
    RemoveParent,
    ResumePrincipal,
    RevokeGroupRole,
    RevokeRole,
    SingleCommand,
    UnnestGroup,
)
from grantproof.core.model import ALWAYS, Validity
from grantproof.service.reach_documents import Answer, Proof, Taken, document
from grantproof.service.trees import Tree

SETS_SHOWN: Final = 10


def tell(answer: Answer, *, json: bool) -> ExitCode:
    """Print the answer; return 0 for out of reach, 1 for reachable, 3 for not known."""
    if json:
        tell_json(document(answer))
    else:
        tell_tree(tree(answer))
    match answer:
        case Reachable():
            return ExitCode.NO
        case Unreachable():
            return ExitCode.OK
        case Undetermined():
            return ExitCode.UNDETERMINED
        case _:
            assert_never(answer)


def tree(answer: Answer) -> Tree:
    """Return the answer for people."""
    match answer:
        case Reachable(steps, shortest):
            if not steps:
                return Tree("reachable: it is so now")
            fewest = "none shorter" if shortest else "perhaps not the shortest"
            count = "1 change" if len(steps) == 1 else f"{len(steps)} changes"
            lines = (f"{number}. {line}" for number, line in enumerate(map(_told, steps), start=1))
            return Tree(f"reachable by {count}, {fewest}", tuple(map(Tree, lines)))
        case Unreachable(how, evidence):
            return Tree(f"out of reach, by {how}", tuple(map(Tree, _grounds(evidence))))
        case Undetermined(why):
            return Tree(f"undetermined: {why}")
        case _:
            assert_never(answer)


def _told(step: Taken) -> str:
    command = command_of(step) if isinstance(step, Step) else step.command
    return f"{step.author}: {_command(command)}"


def _command(command: SingleCommand) -> str:  # noqa: C901 - one branch a command
    match command:
        case AssignRole(principal, role, validity):
            return f"assign role {role} to {principal}{_while(validity)}"
        case RevokeRole(principal, role):
            return f"revoke role {role} from {principal}"
        case AssignGroupRole(group, role, validity):
            return f"assign role {role} to group {group}{_while(validity)}"
        case RevokeGroupRole(group, role):
            return f"revoke role {role} from group {group}"
        case AddMember(principal, group):
            return f"put {principal} into group {group}"
        case RemoveMember(principal, group):
            return f"take {principal} out of group {group}"
        case UnnestGroup(group, container):
            return f"take group {group} out of group {container}"
        case AddParent(role, parent):
            return f"let role {role} inherit from {parent}"
        case RemoveParent(role, parent):
            return f"let role {role} inherit from {parent} no more"
        case CreateClaim(claim):
            return f"give role {claim.role} the claim {claim_text(claim)}"
        case CreateRole(role):
            return f"create role {role}"
        case DeleteSodSet(sod_set):
            return f"delete separation-of-duty set {sod_set}"
        case ResumePrincipal(principal):
            return f"resume {principal}"
        case _:
            return type(command).__name__


def _while(validity: Validity) -> str:
    if validity == ALWAYS:
        return ""
    start, end = period(validity)
    return f" from {start} until {end}"


def _grounds(evidence: Proof) -> tuple[str, ...]:
    match evidence:
        case Exhausted(states):
            count = "the one state" if states == 1 else f"all {states} states"
            return (f"searched {count} that may come about, up to those that are alike",)
        case Powers():
            when = "in every context, at every instant" if evidence.timeless else "in this context"
            whether = "may come to" if evidence.structural else "never"
            return (
                f"holds {when}; checked",
                f"roles they may come to give: {listed(evidence.givable)}",
                f"they {whether} administer",
            )
        case Invariant():
            aimed = evidence.goal_user or evidence.anyone
            first = "always inside one of these sets of roles, of those that matter; checked:"
            return (first, *_first(sorted(map(listed, aimed))))
        case NeverMet():
            conditions = sorted(map(_condition, evidence.goal_user or evidence.anyone))
            first = "nobody ever holds one of these sets of roles; checked:"
            return (first, *_first(conditions))
        case _:
            assert_never(evidence)


def _first(lines: list[str]) -> tuple[str, ...]:
    more = len(lines) - SETS_SHOWN
    return (*lines[:SETS_SHOWN], *([f"and {more} more"] if more > 0 else []))


def _condition(condition: tuple[Roles, Roles]) -> str:
    held, unheld = condition
    return f"{listed(held)} without {listed(unheld)}" if unheld else listed(held)
