"""What went wrong, as RFC 9457 says it: `application/problem+json`, one code for one cause.

A problem is a value, and `Refused` the exception that carries it to the door. `error` repeats the
one-line `detail` for those who look no further.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from grantproof.core.errors import Illegal, Refusal
from grantproof.core.messages import refusal_message, session_message
from grantproof.core.sessions import SessionRefusal
from grantproof.policyfile.witnesses import (
    Witness,
    kind_of,
    session_kind_of,
    session_witness_of,
    witness_of,
)
from grantproof.service.ports import StoreError, StoreUnavailable, StoreUncertain

MEDIA_TYPE: Final = "application/problem+json"
TYPE_PREFIX: Final = "urn:grantproof:problem:"
RETRY_SECONDS: Final = "1"
FAULTS_TOLD: Final = 3
FAULTS_LISTED_MAX: Final = 100

KINDS: Final[Mapping[str, tuple[int, str]]] = {
    "invalid": (400, "invalid request"),
    "malformed_json": (400, "malformed JSON"),
    "unauthenticated": (401, "credential required"),
    "bound_caller": (403, "bound to one organization"),
    "cross_site": (403, "from another site"),
    "forbidden_organization": (403, "not your organization"),
    "insufficient_scope": (403, "scope required"),
    "not_permitted": (403, "not permitted to the author"),
    "unbound_caller": (403, "no organization of your own"),
    "untrusted_context": (403, "context from an untrusted caller"),
    "no_such_route": (404, "no such route"),
    "not_found": (404, "not found"),
    "method_not_allowed": (405, "method not allowed"),
    "too_slow": (408, "too slow"),
    "already_exists": (409, "exists already"),
    "already_so": (409, "is so already"),
    "breaks_guardrail": (409, "guardrail"),
    "breaks_sod": (409, "separation of duty"),
    "idempotency_in_progress": (409, "still at work"),
    "last_administrator": (409, "last administrator"),
    "missing": (409, "reference to something that does not exist"),
    "named_by_guardrail": (409, "named by a guardrail"),
    "named_by_sod_set": (409, "named by a separation-of-duty set"),
    "not_held": (409, "role not held"),
    "over_limit": (409, "over a limit"),
    "session_clash": (409, "dynamic separation of duty"),
    "suspended": (409, "principal suspended"),
    "still_referenced": (409, "still referred to"),
    "would_cycle": (409, "cycle"),
    "stale": (412, "changed meanwhile"),
    "body_too_large": (413, "body too large"),
    "wrong_host": (421, "not the address of this service"),
    "unsupported_media_type": (415, "unsupported media type"),
    "idempotency_key_reused": (422, "key used for another request"),
    "rate_limited": (429, "too many requests"),
    "too_many_attempts": (429, "too many unknown credentials"),
    "head_too_large": (431, "headers too large"),
    "contract_broken": (500, "refused by a check of the service itself"),
    "internal": (500, "internal error"),
    "store_unusable": (500, "stored data unusable"),
    "authentication_unavailable": (503, "credentials cannot be checked"),
    "decision_log_full": (503, "decision log full"),
    "contended": (503, "too many writers"),
    "guardrail_undetermined": (503, "guardrail not checked"),
    "not_current": (503, "not current"),
    "not_ready": (503, "not ready"),
    "revision_not_reached": (503, "revision not reached"),
    "store_unavailable": (503, "store unavailable"),
    "too_many_connections": (503, "too many connections"),
    "too_many_waiting": (503, "too many waiting"),
    "undetermined": (503, "not determined"),
}
"""Every code, with its status and its title."""


class Fault(msgspec.Struct, frozen=True):
    """A part of the request that is at fault, and the rule that it breaks."""

    field: str
    rule: str


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=True, rename={"kind": "type"}):
    """What went wrong (RFC 9457). `error` is the same message as `detail`.

    `errors` names each field at fault and the rule that it breaks; `witness` is the evidence
    against a refused change.
    """

    kind: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    error: str
    errors: tuple[Fault, ...] = ()
    witness: Witness | None = None


class ItemProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong with one item of a batch: what its own request would have been told."""

    status: int
    code: str
    detail: str
    errors: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A cause by its code, in words, with the evidence; `headers` belong to the answer."""

    code: str
    detail: str
    faults: tuple[Fault, ...] = ()
    witness: Witness | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def status(self) -> int:
        """The status of the answer."""
        return KINDS[self.code][0]

    def body(self, request_id: str) -> bytes:
        """Return the document."""
        status, title = KINDS[self.code]
        return msgspec.json.encode(
            ProblemBody(
                kind=TYPE_PREFIX + self.code,
                title=title,
                status=status,
                detail=self.detail,
                code=self.code,
                request_id=request_id,
                error=self.detail,
                errors=self.faults,
                witness=self.witness,
            )
        )

    def item(self) -> ItemProblem:
        """Return the problem as that of one item of a batch."""
        return ItemProblem(self.status, self.code, self.detail, self.faults)


class Refused(Exception):
    """The request is not answered but with `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


INTERNAL: Final = Problem("internal", "something went wrong on the server: try again")
UNSOUND: Final = Problem(
    "contract_broken",
    "the change did not pass a check of the service itself, nothing was changed: tell the operator",
)


def later(code: str, detail: str) -> Problem:
    """Return a problem that may be gone when the same request comes again."""
    return Problem(code, detail, headers=(("Retry-After", RETRY_SECONDS),))


NOT_READY: Final = later("not_ready", "the service is starting: try again")
STOPPING: Final = later("not_ready", "the service is stopping: ask another")
NOT_CURRENT: Final = later(
    "not_current",
    "what is known here is too old to answer from, and cannot be confirmed now: try again",
)


def invalid(faults: Sequence[Fault], *, unlisted: int = 0) -> Problem:
    """Return the problem of a request with faults, at least one, and so many besides."""
    told = "; ".join(f"`{fault.field}` {fault.rule}" for fault in faults[:FAULTS_TOLD])
    more = len(faults) + unlisted - FAULTS_TOLD
    detail = told if more <= 0 else f"{told}; and {more} more"
    return Problem("invalid", detail, faults=tuple(faults[:FAULTS_LISTED_MAX]))


def illegal(broken: Illegal) -> Problem:
    """Return the problem of a value that must not exist."""
    return invalid([Fault(broken.field, broken.rule)])


def forbidden(organization: str) -> Problem:
    """Return the one answer about an organization that is another's, or nobody's."""
    return Problem(
        "forbidden_organization",
        f"organization `{organization}` is not there or not yours: use your own",
    )


def not_found(noun: str, name: str) -> Problem:
    """Return the problem of an entity that the caller's own organization does not have."""
    return Problem("not_found", f"{noun} `{name}` does not exist")


def rejected(refusal: Refusal, *, missing_is_absent: bool = False) -> Problem:
    """Return the problem of a refused command.

    With `missing_is_absent` what is missing is what the address names, so the answer is 404.
    """
    code = "not_found" if missing_is_absent else kind_of(refusal)
    return Problem(code, refusal_message(refusal), witness=witness_of(refusal))


def unwilling(refusal: SessionRefusal, *, missing_is_absent: bool = False) -> Problem:
    """Return the problem of a session that is not opened or changed; else as `rejected` does."""
    code = "not_found" if missing_is_absent else session_kind_of(refusal)
    return Problem(code, session_message(refusal), witness=session_witness_of(refusal))


def store_problem(error: StoreError) -> Problem:
    """Return what a caller is told of a failing store; where it is stays in the log."""
    if isinstance(error, StoreUncertain):
        return later("store_unavailable", "the change was made or not: look before trying again")
    if isinstance(error, StoreUnavailable):
        return later("store_unavailable", "the store cannot be reached: try again")
    return Problem("store_unusable", "the stored data cannot be used: ask the operator")
