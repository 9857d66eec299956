"""What answers the routes of AuthZEN, and how it says that it does not.

An error is a status, and a message that is nothing but text.
https://openid.net/specs/authorization-api-1_0.html, section 10.1.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Final, Protocol

from grantproof.api import decisions, front
from grantproof.api.authzen.evaluation import Evaluations
from grantproof.api.authzen.meaning import Meaning
from grantproof.api.authzen.search import Searches
from grantproof.api.problems import Problem, Refused
from grantproof.api.recording import Diary
from grantproof.service.authzen import SubjectTypes, Trusted
from grantproof.service.callers import Caller
from grantproof.service.pdp import DecisionPoint
from grantproof.settings import Settings

MEDIA_TYPE: Final = "text/plain; charset=utf-8"
PLAIN_TYPE: Final = (b"content-type", MEDIA_TYPE.encode())
UNSUPPORTED: Final = 415
MALFORMED: Final = 400

REQUEST_ID: Final = b"x-request-id"
FIT_TO_SEND: Final = re.compile(rb"[!-~](?:[\t -~]*[!-~])?")
"""What a header may be (RFC 9110, section 5.5), but for octets that nobody should send."""

UNBOUND: Final = Problem(
    "unbound_caller",
    "this path is for credentials of one organization:"
    f" use that of the organization, `{front.OF_ORGANIZATION}{front.EVALUATION}` and so on",
)


class AnsweringOf(Protocol):
    """What answers a body about an organization."""

    def __call__(
        self, body: bytes, caller: Caller, diary: Diary | None, /, *, organization: str
    ) -> Awaitable[bytes]:
        """Return the answer; raises `Refused` or `StoreError`."""
        ...


class Answers:
    """The answers of AuthZEN, by their paths."""

    def __init__(
        self, following: decisions.Decisions, point: DecisionPoint, settings: Settings
    ) -> None:
        types = SubjectTypes.read(settings.authzen_subject_types)
        meaning = Meaning(types, Trusted.read(settings.authzen_trusted))
        evaluations = Evaluations(following, point, meaning)
        searches = Searches(following, point, meaning)
        self._answering: dict[str, AnsweringOf] = {
            front.EVALUATION: evaluations.single,
            front.EVALUATIONS: evaluations.several,
            front.SEARCH_SUBJECT: searches.subject,
            front.SEARCH_RESOURCE: searches.resource,
            front.SEARCH_ACTION: searches.action,
        }

    def answering(
        self, path: str, organization: str | None, caller: Caller
    ) -> Callable[[bytes, Caller, Diary | None], Awaitable[bytes]]:
        """Return what answers there: about the organization of the address, or the caller's own.

        Raises `Refused` when there is neither.
        """
        found = caller.organization if organization is None else organization
        if found is None:
            raise Refused(UNBOUND)
        # Plain text: it is written to the log, which does not take an id for one.
        return partial(self._answering[path], organization=str(found))


def status_of(problem: Problem) -> int:
    """Return the status: a body of another type than JSON is malformed, as the standard says."""
    return MALFORMED if problem.status == UNSUPPORTED else problem.status


def echoed(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes] | None:
    """Return the header that tells the id of a request again, as it is, if the request has one."""
    for name, value in headers:
        if name == REQUEST_ID:
            return (name, value) if FIT_TO_SEND.fullmatch(value) is not None else None
    return None
