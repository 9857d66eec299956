"""Why a request is allowed or denied: everything that bore on it."""

from typing import Literal

from grantproof.api.schemas.answer import Answer
from grantproof.api.schemas.certificates import Certificate, Observation
from grantproof.policyfile import documents
from grantproof.policyfile.fields import RoleField
from grantproof.service.review import Weighed


class WeighedClaim(Answer):
    """A claim of the organization on the requested action and resource."""

    claim: documents.Claim
    """The claim."""
    active: bool
    """Whether a role that counts for the request holds it."""
    observations: list[Observation]
    """What each of its constraints saw."""

    @classmethod
    def of(cls, weighed: Weighed) -> "WeighedClaim":
        """Return the written form of a claim and what it saw."""
        return cls.model_construct(
            claim=documents.Claim.of(weighed.claim),
            active=weighed.active,
            observations=[Observation.of(seen) for seen in weighed.observations],
        )


class Explanation(Answer):
    """A decision and everything that bore on it."""

    decision: Literal["Allow", "Deny"]
    """The decision of the reference, made apart from the one that `POST /evaluate` uses."""
    reason: str | None
    """Why not, in words."""
    reason_code: str | None
    """Why not, for programs."""
    certificate: Certificate | None
    """The evidence of an allow."""
    effective_roles: list[RoleField]
    """What the principal holds at the instant."""
    active_roles: list[RoleField]
    """What of it counts for the request."""
    claims: list[WeighedClaim]
    """Every claim on the action and resource, those of roles that are not active included."""
    revision: int
    """The state decided on."""
    decided_at: int
    """When, in epoch seconds."""
