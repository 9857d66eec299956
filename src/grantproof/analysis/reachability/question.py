"""What may be asked of an organization: can these people, by any changes, bring that about?

The people collude: each change is made by one of them. Whom it is to happen to need not be one.
"""

from dataclasses import dataclass

from grantproof.core.authority import unauthorized
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import SingleCommand
from grantproof.core.constraints import Context
from grantproof.core.hierarchy import effective_roles
from grantproof.core.identifiers import Action, PrincipalId, ResourceId, RoleId
from grantproof.core.matching import Request
from grantproof.core.messages import refusal_message
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, evaluate


@dataclass(frozen=True, slots=True)
class Holds:
    """The principal holds the role: it is among its effective roles at the instant."""

    role: RoleId


@dataclass(frozen=True, slots=True)
class MayDo:
    """The principal is allowed the action on the resource in the context, in some session.

    `kind` is what the resource is where it is not registered.
    """

    action: Action
    resource: ResourceId
    context: Context
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """Can `people` bring about that `principal` meets the goal?

    `context` is that of every change: its instant, and with it the hour and the weekday.
    """

    people: frozenset[PrincipalId]
    principal: PrincipalId
    goal: Holds | MayDo
    context: Context

    @property
    def affected(self) -> frozenset[PrincipalId]:
        """Those whose roles matter: the people, and the principal."""
        return self.people | {self.principal}


@dataclass(frozen=True, slots=True)
class Change:
    """A command, and who of the people makes it."""

    author: PrincipalId
    command: SingleCommand


def met(state: Organization, question: Question) -> bool:
    """Return whether the goal is met in the state.

    A session of the one role that holds the claim clashes with less than any other that has it.
    """
    principal, goal = question.principal, question.goal
    if principal not in state.principals:
        return False
    roles = effective_roles(state, principal, question.context.instant)
    if isinstance(goal, Holds):
        return goal.role in roles
    chosen = [None, *(frozenset({role}) for role in sorted(roles))]
    requests = (
        Request(principal, goal.action, goal.resource, goal.kind, active) for active in chosen
    )
    return any(isinstance(evaluate(state, each, goal.context), Allow) for each in requests)


def replayed(state: Organization, question: Question, changes: tuple[Change, ...]) -> str | None:
    """Return why the changes do not bring it about; nothing when they do.

    Each is judged by `unauthorized` on the very state that it is applied to, and made by `apply`.
    """
    context = question.context
    for number, change in enumerate(changes, start=1):
        if change.author not in question.people:
            return f"step {number}: `{change.author}` is not one of the people"
        lacking = unauthorized(state, change.command, change.author, context=context)
        if lacking is not None:
            return f"step {number}: {refusal_message(lacking)}"
        outcome = apply(state, change.command, actor=change.author, instant=context.instant)
        if not isinstance(outcome, Accepted):
            return f"step {number}: {refusal_message(outcome.refusal)}"
        state = outcome.state
    return None if met(state, question) else "the changes do not bring it about"
