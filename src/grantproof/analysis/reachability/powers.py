"""An over-approximation for organizations: roles that the people might give, if nothing forbade.

Whoever may give a role may give it to all of them, so they are taken as one. Separation of duty,
limits and whose right is used are left out. As long as nobody comes to `administer` anything, every
change assigns or revokes: roles, edges and claims stay. Otherwise the structure may change too, and
the law P-ESCALATE bounds it: claims only come from who holds or may delegate them, roles only from
who may assign them. Then every constraint may hold, every claim of the people may become the
principal's, and what is on a resource may become so of any.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grantproof.analysis.reachability.question import Holds, Question
from grantproof.analysis.reads import read_of_resources
from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.constraints import Situation, all_hold, holds
from grantproof.core.containment import administrative
from grantproof.core.hierarchy import assigned_roles, closure, groups_of
from grantproof.core.identifiers import Action, PrincipalId, ResourceId, RoleId
from grantproof.core.matching import Request, action_matches, claim_matches, resolve
from grantproof.core.model import (
    ADMINISTER,
    ADMINISTRATIVE_ACTIONS,
    Any,
    Claim,
    Exactly,
    OfKind,
    ResourcePattern,
    Within,
)
from grantproof.core.organization import Organization
from grantproof.core.rights import ASSIGN, DELEGATE, claims_of


@dataclass(frozen=True, slots=True)
class Powers:
    """What the people might come to be able to do: an invariant of every state they can lead to.

    `givable` are the roles that one of them might give; every role held is one of these, or was
    held, or is inherited from one that is. `structural` is whether one of them might `administer`
    something. Without `timeless` this is so in the context asked about; with it, in every context
    and at every instant.
    """

    givable: frozenset[RoleId]
    structural: bool
    timeless: bool


def powers(state: Organization, question: Question, *, timeless: bool) -> Powers:
    """Return the least powers that no change of the people leads out of."""
    found = Powers(frozenset(), structural=False, timeless=timeless)
    while (more := _grown(state, question, found)) != found:
        found = more
    return found


def excluded(state: Organization, question: Question, bound: Powers) -> bool:
    """Return whether people of no more than these powers cannot bring it about."""
    goal, principal = question.goal, question.principal
    held = held_within(state, question, bound, principal=principal)
    if isinstance(goal, Holds):
        made = bound.structural and goal.role not in state.roles
        assignable = usable(state, question, bound, action=ASSIGN)
        return goal.role not in held and not (made and named(assignable, "role", goal.role))
    stored = state.principals.get(principal)
    if bound.structural:
        theirs = (held_within(state, question, bound, principal=one) for one in question.people)
        claims = [claim for roles in (held, *theirs) for claim in _claims(state, roles)]
        delegable = usable(state, question, bound, action=DELEGATE)
        ordinary = goal.action not in ADMINISTRATIVE_ACTIONS
        return not (ordinary and len(delegable) > 0) and not any(
            action_matches(claim.action, goal.action) for claim in claims
        )
    target = resolve(state, Request(principal, goal.action, goal.resource, goal.kind))
    if stored is None or not stored.active or target is None:
        return True
    situation = Situation(goal.context, principal, stored.attributes, target.attributes)
    return not any(
        claim_matches(claim, goal.action, target)
        and (bound.timeless or all_hold(claim.constraints, situation))
        for claim in _claims(state, held)
    )


def held_within(
    state: Organization, question: Question, bound: Powers, *, principal: PrincipalId
) -> frozenset[RoleId]:
    """Return every role that the principal might come to hold."""
    if principal not in state.principals:
        assigned: frozenset[RoleId] = frozenset()
    elif bound.timeless:
        groups = groups_of(state, principal)
        shared = {role for group in groups for role in state.group_assignments.of(group)}
        assigned = frozenset(state.assignments.of(principal)) | shared
    else:
        assigned = assigned_roles(state, principal, question.context.instant)
    return closure(assigned | bound.givable, state.roles.parents)


def usable(
    state: Organization, question: Question, bound: Powers, *, action: Action
) -> frozenset[ResourcePattern]:
    """Return on what one of the people might do the administrative action."""
    found: set[ResourcePattern] = set()
    for person in question.people:
        stored = state.principals.get(person)
        able = bound.structural or (stored is not None and stored.active)
        for role in held_within(state, question, bound, principal=person) if able else ():
            for claim in claims_of(state, role):
                if claim.action == Exactly(action) and may_use(
                    state, question, bound, person=person, claim=claim
                ):
                    found.add(claim.resource)
    return frozenset(found)


def may_use(
    state: Organization, question: Question, bound: Powers, *, person: PrincipalId, claim: Claim
) -> bool:
    """Return whether the constraints of the claim might hold when the person makes a change.

    What a constraint says of the resource is not looked at: it may be any.
    """
    if bound.timeless or bound.structural:
        return True
    stored = state.principals[person].attributes
    situation = Situation(question.context, person, stored, NO_ATTRIBUTES)
    return all(
        len(read_of_resources((each,))) > 0 or holds(each, situation) for each in claim.constraints
    )


def named(patterns: frozenset[ResourcePattern], kind: str, entity: str) -> bool:
    """Return whether one of the patterns matches the role, group or set as a resource."""
    itself = ResourceId(f"{kind}:{entity}")
    return not patterns.isdisjoint({Any(), OfKind(kind), Exactly(itself), Within(itself)})


def administrative_ancestors(state: Organization, role: RoleId) -> frozenset[RoleId]:
    """Return the roles that come with the role and carry administrative claims themselves."""
    return frozenset(
        ancestor
        for ancestor in closure({role}, state.roles.parents) - {role}
        if any(administrative(claim.action) for claim in claims_of(state, ancestor))
    )


def _grown(state: Organization, question: Question, bound: Powers) -> Powers:
    administered = usable(state, question, bound, action=ADMINISTER)
    structural = bound.structural or len(administered) > 0
    patterns = usable(state, question, bound, action=ASSIGN)
    givable = frozenset(role for role in state.roles if named(patterns, "role", role))
    if not structural:
        givable = frozenset(
            role for role in givable if administrative_ancestors(state, role) <= givable
        )
    return Powers(givable, structural, bound.timeless)


def _claims(state: Organization, roles: Iterable[RoleId]) -> Iterator[Claim]:
    for role in roles:
        yield from claims_of(state, role)
