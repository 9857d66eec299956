"""Questions about who holds what, and why: review, pages and explanations.

Everything here reads one state at one revision. An explanation is made by the reference, not by the
index that decides, so the two are seen side by side.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import nsmallest
from typing import Generic, TypeVar

from grantproof.core.constraints import Context, Observation, observe
from grantproof.core.duty import active_roles
from grantproof.core.hierarchy import effective_roles
from grantproof.core.identifiers import RoleId
from grantproof.core.matching import Request, claim_matches, resolve, situate
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import Decision, evaluate

Key = TypeVar("Key", str, tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Page(Generic[Key]):
    """Some keys in order, and the last of them when there are more: ask for those after it."""

    keys: tuple[Key, ...]
    more_after: Key | None


def page(keys: Iterable[Key], *, after: Key | None, limit: int) -> Page[Key]:
    """Return at most `limit` keys greater than `after`, least first."""
    found = nsmallest(limit + 1, (key for key in keys if after is None or key > after))
    shown = tuple(found[:limit])
    return Page(shown, shown[-1] if len(found) > limit else None)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A claim on the requested action and resource, whether it is active, and what it saw."""

    claim: Claim
    active: bool
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and everything that bore on it; claims in the order of their ids.

    `weighed` has every claim of the organization that matches the action and the resource, those of
    roles that are not active included: what is missing for an allow is among them.
    """

    decision: Decision
    effective_roles: tuple[RoleId, ...]
    active_roles: tuple[RoleId, ...]
    weighed: tuple[Weighed, ...]


def explain(state: Organization, request: Request, context: Context) -> Explanation:
    """Return why the request is allowed or denied on the state, in the context."""
    decision = evaluate(state, request, context)
    if request.principal not in state.principals:
        return Explanation(decision, (), (), ())
    active = active_roles(state, request, context.instant)
    return Explanation(
        decision=decision,
        effective_roles=tuple(sorted(effective_roles(state, request.principal, context.instant))),
        active_roles=tuple(sorted(active)),
        weighed=_weigh(state, request, context, active=active),
    )


def _weigh(
    state: Organization, request: Request, context: Context, *, active: frozenset[RoleId]
) -> tuple[Weighed, ...]:
    target = resolve(state, request)
    if target is None:
        return ()
    situation = situate(state, request, context, target=target)
    return tuple(
        Weighed(
            claim,
            claim.role in active,
            tuple(observe(constraint, situation) for constraint in claim.constraints),
        )
        for claim in sorted(state.claims.values(), key=lambda claim: claim.id)
        if claim_matches(claim, request.action, target)
    )
