"""Answers of the decision point as HTTP says them, to those who may know what exists and others."""

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from grantproof.api.problems import ItemProblem
from grantproof.core.certificate import Certificate
from grantproof.core.policy import (
    NoMatchingClaim,
    Suspended,
    UnknownOrganization,
    UnknownPrincipal,
    UnknownResource,
)
from grantproof.policyfile import answers
from grantproof.policyfile.answers import Evaluation
from grantproof.service.pdp import Answer

TELLING: Final = (UnknownOrganization, UnknownPrincipal, Suspended, UnknownResource)
"""Reasons that tell what exists: only for callers who may know it."""

UNTOLD: Final = NoMatchingClaim()


class ItemError(msgspec.Struct, frozen=True, gc=False):
    """The place of a malformed item among the answers of a batch."""

    error: ItemProblem


class BatchEvaluation(msgspec.Struct, frozen=True, gc=False):
    """The answers to a batch, each in the place of its question; one revision, one instant."""

    items: list[Evaluation | ItemError]
    revision: int
    decided_at: int


encode: Final = msgspec.json.Encoder().encode


def evaluation(
    answer: Answer, *, review: bool, certificate: Certificate | UnsetType | None = UNSET
) -> Evaluation:
    """Return the answer for a caller with or without review scope."""
    outcome, metered = answer.outcome, answer.metered
    return answers.evaluation(
        outcome if review or not isinstance(outcome, TELLING) else UNTOLD,
        revision=answer.revision,
        decided_at=answer.decided_at,
        valid_until=answer.valid_until,
        certificate=certificate,
        meter_age=UNSET if metered is None else metered.age,
    )
