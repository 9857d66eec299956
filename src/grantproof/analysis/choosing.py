"""What some session allows, where a dynamic set makes principals choose among their roles."""

from collections.abc import Iterable
from dataclasses import replace

from grantproof.analysis.principals import dynamic_sets, never_active
from grantproof.core.constraints import Context
from grantproof.core.matching import Request
from grantproof.core.model import Claim
from grantproof.core.organization import Organization, with_fact, without_fact
from grantproof.core.policy import Allow, SessionClash, evaluate
from grantproof.core.rights import claims_of


def unbound(state: Organization) -> Organization:
    """Return the state in which nobody has to choose: it allows what the other does in a session.

    A session of one role has the least active with it. So whatever any session allows, that of the
    role of a claim does; and only claims of roles that nobody can have active are out of reach.
    """
    dead = [claim for role in never_active(state) for claim in claims_of(state, role)]
    for one in dynamic_sets(state):
        # It stays, as a resource that may be asked about.
        state = with_fact(without_fact(state, one), replace(one, mode="static"))
    for claim in dead:
        state = without_fact(state, claim)
    return state


def granted(
    state: Organization, request: Request, context: Context, *, claims: Iterable[Claim]
) -> tuple[Request, Allow] | None:
    """Return the request as it is allowed; nothing if it is not.

    Where too many roles are active that is in a session of the role of one of the claims.
    """
    decision = evaluate(state, request, context)
    if isinstance(decision, Allow):
        return request, decision
    if isinstance(decision.reason, SessionClash):
        for claim in claims:
            asked = replace(request, active_roles=frozenset({claim.role}))
            decision = evaluate(state, asked, context)
            if isinstance(decision, Allow):
                return asked, decision
    return None
