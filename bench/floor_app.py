"""The floor over HTTP: a bare ASGI function, msgspec, one lookup, run by uvicorn.

It parses the same bodies, checks the same constraints, and answers with nothing but the decision.
"""

import os
from typing import Any, Final

import msgspec

from bench.floors import bit_masks, conditioned_bit_masks
from bench.mined import workload_named

SIZE_VARIABLE: Final = "BENCH_SIZE"
PLAIN_VARIABLE: Final = "BENCH_PLAIN"
"""Set to anything, the workload has no constraints."""


class Question(msgspec.Struct, gc=False):
    """One question, in a batch or, with `org_id`, alone."""

    principal_id: str
    action: str
    resource_id: str
    hour: int
    region: str
    usage: int
    org_id: str = ""


class Batch(msgspec.Struct, gc=False):
    """Many questions to one organization."""

    org_id: str
    items: list[Question]


class Answer(msgspec.Struct, gc=False):
    """Nothing but the decision."""

    decision: str


class Answers(msgspec.Struct, gc=False):
    """The answers to a batch."""

    items: list[Answer]


class Floor:
    """The application: no framework, no validation beyond types, no error handling."""

    def __init__(self, size: str, *, constrained: bool) -> None:
        tables = workload_named(size, constrained=constrained, count=0).tables
        self._plain = None if constrained else bit_masks(tables)
        self._conditioned = conditioned_bit_masks(tables)
        self._single = msgspec.json.Decoder(Question).decode
        self._batch = msgspec.json.Decoder(Batch).decode
        self._encode = msgspec.json.Encoder().encode

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        message = await receive()
        body = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        if scope["path"] == "/evaluate":
            content = self._encode(self._answer(self._single(body)))
        else:
            items = [self._answer(question) for question in self._batch(body).items]
            content = self._encode(Answers(items))
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, question: Question) -> Answer:
        asked = question.principal_id, question.action, question.resource_id
        if self._plain is None:
            allowed = self._conditioned(*asked, question.hour, question.region, question.usage)
        else:
            allowed = self._plain(*asked)
        return Answer("Allow" if allowed else "Deny")


def create_app() -> Floor:
    """Return the floor for the size that the environment names."""
    return Floor(os.environ[SIZE_VARIABLE], constrained=PLAIN_VARIABLE not in os.environ)
