"""The application: decisions in front, administration behind, one life for both.

`uvicorn --factory grantproof.api.app:create_app` runs it. Every answer has an `X-Request-ID`, and
whatever goes wrong is a problem document.
"""

import asyncio
import logging
import re
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TextIO, cast

import structlog
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from grantproof import bootstrap
from grantproof.adapters.log_lines import LogLines
from grantproof.adapters.request_ids import RequestIds
from grantproof.api import bodies, front, problems
from grantproof.api.access import PUBLIC, check_scopes
from grantproof.api.administration import administration_app
from grantproof.api.authentication import Authentication, check_host
from grantproof.api.checking import Checking
from grantproof.api.conditions import key_of, once_asked
from grantproof.api.consume import Consumptions
from grantproof.api.decisions import Decisions
from grantproof.api.explain import Explanations
from grantproof.api.following import Following, owned_by
from grantproof.api.problems import INTERNAL, NOT_READY, Problem, Refused, store_problem
from grantproof.api.recording import Diary, Recording
from grantproof.api.running import Running
from grantproof.api.waiting import Waiting
from grantproof.bootstrap import Services
from grantproof.service.callers import Caller
from grantproof.service.ports import StoreError
from grantproof.service.receipts import Once
from grantproof.service.snapshots import Owner
from grantproof.settings import Settings

SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
JSON_TYPE: Final = (b"content-type", b"application/json")
PROBLEM_TYPE: Final = (b"content-type", problems.MEDIA_TYPE.encode())
NO_STORE: Final = (b"cache-control", b"no-store")

RawHeaders = list[tuple[bytes, bytes]]
Answering = Callable[[bytes, Caller, Diary | None], Awaitable[bytes]]
Composing = Callable[[Settings, Owner], Services]

log = structlog.get_logger(__name__)


def create_app() -> "Application":
    """Return the application that the environment describes: the factory for uvicorn."""
    settings = Settings()
    _configure_log(settings.log_level)
    return Application(settings)


def _configure_log(level: str) -> None:
    """Log to the standard error stream: lines for people on a terminal, JSON elsewhere."""
    show: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        show = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            show,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, LogLines(sys.stderr))),
    )


def in_production(settings: Settings, on_owner: Owner) -> Services:
    """Return the services that `bootstrap` composes."""
    return bootstrap.compose(settings, on_owner=on_owner, serving=True)


class Application:
    """An ASGI application that composes its services when it starts."""

    def __init__(self, settings: Settings, *, composing: Composing = in_production) -> None:
        self._settings = settings
        self._composing = composing
        self._request_ids = RequestIds()
        self._answering: dict[str, Answering] = {}
        self._consumptions: Consumptions | None = None
        self._authentication: Authentication | None = None
        self._recording: Recording | None = None
        self._background: list[asyncio.Task[None]] = []
        self._waiting = Waiting()
        self.administration: FastAPI = administration_app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live from the start of the process to its end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] != "http":
            await self.administration(scope, receive, send)
        elif scope["path"] in front.PATHS and scope["method"] == "POST":
            await self._decide(scope, receive, send)
        else:
            await self._administer(scope, receive, send)

    async def _decide(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = self._request_id(scope["headers"])
        try:
            body = await self._decided(scope, receive, request_id)
        except bodies.Disconnected:
            return
        except Exception as error:  # noqa: BLE001 - the caller gets an answer, the log the error
            await _send_problem(send, _problem_of(error, request_id), request_id)
        else:
            await _send(send, 200, body, headers=[JSON_TYPE, _id_header(request_id)])

    async def _decided(self, scope: Scope, receive: Receive, request_id: str) -> bytes:
        headers, path = scope["headers"], scope["path"]
        if self._authentication is None or self._recording is None:
            raise Refused(NOT_READY)
        # Who calls comes before what they send, so that nobody else makes us read it.
        caller = self._authentication.known(headers)
        if caller is None:
            caller = await self._authentication.caller(headers)
        check_scopes(caller, front.SCOPES[path])
        bodies.check_type(headers)
        key = key_of(headers) if path == front.CONSUME else None
        body = await bodies.read(receive, bytes_max=self._settings.body_bytes_max)
        once = None
        if key is not None:
            once = once_asked(key, path=path, query=scope["query_string"], body=body)
        answering = self._answer_to(path, once)
        diary = await self._recording.begin(request_id, caller)
        answer = await answering(body, caller, diary)
        if diary is not None:
            self._recording.keep(diary)
        return answer

    def _answer_to(self, path: str, once: Once | None) -> Answering:
        """Return what answers there; raises `Refused` when nothing does yet."""
        if once is not None and self._consumptions is not None:
            return partial(self._consumptions.answer, once=once)
        answering = self._answering.get(path) if once is None else None
        if answering is None:
            raise Refused(NOT_READY)
        return answering

    async def _administer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = self._request_id(scope["headers"])
        id_header = _id_header(request_id)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        only_head = scope["method"] == "HEAD"
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), id_header, NO_STORE]
            elif only_head:
                message["body"] = b""
            await send(message)

        if only_head:
            scope["method"] = "GET"
        try:
            state["caller"] = await self._caller(scope)
            await self.administration(scope, receive, send_with_id)
        except bodies.Disconnected:
            return
        except Exception as error:  # noqa: BLE001 - the caller gets an answer, the log the error
            problem = _problem_of(error, request_id)
            if not started:
                await _send_problem(send, problem, request_id)

    async def _caller(self, scope: Scope) -> Caller | None:
        """Return who calls; nobody does where no credential is taken. Raises `Refused`."""
        if scope["path"] in PUBLIC:
            if self._settings.demo:
                check_host(scope["headers"])
            return None
        if self._authentication is None:
            raise Refused(NOT_READY)
        return await self._authentication.caller(scope["headers"])

    def _request_id(self, headers: RawHeaders) -> str:
        for name, value in headers:
            if name == b"x-request-id" and SANE_ID.fullmatch(value) is not None:
                return value.decode()
        return self._request_ids.next()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            services = await self._compose()
        except StoreError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        running = self._start(services)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop(running)
        await send({"type": "lifespan.shutdown.complete"})

    async def _compose(self) -> Services:
        """Return the services, and learn the keys of callers; raises `StoreError`."""
        loop = asyncio.get_running_loop()
        services = await asyncio.to_thread(self._composing, self._settings, owned_by(loop))
        authentication = Authentication(
            services.keyring,
            services.tokens,
            max_staleness=self._settings.max_staleness,
            demo=self._settings.demo,
        )
        try:
            await authentication.look()
        except StoreError:
            await asyncio.to_thread(authentication.close)
            await asyncio.to_thread(services.close)
            raise
        self._authentication = authentication
        return services

    def _start(self, services: Services) -> Running:
        self._waiting = Waiting()
        services.snapshots.watch(self._waiting.wake)
        following = Following(
            services.store,
            services.snapshots,
            meters=services.meters,
            seconds=self._settings.follow_seconds,
        )
        decisions = Decisions(services.decisions, following)
        running = Running(
            services=services,
            following=following,
            waiting=self._waiting,
            checking=Checking(
                services.snapshots,
                seconds=self._settings.contracts_state_seconds,
                seconds_max=self._settings.contracts_state_seconds_max,
            ),
            decisions=decisions,
            consumptions=Consumptions(decisions, services.consumption),
            body_bytes_max=self._settings.body_bytes_max,
        )
        self.administration.state.running = running
        self._recording = Recording(
            services.decision_log,
            share=self._settings.decision_log_share,
            overflow=self._settings.decision_log_overflow,
        )
        self._consumptions = running.consumptions
        self._answering = {
            front.SINGLE: running.decisions.single,
            front.BATCH: running.decisions.batch,
            front.CONSUME: running.consumptions.answer,
            front.EXPLAIN: Explanations(running.decisions, services.decisions).answer,
        }
        self._background = [
            asyncio.create_task(following.run()),
            asyncio.create_task(running.checking.run()),
        ]
        if self._authentication is not None:
            self._background.append(asyncio.create_task(self._authentication.run()))
        return running

    def stop_waiting(self) -> None:
        """Answer those who wait for events; a server calls this before it lets requests end."""
        self._waiting.stop()

    async def _stop(self, running: Running) -> None:
        """Let what is under way end, then release the store."""
        self.stop_waiting()
        authentication, self._authentication = self._authentication, None
        running.following.stop()
        running.checking.stop()
        if authentication is not None:
            authentication.stop()
        await asyncio.gather(*self._background)
        await asyncio.to_thread(running.consumptions.close)
        await asyncio.to_thread(running.following.close)
        await asyncio.to_thread(running.checking.close)
        if authentication is not None:
            await asyncio.to_thread(authentication.close)
        self._answering, self._consumptions = {}, None
        self.administration.state.running = None
        await asyncio.to_thread(running.services.close)


async def _send(send: Send, status: int, body: bytes, *, headers: RawHeaders) -> None:
    length = (b"content-length", str(len(body)).encode())
    sent = [*headers, length, NO_STORE]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


async def _send_problem(send: Send, problem: Problem, request_id: str) -> None:
    more = [(name.lower().encode(), value.encode()) for name, value in problem.headers]
    headers = [PROBLEM_TYPE, _id_header(request_id), *more]
    await _send(send, problem.status, problem.body(request_id), headers=headers)


def _id_header(request_id: str) -> tuple[bytes, bytes]:
    return (b"x-request-id", request_id.encode())


def _problem_of(error: Exception, request_id: str) -> Problem:
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, StoreError):
        log.error("store failed", request_id=request_id, error=str(error))
        return store_problem(error)
    log.error("unexpected", request_id=request_id, exc_info=error)
    return INTERNAL
