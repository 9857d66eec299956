"""Many questions on one organization, cheaply: every principal, action and resource of few names.

Drawing an organization costs more than a hundred decisions on it. A survey asks them, at instants
on and beside the boundaries of its validities.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle, pairwise, product

from grantproof.core.constraints import Context
from grantproof.core.identifiers import Action, PrincipalId, ResourceId, RoleId
from grantproof.core.matching import Request
from grantproof.core.organization import Organization
from tests.strategies.questions import favourable

ACTIONS = (Action("read"), Action("administer"))
STRANGER = PrincipalId("zoe")
UNREGISTERED = ResourceId("unregistered")


def targets(state: Organization) -> list[tuple[ResourceId, str | None]]:
    """Registered and implicit resources, one of each declared kind, and an unknown one."""
    there = sorted(state.resources)
    return [
        *((resource, None) for resource in there),
        *((resource, state.resources[resource].kind) for resource in there[:1]),
        *((resource, "folder") for resource in there[:1]),
        *((resource, None) for resource in sorted(state.implicit_resources())[:3]),
        *((UNREGISTERED, kind) for kind in sorted(state.resources_of_kind)),
        (UNREGISTERED, None),
    ]


def sessions(state: Organization) -> list[frozenset[RoleId] | None]:
    """No session, as often as all others together; sessions of no, one and two roles."""
    names = sorted(state.roles)
    ones = [frozenset({role}) for role in names]
    twos = [frozenset(two) for two in pairwise(names)]
    chosen = [frozenset[RoleId](), *ones, *twos]
    return [session for one in chosen for session in (None, one)]


def instants(state: Organization) -> list[int]:
    """The instants on and beside the boundaries of all validities."""
    assigned = (*state.assignments.triples(), *state.group_assignments.triples())
    edges = {edge for _, _, term in assigned for edge in (term.start, term.end) if edge is not None}
    return sorted({max(0, edge + off) for edge in {0, *edges} for off in (-1, 0, 1)})


def survey(state: Organization, context: Context) -> Iterator[tuple[Request, Context]]:
    """Ask everything of everybody, sessions and instants taking turns."""
    turns = cycle(product(sessions(state), instants(state)))
    moments = cycle(favoured(state, context))
    people, aims = sorted(state.principals), targets(state)
    asked = [
        *product(people, ACTIONS, aims),
        *product([STRANGER], ACTIONS, aims[:2]),
    ]
    for (principal, action, (resource, kind)), (session, instant) in zip(
        asked, turns, strict=False
    ):
        request = Request(principal, action, resource, kind, session)
        yield request, replace(next(moments), instant=instant)


def favoured(state: Organization, context: Context) -> list[Context]:
    """The context as it is, and changed in favour of each claim under constraints."""
    every = [state.claims[claim] for claim in sorted(state.claims)]
    limited = [claim for claim in every if len(claim.constraints) > 0]
    someone = min(state.principals, default=STRANGER)
    return [context, *(favourable(context, claim, someone) for claim in limited)]
