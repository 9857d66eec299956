"""The check that powers are an invariant which excludes the goal: by definitions, not by patterns.

It asks of every role what `rights.required` says that it takes to give it, and whether the people,
held to the powers, might have that. It shares with the search only what they might hold and use.
"""

from collections.abc import Callable
from functools import cache

from grantproof.analysis.reachability.powers import Powers, excluded, held_within, may_use
from grantproof.analysis.reachability.question import Question
from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.commands.language import AssignRole
from grantproof.core.identifiers import Action
from grantproof.core.matching import Target, action_matches, claim_matches
from grantproof.core.model import ADMINISTER, Claim
from grantproof.core.organization import Organization
from grantproof.core.rights import Need, Right, claims_of, required


def violations(state: Organization, question: Question, bound: Powers) -> tuple[str, ...]:
    """Return why the powers do not show that it cannot be brought about: nothing if they do."""
    claims = _claims(state, question, bound)
    found: list[str] = []
    if not bound.structural and any(action_matches(one.action, ADMINISTER) for one in claims):
        found.append("somebody might administer")

    @cache
    def doing(action: Action) -> tuple[Claim, ...]:
        return tuple(one for one in claims if action_matches(one.action, action))

    for role in sorted(frozenset(state.roles) - bound.givable):
        needs = required(state, AssignRole(question.principal, role))
        # Who may change the structure can take from a role what it inherits.
        asked = needs[:1] if bound.structural else needs
        if all(_might(need, doing) for need in asked):
            found.append(f"somebody might give `{role}`")
    if not excluded(state, question, bound):
        found.append("the goal is not excluded")
    return tuple(found)


def _claims(state: Organization, question: Question, bound: Powers) -> list[Claim]:
    """Return the claims that one of the people might use, each once."""
    able = (
        person
        for person in sorted(question.people)
        if bound.structural or (person in state.principals and state.principals[person].active)
    )
    found = {
        claim.id: claim
        for person in able
        for role in sorted(held_within(state, question, bound, principal=person))
        for claim in claims_of(state, role)
        if may_use(state, question, bound, person=person, claim=claim)
    }
    return list(found.values())


def _might(need: Need, doing: Callable[[Action], tuple[Claim, ...]]) -> bool:
    """Return whether one of the claims gives the right; `doing` finds those to an action."""
    if not isinstance(need, Right):
        return False
    kind = need.resource.partition(":")[0]
    target = Target(need.resource, kind, (need.resource,), NO_ATTRIBUTES)
    return any(claim_matches(claim, need.action, target) for claim in doing(need.action))
