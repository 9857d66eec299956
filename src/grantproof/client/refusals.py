"""What a guarded application tells somebody whom it refuses: nothing but that it does.

The reason of a Deny may tell what exists, so it is for the log of the application only.
"""

import json
import logging
from dataclasses import dataclass
from typing import Final

from grantproof.client.results import CallerError, Decision, Deny, Undetermined

MEDIA_TYPE: Final = "application/problem+json"
INVALID: Final = 400

log = logging.getLogger("grantproof.client")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A problem document (RFC 9457) of that status.

    What passes may be asked again after `retry_after` seconds.
    """

    status: int
    title: str
    detail: str
    retry_after: int | None = None

    @property
    def document(self) -> dict[str, object]:
        """The members of the document."""
        return {
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }

    @property
    def body(self) -> bytes:
        """The document as JSON."""
        return json.dumps(self.document).encode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an answer that has this body."""
        told = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(self.body))}
        return told if self.retry_after is None else told | {"Retry-After": str(self.retry_after)}


UNKNOWN: Final = Refusal(401, "Unauthorized", "say who you are")
FORBIDDEN: Final = Refusal(403, "Forbidden", "you are not allowed to do this")
UNAVAILABLE: Final = Refusal(
    503,
    "Service Unavailable",
    "whether you are allowed to do this is not known: try again",
    retry_after=1,
)


def refusal(decision: Decision) -> Refusal | None:
    """Return what is told of a decision; nothing when it is allowed."""
    if isinstance(decision, Undetermined):
        log.warning(
            "undetermined: %s: %s (request %s)",
            decision.code,
            decision.detail,
            decision.request_id,
        )
        return UNAVAILABLE
    if isinstance(decision, Deny):
        log.info("denied: %s: %s (request %s)", decision.code, decision.reason, decision.request_id)
        return FORBIDDEN
    return None


def refused_question(error: CallerError) -> Refusal:
    """Return what is told when the question itself is illegal; raises it when it is not that.

    An address may name what cannot exist, which nobody is allowed. That the application's own
    credential does not count is a defect of the application, and is raised.
    """
    if error.status != INVALID:
        raise error
    log.warning("denied: the question is illegal: %s", error.detail)
    return FORBIDDEN
