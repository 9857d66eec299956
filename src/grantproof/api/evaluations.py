"""Answers of the decision point as HTTP says them: a word, a reason, and a place in time."""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from grantproof.api.problems import ItemProblem
from grantproof.api.schemas.certificates import Certificate
from grantproof.core.certificate import Certificate as CoreCertificate
from grantproof.core.messages import reason_message
from grantproof.core.model import Claim
from grantproof.core.policy import (
    ConstraintFailed,
    NoMatchingClaim,
    NoRole,
    Reason,
    SessionClash,
    Suspended,
    UnknownOrganization,
    UnknownPrincipal,
    UnknownResource,
)
from grantproof.service.pdp import Answer

CODES: Final[Mapping[type[Reason], str]] = {
    UnknownOrganization: "unknown_organization",
    UnknownPrincipal: "unknown_principal",
    Suspended: "suspended",
    UnknownResource: "unknown_resource",
    SessionClash: "session_clash",
    NoRole: "no_role",
    NoMatchingClaim: "no_matching_claim",
    ConstraintFailed: "constraint_failed",
}
TELLING: Final = (UnknownOrganization, UnknownPrincipal, Suspended, UnknownResource)
"""Reasons that tell what exists: only for callers who may know it."""

UNTOLD: Final = NoMatchingClaim()


class Evaluation(msgspec.Struct, frozen=True, gc=False):
    """A decision: `reason` in words and `reason_code` for programs, both null for Allow.

    `claim_id` is the claim that grants, or the nearest one that fails. `certificate` is there when
    it was asked for, null for Deny. `revision` is the state decided on; `decided_at` and
    `valid_until` are epoch seconds: until then, time alone does not change the answer. Null means
    that it never does, or that usage or rate counts.
    """

    decision: Literal["Allow", "Deny"]
    reason: str | None
    reason_code: str | None
    revision: int
    decided_at: int
    valid_until: int | None
    claim_id: str | UnsetType = UNSET
    certificate: Raw | UnsetType = UNSET


class ItemError(msgspec.Struct, frozen=True, gc=False):
    """The place of a malformed item among the answers of a batch."""

    error: ItemProblem


class BatchEvaluation(msgspec.Struct, frozen=True, gc=False):
    """The answers to a batch, each in the place of its question; one revision, one instant."""

    items: list[Evaluation | ItemError]
    revision: int
    decided_at: int


encode: Final = msgspec.json.Encoder().encode
NO_CERTIFICATE: Final = Raw(b"null")


def evaluation(answer: Answer, *, review: bool, certificate: Raw | UnsetType = UNSET) -> Evaluation:
    """Return the answer for a caller with or without review scope."""
    outcome = answer.outcome
    if isinstance(outcome, Claim):
        return Evaluation(
            "Allow",
            None,
            None,
            answer.revision,
            answer.decided_at,
            answer.valid_until,
            str(outcome.id),
            certificate,
        )
    told = outcome if review or not isinstance(outcome, TELLING) else UNTOLD
    return Evaluation(
        "Deny",
        reason_message(told),
        CODES[type(told)],
        answer.revision,
        answer.decided_at,
        answer.valid_until,
        str(told.claim) if isinstance(told, ConstraintFailed) else UNSET,
        certificate,
    )


def certified(certificate: CoreCertificate | None) -> Raw:
    """Return the certificate as it stands in an evaluation."""
    if certificate is None:
        return NO_CERTIFICATE
    return Raw(Certificate.of(certificate).model_dump_json().encode())
