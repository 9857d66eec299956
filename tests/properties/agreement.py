"""How a decision of the product is compared with an answer of the oracle."""

from grantproof.core import policy
from grantproof.core.policy import Decision, Deny, Reason
from tests.properties.oracle import Answer


def as_answer(decision: Decision) -> Answer:
    """A decision in the words of the oracle."""
    if isinstance(decision, Deny):
        return Answer(None, as_words(decision.reason))
    return Answer(str(decision.certificate.claim.id))


def as_words(reason: Reason) -> tuple[object, ...]:
    """A reason in the words of the oracle."""
    match reason:
        case policy.UnknownOrganization():
            return ("organization",)
        case policy.UnknownPrincipal():
            return ("principal",)
        case policy.Suspended():
            return ("suspended",)
        case policy.UnknownResource():
            return ("resource",)
        case policy.SessionClash():
            return ("session", reason.sod_set, reason.roles, reason.n)
        case policy.NoRole():
            return ("no role",)
        case policy.NoMatchingClaim():
            return ("no claim",)
        case policy.ConstraintFailed():
            failed = tuple(observation.constraint for observation in reason.failures)
            return ("constraint", reason.claim, failed)
