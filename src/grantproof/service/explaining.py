"""Explanations as every door tells them."""

from grantproof.core.constraints import Context
from grantproof.core.metering import Readings
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import Deny
from grantproof.policyfile.answers import Explanation, WeighedClaim
from grantproof.service import review
from grantproof.service.entering import NO_SESSION, Entered, is_for_session
from grantproof.service.outcomes import Ending


def explained(
    state: Organization, inside: Entered, context: Context, *, readings: Readings
) -> tuple[Ending, Explanation]:
    """Return how the decision ended, and it with everything that bore on it."""
    found = review.explain(state, inside.request, context, readings=readings)
    reason = found.decision.reason if isinstance(found.decision, Deny) else None
    instead = NO_SESSION if is_for_session(reason, inside) else None
    told = Explanation.of(
        found.decision,
        effective_roles=found.effective_roles,
        active_roles=found.active_roles,
        claims=[
            WeighedClaim.of(one.claim, one.observations, active=one.active) for one in found.weighed
        ],
        revision=state.revision,
        decided_at=context.instant,
        instead=instead,
    )
    return (Claim if reason is None else type(instead or reason)), told
