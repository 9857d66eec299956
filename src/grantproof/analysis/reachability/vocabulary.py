"""The commands that a search over an organization tries: all that may shorten a way to the goal.

Where nobody comes to `administer` anything there are seven kinds, of which none is left out that
bears on the goal and is about the people, the principal or a group of theirs. A role is worth
giving when it leads to the goal or carries a right that bears on it, and worth taking when it
clashes with others or is assigned and not valid. Where somebody does come to administer, the search
also tries changes of the structure, by no means all there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from grantproof.analysis.reachability.powers import (
    Powers,
    administrative_ancestors,
    named,
    usable,
)
from grantproof.analysis.reachability.question import Holds, MayDo, Question
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
from grantproof.core.hierarchy import closure, groups_of, validities
from grantproof.core.identifiers import Action, ClaimId, GroupId, PrincipalId, RoleId
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.matching import action_matches
from grantproof.core.model import ALWAYS, Claim, Exactly, ResourcePattern, Validity
from grantproof.core.organization import Organization
from grantproof.core.rights import ASSIGN, REVOKE, claims_of

REVIEW: Final = Action("review")
NEW: Final = "made-to-reach"
"""What the role and the claims are called that a search makes."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search is about: the question, the powers, and on what they let whom act.

    `hindering` are the roles that clash with others or are assigned where they are not valid.
    """

    state: Organization
    question: Question
    bound: Powers
    assign: frozenset[ResourcePattern]
    revoke: frozenset[ResourcePattern]
    hindering: frozenset[RoleId]


def vocabulary(state: Organization, question: Question, bound: Powers) -> tuple[SingleCommand, ...]:
    """Return the commands that a search tries in every state, giving before taking."""
    scope = Scope(
        state,
        question,
        bound,
        usable(state, question, bound, action=ASSIGN),
        usable(state, question, bound, action=REVOKE),
        _hindering(state, question),
    )
    worth = sorted(useful_roles(scope))
    groups = sorted(_groups(scope))
    found = [*_giving(scope, worth, groups), *_taking(scope, groups)]
    if bound.structural:
        found.extend(_structural(scope, worth))
    return tuple(found)


def useful_roles(scope: Scope) -> frozenset[RoleId]:
    """Return the roles that may be given and are worth it."""
    state, givable = scope.state, scope.bound.givable
    carried = {role: closure({role}, state.roles.parents) for role in givable}
    aims = frozenset(role for role in state.roles if _leads(scope, role))
    worth = frozenset(role for role in givable if not aims.isdisjoint(carried[role]))
    while True:
        ancestors = (administrative_ancestors(state, role) for role in worth)
        bearing = worth.union(*ancestors)
        more = frozenset(
            role
            for role in givable
            if role in worth or any(_bears(scope, held, bearing) for held in carried[role])
        )
        if more == worth:
            return worth
        worth = more


def _leads(scope: Scope, role: RoleId) -> bool:
    """Return whether to hold the role may be to meet the goal."""
    goal = scope.question.goal
    if isinstance(goal, Holds):
        return role == goal.role
    return any(action_matches(claim.action, goal.action) for claim in claims_of(scope.state, role))


def _bears(scope: Scope, role: RoleId, bearing: frozenset[RoleId]) -> bool:
    """Return whether a claim of the role lets its holder make a change that is worth making."""
    wanted = {ASSIGN: bearing, REVOKE: scope.hindering}
    for claim in claims_of(scope.state, role):
        if not isinstance(claim.action, Exactly) or claim.action.value == REVIEW:
            continue
        about = claim.resource.value if isinstance(claim.resource, Exactly) else ""
        if claim.action.value not in wanted or not about.startswith("role:"):
            return True
        if about.removeprefix("role:") in wanted[claim.action.value]:
            return True
    return False


def _hindering(state: Organization, question: Question) -> frozenset[RoleId]:
    counted = closure(state.sod_sets_by_role, state.roles.children)
    instant = question.context.instant
    invalid: set[RoleId] = set()
    for principal in question.affected & frozenset(state.principals):
        held = [state.assignments.of(principal)]
        held.extend(map(state.group_assignments.of, groups_of(state, principal)))
        for assigned in held:
            invalid.update(role for role in assigned if not assigned[role].contains(instant))
    return counted | invalid


def _groups(scope: Scope) -> frozenset[GroupId]:
    """Return the groups that somebody affected is in or might be put into, and their containers."""
    state = scope.state
    joined = {
        group
        for principal in scope.question.affected & frozenset(state.principals)
        for group in groups_of(state, principal)
    }
    joinable = {group for group in state.groups if named(scope.assign, "group", group)}
    return closure(joined | joinable, state.groups.parents)


def _giving(scope: Scope, worth: list[RoleId], groups: list[GroupId]) -> Iterator[SingleCommand]:
    affected, validity = sorted(scope.question.affected), _validity(scope, groups)
    for role in worth:
        for principal in affected:
            yield AssignRole(principal, role, validity)
    for group in groups:
        if named(scope.assign, "group", group):
            for principal in affected:
                yield AddMember(principal, group)
        for role in worth:
            yield AssignGroupRole(group, role, validity)


def _validity(scope: Scope, groups: list[GroupId]) -> Validity:
    """Return for how long roles are given: for ever, unless less of it may be refused less.

    Where an assignment begins or ends some day and a static set counts it, one second is the
    validity that clashes least. It is as good as any other at the instant of the search.
    """
    state, instant = scope.state, scope.question.context.instant
    principals = scope.question.affected & frozenset(state.principals)
    bounds = {one for principal in principals for one in validities(state, principal)}
    bounds.update(one for group in groups for one in state.group_assignments.of(group).values())
    if bounds <= {ALWAYS} or len(state.sod_sets) == 0:
        return ALWAYS
    return Validity(instant, instant + 1 if instant < INSTANT_MAX else None)


def _taking(scope: Scope, groups: list[GroupId]) -> Iterator[SingleCommand]:
    """Yield what takes a hindering role away; without one, to take anything helps nothing."""
    if not scope.hindering:
        return
    state, affected = scope.state, sorted(scope.question.affected)
    for role in sorted(scope.hindering):
        if named(scope.revoke, "role", role):
            yield from (RevokeRole(principal, role) for principal in affected)
            yield from (RevokeGroupRole(group, role) for group in groups)
    for group in groups:
        if named(scope.revoke, "group", group):
            yield from (RemoveMember(principal, group) for principal in affected)
            yield from (UnnestGroup(inner, group) for inner in sorted(state.groups.children[group]))


def _structural(scope: Scope, worth: list[RoleId]) -> Iterator[SingleCommand]:
    """Yield some of what whoever administers may do: nothing here makes a search complete."""
    state, question = scope.state, scope.question
    yield from (ResumePrincipal(principal) for principal in sorted(question.affected))
    yield from (DeleteSodSet(sod_set) for sod_set in sorted(state.sod_sets))
    held = _assigned_now(state, question.principal)
    yield from (AddParent(role, parent) for role in sorted(held) for parent in worth)
    if isinstance(question.goal, MayDo):
        new = RoleId(NEW)
        yield from (_granting(role, question.goal) for role in sorted({*held, *worth, new}))
        yield from (CreateRole(new), AssignRole(question.principal, new))
    for role in sorted({*held, *worth}):
        parents = sorted(state.roles.parents[role])
        yield from (RemoveParent(role, parent) for parent in parents)


def _granting(role: RoleId, goal: MayDo) -> CreateClaim:
    claim = ClaimId(f"{NEW}-{role}"[:128])
    return CreateClaim(Claim(claim, role, Exactly(goal.action), Exactly(goal.resource)))


def _assigned_now(state: Organization, principal: PrincipalId) -> frozenset[RoleId]:
    groups = groups_of(state, principal) if principal in state.principals else frozenset()
    shared = {role for group in groups for role in state.group_assignments.of(group)}
    return frozenset(state.assignments.of(principal)) | shared
