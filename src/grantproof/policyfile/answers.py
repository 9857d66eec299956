"""Answers as documents: decisions with their evidence, and explanations, the same at every door.

`of` and `evaluation` take core values; what is evidence, `answer_cores` reads back.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType
from pydantic import Field

from grantproof.core import certificate as core
from grantproof.core import constraints, model
from grantproof.core.identifiers import RoleId
from grantproof.core.messages import reason_message
from grantproof.core.metering import FOREVER, Counter, Span, limit_on, window
from grantproof.core.policy import (
    Allow,
    ConstraintFailed,
    Decision,
    Deny,
    NoMatchingClaim,
    NoRole,
    Reason,
    SessionClash,
    Suspended,
    UnknownOrganization,
    UnknownPrincipal,
    UnknownResource,
)
from grantproof.core.sessions import NoSession
from grantproof.core.withheld import Withheld
from grantproof.policyfile import constraint_documents, documents
from grantproof.policyfile.document import Document
from grantproof.policyfile.fields import (
    ClaimField,
    GroupField,
    OrganizationField,
    PrincipalField,
    ResourceField,
    RoleField,
)
from grantproof.policyfile.value_fields import write_value

CODES: Final[Mapping[type[Reason | Withheld | NoSession], str]] = {
    UnknownOrganization: "unknown_organization",
    UnknownPrincipal: "unknown_principal",
    Suspended: "suspended",
    UnknownResource: "unknown_resource",
    SessionClash: "session_clash",
    NoSession: "no_session",
    NoRole: "no_role",
    NoMatchingClaim: "no_matching_claim",
    ConstraintFailed: "constraint_failed",
    Withheld: "withheld",
}
"""Reasons for programs."""

NO_CERTIFICATE: Final = Raw(b"null")

Seen = bool | int | str | list[str] | None


class Evaluation(msgspec.Struct, frozen=True, gc=False):
    """A decision: `reason` in words and `reason_code` for programs, both null for Allow.

    `claim_id` is the claim that grants, or the nearest one that fails. `certificate` is there when
    it was asked for, null for Deny. `revision` is the state decided on; `decided_at` and
    `valid_until` are epoch seconds: until then, time alone does not change the answer. Null means
    that it never does, or that usage or rate counts. `meter_age` is there when counters mattered:
    how many seconds ago they were read, 0 when they were counted with this answer.
    """

    decision: Literal["Allow", "Deny"]
    reason: str | None
    reason_code: str | None
    revision: int
    decided_at: int
    valid_until: int | None
    claim_id: str | UnsetType = UNSET
    certificate: Raw | UnsetType = UNSET
    meter_age: int | UnsetType = UNSET


def evaluation(
    outcome: model.Claim | Reason | Withheld | NoSession,
    *,
    revision: int,
    decided_at: int,
    valid_until: int | None,
    certificate: core.Certificate | UnsetType | None = UNSET,
    meter_age: int | UnsetType = UNSET,
) -> Evaluation:
    """Return the written form of a decision: the granting claim, or the reason of the deny."""
    proof = UNSET if certificate is UNSET else _certified(certificate)
    if isinstance(outcome, model.Claim):
        return Evaluation(
            "Allow",
            None,
            None,
            revision,
            decided_at,
            valid_until,
            str(outcome.id),
            proof,
            meter_age,
        )
    return Evaluation(
        "Deny",
        reason_message(outcome),
        CODES[type(outcome)],
        revision,
        decided_at,
        valid_until,
        str(outcome.claim) if isinstance(outcome, ConstraintFailed) else UNSET,
        proof,
        meter_age,
    )


def _certified(certificate: core.Certificate | None) -> Raw:
    if certificate is None:
        return NO_CERTIFICATE
    return Raw(Certificate.of(certificate).model_dump_json().encode())


def outcome(decision: Decision, instead: NoSession | None) -> dict[str, object]:
    """Return the fields that tell a decision, or that there is no such session instead of it."""
    reason = decision.reason if isinstance(decision, Deny) else None
    denied = reason if instead is None else instead
    proof = decision.certificate if isinstance(decision, Allow) else None
    return {
        "decision": "Allow" if denied is None else "Deny",
        "reason": None if denied is None else reason_message(denied),
        "reason_code": None if denied is None else CODES[type(denied)],
        "certificate": None if proof is None else Certificate.of(proof),
    }


class Observation(Document):
    """A constraint, what it looked at, and whether it held."""

    constraint: constraint_documents.Constraint
    """The condition."""
    saw: list[Seen]
    """One value, or two: hour and weekday of a time window, both sides of an attribute.

    Of a radius how many metres away the request came from, never from where.
    """
    held: bool
    """Whether it held."""

    @classmethod
    def of(cls, seen: constraints.Observation) -> "Observation":
        """Return the written form of the core value."""
        return cls.holding(
            constraint=constraint_documents.of(seen.constraint),
            saw=[None if value is None else write_value(value) for value in seen.saw],
            held=seen.held,
        )


class Certificate(Document):
    """Why a request was allowed: everything that the decision rests on."""

    organization: OrganizationField
    """The organization."""
    revision: int
    """Its state."""
    instant: int
    """When, in epoch seconds."""
    principal: PrincipalField
    """Who asked."""
    groups: list[GroupField]
    """From a group of the principal outward to the one that holds the assignment; often empty."""
    start: int | None = Field(alias="from")
    """The first instant at which the assignment is valid; null means since always."""
    end: int | None = Field(alias="until")
    """The first instant at which it is not any more; null means never."""
    roles: list[RoleField]
    """From the assigned role up to the one that holds the claim."""
    claim: documents.Claim
    """The claim that grants."""
    resources: list[ResourceField]
    """From the requested resource up to the one that the claim names."""
    observations: list[Observation]
    """What each constraint of the claim saw."""

    @classmethod
    def of(cls, certificate: core.Certificate) -> "Certificate":
        """Return the written form of the core value."""
        return cls.holding(
            organization=certificate.organization,
            revision=certificate.revision,
            instant=certificate.instant,
            principal=certificate.principal,
            groups=list(certificate.groups),
            start=certificate.validity.start,
            end=certificate.validity.end,
            roles=list(certificate.roles),
            claim=documents.Claim.of(certificate.claim),
            resources=list(certificate.resources),
            observations=[Observation.of(seen) for seen in certificate.observations],
        )


class WeighedClaim(Document):
    """A claim of the organization on the requested action and resource."""

    claim: documents.Claim
    """The claim."""
    active: bool
    """Whether a role that counts for the request holds it."""
    observations: list[Observation]
    """What each of its constraints saw."""

    @classmethod
    def of(
        cls, claim: model.Claim, observations: Iterable[constraints.Observation], *, active: bool
    ) -> "WeighedClaim":
        """Return the written form of a claim and what it saw."""
        return cls.holding(
            claim=documents.Claim.of(claim),
            active=active,
            observations=[Observation.of(seen) for seen in observations],
        )


class Usage(Document):
    """How often a principal used a claim in one window of time (UTC)."""

    principal: PrincipalField
    """Who."""
    claim: ClaimField
    """Which claim."""
    span: Span
    """How long is counted: `minute` for a rate limit, the others for quotas."""
    start: int = Field(alias="from")
    """The first instant of the window, in epoch seconds; 0 for `total`."""
    end: int | None = Field(alias="until")
    """The first instant after it; null means that counting never starts again."""
    used: int
    """How often."""
    limit: int | None
    """The first count that is denied; null when the claim has no such limit any more."""

    @classmethod
    def of(cls, counter: Counter, used: int, *, claim: model.Claim | None) -> "Usage":
        """Return the written form of a counter of the claim, which may be gone meanwhile."""
        end = window(counter.span, counter.start).end
        return cls.holding(
            principal=counter.principal,
            claim=counter.claim,
            span=counter.span,
            start=counter.start,
            end=None if end == FOREVER else end,
            used=used,
            limit=None if claim is None else limit_on(counter, claim),
        )


class Explanation(Document):
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

    @classmethod
    def of(
        cls,
        decision: Decision,
        *,
        effective_roles: Iterable[RoleId],
        active_roles: Iterable[RoleId],
        claims: list[WeighedClaim],
        revision: int,
        decided_at: int,
        instead: NoSession | None = None,
    ) -> "Explanation":
        """Return the written form of a decision and what bore on it.

        `instead` is said where there is no such session, and the decision knows of none.
        """
        return cls.holding(
            **outcome(decision, instead),
            effective_roles=list(effective_roles),
            active_roles=list(active_roles),
            claims=claims,
            revision=revision,
            decided_at=decided_at,
        )
