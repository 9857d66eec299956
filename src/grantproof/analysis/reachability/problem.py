"""Rules of who may assign and revoke what, and what they mean: the user-role reachability problem.

The URA97 part of ARBAC97 (Sandhu, Bhamidipati, Munawer 1999), without separate administration. A
child role inherits its parents, as everywhere here: whoever holds it counts as holding them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from grantproof.core.errors import Illegal
from grantproof.core.hierarchy import closure
from grantproof.core.identifiers import PrincipalId, RoleId

Roles = frozenset[RoleId]
State = Mapping[PrincipalId, Roles]
"""Who is assigned which roles. What is inherited is not in it."""


@dataclass(frozen=True, slots=True)
class CanAssign:
    """Whoever holds `admin` may give `target` to whoever holds all `positive`, no `negative`.

    No `admin` means anybody. Roles are held directly or by inheritance.
    """

    admin: RoleId | None
    positive: Roles
    negative: Roles
    target: RoleId


@dataclass(frozen=True, slots=True)
class CanRevoke:
    """Whoever holds `admin` (nothing means anybody) may take `target` from whoever has it."""

    admin: RoleId | None
    target: RoleId


Rule = CanAssign | CanRevoke


@dataclass(frozen=True, slots=True)
class Goal:
    """`user` holds `role`; without a user, anybody does."""

    role: RoleId
    user: PrincipalId | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Users with the roles assigned to them, rules, and a goal. `parents` says who inherits what.

    Raises `Illegal` for a role or a user that is named and not there.
    """

    roles: Roles
    users: State
    can_assign: tuple[CanAssign, ...]
    can_revoke: tuple[CanRevoke, ...]
    goal: Goal
    parents: Mapping[RoleId, Roles] = field(default_factory=dict)
    children: Mapping[RoleId, Roles] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        missing = sorted(set(_named(self)) - self.roles)
        if missing:
            raise Illegal("roles", f"must have `{missing[0]}`, which is named")
        if self.goal.user is not None and self.goal.user not in self.users:
            raise Illegal("users", f"must have `{self.goal.user}`, whom the goal names")
        up = {role: self.parents.get(role, frozenset()) for role in self.roles}
        down: dict[RoleId, set[RoleId]] = {role: set() for role in self.roles}
        for role, parents in up.items():
            for parent in parents:
                down[parent].add(role)
        object.__setattr__(self, "parents", up)
        object.__setattr__(self, "children", {role: frozenset(down[role]) for role in down})

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of both kinds."""
        return (*self.can_assign, *self.can_revoke)

    def effective(self, assigned: Iterable[RoleId]) -> Roles:
        """Return the roles that who is assigned these holds."""
        return closure(assigned, self.parents)

    def seniors(self, roles: Iterable[RoleId]) -> Roles:
        """Return the roles of which any one gives one of these."""
        return closure(roles, self.children)


@dataclass(frozen=True, slots=True)
class Step:
    """`author` gives `role` to `user`, or takes it from them."""

    kind: Literal["assign", "revoke"]
    author: PrincipalId
    user: PrincipalId
    role: RoleId


def reached(problem: Problem, state: State) -> PrincipalId | None:
    """Return the first user, in order of ids, with whom the goal is met; or nothing."""
    goal = problem.goal
    asked = sorted(state) if goal.user is None else [goal.user]
    holders = (user for user in asked if goal.role in problem.effective(state[user]))
    return next(holders, None)


def objection(problem: Problem, state: State, step: Step) -> str | None:
    """Return why the rules do not allow the step in the state, or nothing when they do."""
    if step.author not in state or step.user not in state:
        return "no such user"
    held = step.role in state[step.user]
    if held == (step.kind == "assign"):
        return "the assignment is there already" if held else "there is no such assignment"
    author = problem.effective(state[step.author])
    subject = problem.effective(state[step.user])
    if step.kind == "assign":
        allowed = any(
            rule.target == step.role and assignable(rule, author, subject)
            for rule in problem.can_assign
        )
    else:
        allowed = any(
            rule.target == step.role and (rule.admin is None or rule.admin in author)
            for rule in problem.can_revoke
        )
    return None if allowed else "no rule allows it"


def assignable(rule: CanAssign, author: Roles, subject: Roles) -> bool:
    """Return whether the rule lets a holder of `author` give its target to one of `subject`."""
    return (
        (rule.admin is None or rule.admin in author)
        and rule.positive <= subject
        and rule.negative.isdisjoint(subject)
    )


def moved(state: State, step: Step) -> State:
    """Return the state after the step, which its rules allow."""
    held = state[step.user]
    after = held | {step.role} if step.kind == "assign" else held - {step.role}
    return {**state, step.user: after}


def interpreted(problem: Problem, steps: Iterable[Step]) -> State | str:
    """Return the state to which the steps lead, or why the rules do not allow one of them."""
    state: State = problem.users
    for number, step in enumerate(steps, start=1):
        against = objection(problem, state, step)
        if against is not None:
            return f"step {number}: {against}"
        state = moved(state, step)
    return state


def _named(problem: Problem) -> Iterable[RoleId]:
    yield problem.goal.role
    for held in problem.users.values():
        yield from held
    for rule in problem.can_assign:
        yield from ({rule.target} | rule.positive | rule.negative)
    for either in problem.rules:
        yield either.target
        if either.admin is not None:
            yield either.admin
    for role, parents in problem.parents.items():
        yield role
        yield from parents
