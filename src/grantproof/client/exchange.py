"""One call and what came of it: requests as bytes, answers read strictly. Does no I/O.

Whatever is not exactly an answer to the question is no answer: `Undetermined`, never an `Allow`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from grantproof.client.questions import Question, written
from grantproof.client.results import (
    Allow,
    CallerError,
    Change,
    Changed,
    Decision,
    Deny,
    Document,
    Finding,
    Rejected,
    Told,
    Undetermined,
)

JSON: Final = "application/json"
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
"""More than any answer of the service has."""
RETRY_AFTER_SECONDS_MAX: Final = 3_600.0

TIMEOUT: Final = "timeout"
UNREACHABLE: Final = "unreachable"
BROKEN: Final = "broken_exchange"
"""The codes of a call without an answer."""

DONE: Final = 200
MADE: Final = frozenset({200, 201, 204})
CONFLICT: Final = 409
CONFLICTS: Final = frozenset({404, 409, 412, 422})
"""Of a change: it was understood, and refused."""
SERVICES_FAULT: Final = 500
CALLERS_FAULT: Final = 400
LATER: Final = frozenset({408, CONFLICT, 429})
"""Of the statuses of the caller's faults those that are none: they pass."""

IN_PROGRESS: Final = "idempotency_in_progress"
"""The one conflict that is over when the call under the same key has ended."""

ETAG_DIGITS_MAX: Final = 19


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `idempotent` says whether making it twice is the same as making it once."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    idempotent: bool = True


@dataclass(frozen=True, slots=True)
class Problem:
    """What an answer says that went wrong."""

    code: str
    detail: str
    errors: tuple[Document, ...] = ()
    witness: Document | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float:
        """How many seconds to wait, as the answer says; 0 when it does not."""
        text = self.headers.get("retry-after", "").strip()
        is_number = text.isascii() and text.isdigit() and len(text) <= len("86400")
        return min(float(text), RETRY_AFTER_SECONDS_MAX) if is_number else 0.0

    @property
    def revision(self) -> int | None:
        """The revision that the answer names as its `ETag`."""
        text = self.headers.get("etag", "").strip('"')
        return (
            int(text)
            if text.isascii() and text.isdigit() and len(text) <= ETAG_DIGITS_MAX
            else None
        )

    @property
    def problem(self) -> Problem:
        """What went wrong; of an answer that is not the service's own, its status."""
        told = _object(self.body) or {}
        code = told.get("code")
        if not isinstance(code, str):
            return Problem(f"http_{self.status}", f"answered with status {self.status}")
        errors = tuple(one for one in map(_members, _list(told.get("errors"))) if one is not None)
        return Problem(code, str(told.get("detail", code)), errors, _members(told.get("witness")))


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came: `timeout`, `unreachable` or `broken_exchange`, and why in words."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a call in the end, after so many attempts, under a request id."""

    last: Reply | Lost
    attempts: int
    request_id: str

    def undetermined(self, code: str, detail: str) -> Undetermined:
        """Return that it is no answer."""
        status = self.last.status if isinstance(self.last, Reply) else None
        return Undetermined(code, detail, status, self.attempts, self.request_id)


# ---------------------------------------------------------------- calls


def deciding(organization: str, question: Question, *, at_least: int) -> Call:
    """Return the call for one decision."""
    return Call("POST", "/evaluate", _asked(organization, question, at_least))


def consuming(organization: str, question: Question, *, at_least: int, key: str) -> Call:
    """Return the call for one decision that is counted, once under the key."""
    body = _asked(organization, question, at_least)
    return Call("POST", "/evaluate/consume", body, {"Idempotency-Key": key})


def explaining(organization: str, question: Question, *, at_least: int) -> Call:
    """Return the call for a decision and all that bore on it."""
    return Call("POST", "/explain", _asked(organization, question, at_least))


def deciding_many(organization: str, questions: Sequence[Question], *, at_least: int) -> Call:
    """Return the call for several decisions at one revision and one instant."""
    items = [question.fields() for question in questions]
    return Call("POST", "/evaluate/batch", written(_framed(organization, at_least, items=items)))


def asking(organization: str, *segments: str, body: Document | None = None) -> Call:
    """Return the call for a question of review; with a body it is posted."""
    path = _path(organization, *segments)
    return Call("GET", path) if body is None else Call("POST", path, written(body))


def assigning(organization: str, assignment: Document, *, headers: Mapping[str, str]) -> Call:
    """Return the call that assigns a role, once under the `Idempotency-Key` of the headers."""
    return Call("POST", _path(organization, "assignments"), written(assignment), headers)


def changing(
    organization: str, commands: Sequence[Document], *, headers: Mapping[str, str]
) -> Call:
    """Return the call that makes changes, once under the `Idempotency-Key` of the headers."""
    return Call("POST", _path(organization, "changes"), written({"commands": commands}), headers)


def following(organization: str, *, after: int, wait_seconds: int) -> Call:
    """Return the call that is answered when there is a revision after the one named, or in time."""
    query = urlencode({"after": after, "limit": 1, "wait": wait_seconds})
    return Call("GET", f"{_path(organization, 'events')}?{query}")


def _path(organization: str, *segments: str) -> str:
    return "/v1/orgs/" + "/".join(quote(part, safe=":@+=~$") for part in (organization, *segments))


def _framed(organization: str, at_least: int, **more: Any) -> dict[str, Any]:
    frame: dict[str, Any] = {"org_id": organization, **more}
    return frame | {"at_least_revision": at_least} if at_least > 0 else frame


def _asked(organization: str, question: Question, at_least: int) -> bytes:
    return written(_framed(organization, at_least, **question.fields()))


# ---------------------------------------------------------------- answers


def read_decision(came: Came, question: Question) -> Decision:
    """Return the decision; raises `CallerError` when the call was wrong."""
    told = _told(came)
    if isinstance(told, Undetermined):
        return told
    found = _decision(told, came, question)
    return came.undetermined(*MALFORMED) if found is None else found


def read_decisions(
    came: Came, questions: Sequence[Question]
) -> tuple[Decision, ...] | Undetermined:
    """Return a decision for each question, in order; raises `CallerError`.

    What is wrong with one question makes that one undetermined.
    """
    told = _told(came)
    if isinstance(told, Undetermined):
        return told
    items = _list(told.get("items"))
    if len(items) != len(questions):
        return came.undetermined(*MALFORMED)
    head = {name: told.get(name) for name in ("revision", "decided_at")}
    return tuple(
        _item(item, came, question, head=head)
        for item, question in zip(items, questions, strict=True)
    )


def read_finding(came: Came) -> Finding:
    """Return the answer to a question of review; raises `CallerError`."""
    told = _told(came)
    if isinstance(told, Undetermined):
        return told
    revision = _count(told.get("revision"))
    if revision is None:
        return came.undetermined(*MALFORMED)
    return Told(told, revision, came.request_id)


def read_change(came: Came) -> Change:
    """Return what became of a change; raises `CallerError`."""
    last = came.last
    if isinstance(last, Reply) and last.status in CONFLICTS:
        problem = last.problem
        if problem.code != IN_PROGRESS:
            return Rejected(
                problem.code, problem.detail, last.status, problem.witness, came.request_id
            )
        return came.undetermined(problem.code, problem.detail)
    if isinstance(last, Reply) and last.status in MADE:
        revision = last.revision
        if revision is None:
            return came.undetermined(*MALFORMED)
        return Changed(revision, came.request_id)
    return _failed(came)


def read_revision(last: Reply | Lost) -> int | None:
    """Return the newest revision that a page of events tells of; nothing when it is none."""
    if isinstance(last, Lost) or last.status != DONE:
        return None
    told = _object(last.body)
    return None if told is None else _count(told.get("revision"))


MALFORMED: Final = ("malformed_answer", "the answer is none that the service gives")


def _told(came: Came) -> Document | Undetermined:
    last = came.last
    if not isinstance(last, Reply) or last.status != DONE:
        return _failed(came)
    told = _object(last.body)
    return came.undetermined(*MALFORMED) if told is None else told


def _failed(came: Came) -> Undetermined:
    """Return that there is no answer; raises `CallerError` when asking again would not help."""
    last = came.last
    if isinstance(last, Lost):
        return came.undetermined(last.code, last.detail)
    status, problem = last.status, last.problem
    if CALLERS_FAULT <= status < SERVICES_FAULT and status not in LATER:
        raise CallerError(
            problem.code,
            problem.detail,
            status=status,
            errors=problem.errors,
            request_id=came.request_id,
        )
    if status < CALLERS_FAULT:
        return came.undetermined("unexpected_answer", f"answered with status {status}")
    return came.undetermined(problem.code, problem.detail)


def _item(item: object, came: Came, question: Question, *, head: Document) -> Decision:
    told = _members(item)
    if told is None:
        return came.undetermined(*MALFORMED)
    error = _members(told.get("error"))
    if error is not None and "decision" not in told:
        code, detail = str(error.get("code")), str(error.get("detail"))
        status = _count(error.get("status"))
        return Undetermined(code, detail, status, came.attempts, came.request_id)
    at_once = {name: told.get(name) for name in head} == head
    found = _decision(told, came, question) if at_once else None
    return came.undetermined(*MALFORMED) if found is None else found


def _decision(told: Document, came: Came, question: Question) -> Allow | Deny | None:
    """Return the decision that an object says, if it says exactly one."""
    revision, decided_at = _count(told.get("revision")), _count(told.get("decided_at"))
    until, age = _count(told.get("valid_until")), _count(told.get("meter_age"))
    if revision is None or decided_at is None or "valid_until" not in told or "error" in told:
        return None
    if (until, age) != (told["valid_until"], told.get("meter_age")):
        return None
    claim, reason, code = told.get("claim_id"), told.get("reason"), told.get("reason_code")
    match told.get("decision"):
        case "Allow" if isinstance(claim, str) and reason is None and code is None:
            proof = _members(told.get("certificate"))
            if (proof is not None) != question.explained:
                return None
            return Allow(claim, revision, decided_at, until, age, proof, came.request_id)
        case "Deny" if isinstance(reason, str) and isinstance(code, str):
            near = claim if isinstance(claim, str) else None
            return Deny(code, reason, revision, decided_at, until, near, age, came.request_id)
        case _:
            return None


def _count(value: object) -> int | None:
    """Return the value if it counts something, or is an instant or a revision; else nothing."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if is_count and isinstance(value, int) else None


def _object(body: bytes) -> Document | None:
    try:
        return _members(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _members(value: object) -> Document | None:
    """Return the members of an object of JSON, whose names are strings; else nothing."""
    return cast("Document", value) if isinstance(value, dict) else None


def _list(value: object) -> Sequence[object]:
    """Return a list of JSON, an empty one for anything else."""
    return cast("Sequence[object]", value) if isinstance(value, list) else ()
