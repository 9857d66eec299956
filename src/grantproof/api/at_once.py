"""The plain question, answered where it arrives: without a task, a scope and messages for it.

What takes no waiting and goes well is answered in the connection's own turn, which saves more than
half of what a request costs. Of everything else nothing is noted, and it is asked in front of the
router: there is one place that waits, and one that refuses.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from grantproof.adapters import logs
from grantproof.adapters.clock import stopwatch
from grantproof.adapters.request_ids import RequestIds
from grantproof.api import bodies
from grantproof.api.authentication import Authentication
from grantproof.api.decisions import Decisions
from grantproof.api.front import SCOPES, SINGLE
from grantproof.api.recording import Recording
from grantproof.api.sending import CONTENT_TYPE, X_REQUEST_ID, RawHeaders
from grantproof.service.requests import Requests

TARGET: Final = SINGLE.encode()
"""What is asked for, as a request line has it."""
METHOD: Final = b"POST"
OK: Final = 200


class Answered(NamedTuple):
    """The id of a request, and the JSON that it is answered with."""

    request_id: bytes
    body: bytes


class AtOnce:
    """Answers a plain question whose head and body are there. Runs on the loop."""

    def __init__(
        self,
        decisions: Decisions,
        *,
        authentication: Authentication,
        recording: Recording,
        requests: Requests,
        request_ids: RequestIds,
        named: Callable[[RawHeaders], str],
        body_bytes_max: int,
    ) -> None:
        """`named` tells the id of a request that brings one."""
        self._answer = decisions.at_once
        self._recognized = authentication.recognized
        self._recording = recording
        self._requests = requests
        self._next_id = request_ids.next
        self._named = named
        self._body_bytes_max = body_bytes_max

    def answer(self, headers: RawHeaders, body: bytes) -> Answered | None:
        """Return the answer; nothing, and nothing noted, where it is to be asked elsewhere."""
        came, once = stopwatch(), dict(headers)
        if (
            len(once) != len(headers)
            or once.get(CONTENT_TYPE) != bodies.JSON
            or len(body) > self._body_bytes_max
        ):
            return None
        caller, recording = self._recognized(once), self._recording
        if caller is None or not SCOPES[SINGLE] <= caller.scopes or not recording.has_room:
            return None
        if X_REQUEST_ID in once:
            request_id = self._named(headers)
        else:
            request_id = self._next_id()
            logs.REQUEST_ID.set(request_id)
        diary = recording.opened(request_id, caller) if recording.keeps else None
        try:
            answer = self._answer(body, caller, diary)
        except Exception:  # noqa: BLE001 - it fails again in front of the router, which tells why
            return None
        if answer is None:
            return None
        if diary is not None:
            recording.keep(diary)
        self._requests.count(SINGLE, OK, stopwatch() - came)
        return Answered(request_id.encode(), answer)
