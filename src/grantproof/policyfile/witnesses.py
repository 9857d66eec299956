"""Refusals for programs: the evidence against a change, one shape for each cause.

The fields are those of the core's own refusals; what `refusal_message` says in words is read from
the same value.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from grantproof.core.errors import (
    AlreadyExists,
    AlreadySo,
    BreaksSod,
    LastAdministrator,
    Missing,
    NamedByGuardrail,
    NamedBySodSet,
    NotPermitted,
    OverLimit,
    Refusal,
    RefusedAt,
    SingleRefusal,
    StillReferenced,
    WouldCycle,
)
from grantproof.core.policy import SessionClash, Suspended
from grantproof.core.sessions import NotHeld, SessionRefusal

Witness = dict[str, Any]
"""What a refused change is shown: `kind`, then the fields of the refusal."""

KINDS: Final[Mapping[type[SingleRefusal], str]] = {
    AlreadyExists: "already_exists",
    AlreadySo: "already_so",
    BreaksSod: "breaks_sod",
    LastAdministrator: "last_administrator",
    Missing: "missing",
    NamedByGuardrail: "named_by_guardrail",
    NamedBySodSet: "named_by_sod_set",
    NotPermitted: "not_permitted",
    OverLimit: "over_limit",
    StillReferenced: "still_referenced",
    WouldCycle: "would_cycle",
}
CAUSES: Final = {kind: cause for cause, kind in KINDS.items()}


SESSION_KINDS: Final[Mapping[type[NotHeld | SessionClash | Suspended], str]] = {
    NotHeld: "not_held",
    SessionClash: "session_clash",
    Suspended: "suspended",
}
"""Why a session is not opened or changed, beside what other changes are refused for."""


def session_kind_of(refusal: SessionRefusal) -> str:
    """Return the cause for which a session is not opened or changed."""
    if isinstance(refusal, NotHeld | SessionClash | Suspended):
        return SESSION_KINDS[type(refusal)]
    return kind_of(refusal)


def session_witness_of(refusal: SessionRefusal) -> Witness:
    """Return the evidence against a session."""
    if isinstance(refusal, NotHeld | SessionClash | Suspended):
        told: Witness = msgspec.to_builtins(refusal, enc_hook=str)
        return {"kind": SESSION_KINDS[type(refusal)], **told}
    return witness_of(refusal)


def kind_of(refusal: Refusal) -> str:
    """Return the cause of a refusal, within a change set that of the command at fault."""
    return KINDS[type(single(refusal))]


def single(refusal: Refusal) -> SingleRefusal:
    """Return the refusal of the one command at fault."""
    return refusal.refusal if isinstance(refusal, RefusedAt) else refusal


def witness_of(refusal: Refusal) -> Witness:
    """Return the evidence: of a change set with the `position` of the command at fault.

    A breach of separation of duty names, beside how each role is held, the `roles` themselves.
    """
    cause = single(refusal)
    # Ids are subclasses of `str`, which an encoder writes only when told how.
    evidence: Witness = {"kind": KINDS[type(cause)], **msgspec.to_builtins(cause, enc_hook=str)}
    if isinstance(cause, BreaksSod):
        evidence["roles"] = [str(way.roles[-1]) for way in cause.held]
    if isinstance(refusal, RefusedAt):
        evidence["position"] = refusal.position
    return evidence


def refusal_of(witness: Witness) -> Refusal | None:
    """Return the refusal that `witness_of` wrote, or nothing for anything else."""
    cause = CAUSES.get(str(witness.get("kind")))
    if cause is None:
        return None
    try:
        found: SingleRefusal = msgspec.convert(witness, cause)
    except msgspec.ValidationError:
        return None
    position = witness.get("position")
    return RefusedAt(position, found) if isinstance(position, int) else found
