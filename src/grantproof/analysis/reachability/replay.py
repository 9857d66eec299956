"""A sequence of steps run again twice: by the rules, and as commands on an organization.

The organization has the users, the roles and their parents, and for each rule a claim of the
administrative role to `assign` or `revoke` the target. It cannot say the conditions of a rule, so
the rules are interpreted beside it. Each command is judged by `unauthorized` and made by `apply`.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from grantproof.analysis.reachability.problem import Problem, Step, interpreted, reached
from grantproof.analysis.strangers import fresh
from grantproof.core.authority import unauthorized
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AddParent,
    AssignRole,
    ChangeSet,
    CreateClaim,
    CreatePrincipal,
    CreateRole,
    RevokeRole,
    SingleCommand,
)
from grantproof.core.constraints import Context
from grantproof.core.hierarchy import effective_roles
from grantproof.core.identifiers import Action, ClaimId, OrganizationId, ResourceId, RoleId
from grantproof.core.messages import refusal_message
from grantproof.core.model import Claim, Exactly
from grantproof.core.organization import Organization
from grantproof.core.rights import ASSIGN, REVOKE

CONTEXT: Final = Context(instant=0, hour=0, weekday=3, year=1970)
ANYBODY: Final = "anybody"
"""The role of every user, by which rules without an administrative role are claimed."""


def replayed(problem: Problem, steps: Iterable[Step]) -> str | None:
    """Return why the steps do not lead to the goal, by the rules or by commands; or nothing."""
    steps = tuple(steps)
    end = interpreted(problem, steps)
    if isinstance(end, str):
        return end
    user = reached(problem, end)
    if user is None:
        return "the steps do not reach the goal"
    state = organization_of(problem)
    if isinstance(state, str):
        return state
    for number, step in enumerate(steps, start=1):
        after = _made(state, step)
        if isinstance(after, str):
            return f"step {number}: {after}"
        state = after
    held = effective_roles(state, user, CONTEXT.instant)
    return None if problem.goal.role in held else "the commands do not reach the goal"


def organization_of(problem: Problem) -> Organization | str:
    """Return the organization that the problem describes, or why there is none."""
    empty = Organization(OrganizationId("arbac"))
    commands = tuple(_commands(problem))
    outcome = apply(empty, ChangeSet(commands), actor="analysis", instant=CONTEXT.instant)
    if isinstance(outcome, Accepted):
        return outcome.state
    return f"no organization can be like this: {refusal_message(outcome.refusal)}"


def command_of(step: Step) -> AssignRole | RevokeRole:
    """Return the command that the step is."""
    made = AssignRole if step.kind == "assign" else RevokeRole
    return made(step.user, step.role)


def _made(state: Organization, step: Step) -> Organization | str:
    command = command_of(step)
    lacking = unauthorized(state, command, step.author, context=CONTEXT)
    if lacking is not None:
        return refusal_message(lacking)
    outcome = apply(state, command, actor=step.author, instant=CONTEXT.instant)
    return outcome.state if isinstance(outcome, Accepted) else refusal_message(outcome.refusal)


def _commands(problem: Problem) -> Iterator[SingleCommand]:
    anybody = RoleId(fresh(ANYBODY, problem.roles))
    yield from (CreateRole(role) for role in (anybody, *sorted(problem.roles)))
    for role in sorted(problem.roles):
        yield from (AddParent(role, parent) for parent in sorted(problem.parents[role]))
    for user in sorted(problem.users):
        yield CreatePrincipal(user)
        yield AssignRole(user, anybody)
        yield from (AssignRole(user, role) for role in sorted(problem.users[user]))
    for number, (role, action, target) in enumerate(_rights(problem, anybody)):
        resource = ResourceId(f"role:{target}")
        yield CreateClaim(
            Claim(ClaimId(f"rule-{number}"), role, Exactly(action), Exactly(resource))
        )


def _rights(problem: Problem, anybody: RoleId) -> dict[tuple[RoleId, Action, RoleId], None]:
    """Return who may assign and revoke what: each once, in the order of the rules.

    With a role come those that it inherits, and who gives it must be entitled to give them.
    """
    found: dict[tuple[RoleId, Action, RoleId], None] = {}
    for rule in problem.can_assign:
        for given in sorted(problem.effective({rule.target})):
            found[rule.admin or anybody, ASSIGN, given] = None
    for revocation in problem.can_revoke:
        found[revocation.admin or anybody, REVOKE, revocation.target] = None
    return found
