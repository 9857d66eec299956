"""The application: decisions in front, administration behind, one life for both.

`uvicorn --factory grantproof.api.app:create_app` runs it. Every answer has an `X-Request-ID`, and
whatever goes wrong is a problem document.
"""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog
from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grantproof import bootstrap
from grantproof.adapters import logs
from grantproof.adapters.clock import stopwatch
from grantproof.adapters.request_ids import RequestIds
from grantproof.adapters.tracing import Tracing
from grantproof.adapters.workers import Sheets, Worker
from grantproof.api import access_log, bodies, front, starting
from grantproof.api.access import check_scopes, is_public
from grantproof.api.administration import administration_app
from grantproof.api.at_once import AtOnce
from grantproof.api.authentication import Authentication, check_host
from grantproof.api.authzen import answers as authzen
from grantproof.api.checking import Checking
from grantproof.api.conditions import key_of, once_asked
from grantproof.api.console import forms, visits
from grantproof.api.console.places import is_console
from grantproof.api.console.rendering import turned_away
from grantproof.api.consume import Consumptions
from grantproof.api.counting import tell, timed
from grantproof.api.decisions import Decisions
from grantproof.api.explain import Explanations
from grantproof.api.following import Following, owned_by
from grantproof.api.pacing import Pacing
from grantproof.api.problems import (
    INTERNAL,
    NOT_READY,
    STOPPING,
    Problem,
    Refused,
    store_problem,
)
from grantproof.api.recording import Diary, Recording
from grantproof.api.running import Background, Running
from grantproof.api.sending import (
    CONTENT_TYPE,
    JSON_TYPE,
    NO_STORE,
    X_REQUEST_ID,
    RawHeaders,
    as_get,
    id_header,
    own_headers,
    send_answer,
    send_problem,
)
from grantproof.api.sharing import Sharing
from grantproof.api.shelving import Shelving
from grantproof.api.waiting import Waiting
from grantproof.api.what_if import Suppositions
from grantproof.bootstrap import Services
from grantproof.service.callers import Caller
from grantproof.service.ports import StoreError
from grantproof.service.receipts import Once
from grantproof.service.requests import Requests
from grantproof.service.snapshots import Owner
from grantproof.service.visits import Visits
from grantproof.settings import Settings

SANE_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
CLOSE: Final = (b"connection", b"close")
READY: Final = "/readyz"
METRICS: Final = "/metrics"

Answering = Callable[[bytes, Caller, Diary | None], Awaitable[bytes]]
Composing = Callable[[Settings, Owner], Services]

log = structlog.get_logger(__name__)


def create_app(worker: Worker | None = None) -> "Application":
    """Return the application that the environment describes: the factory for uvicorn.

    `worker` says which one it is, where several serve behind one address.
    """
    settings = Settings()
    tracing = bootstrap.tracing_of(os.environ)
    more = () if tracing is None else (tracing.with_trace_id,)
    if worker is None:
        logs.configure(settings.log_level, settings.log_format, more=more)
        return Application(settings, tracing=tracing)
    logs.configure(settings.log_level, settings.log_format, more=(*more, worker.named))
    composing = partial(in_production, installs=not worker.prepared)
    return Application(settings, composing=composing, tracing=tracing, worker=worker)


def in_production(settings: Settings, on_owner: Owner, *, installs: bool = True) -> Services:
    """Return the services that `bootstrap` composes."""
    return bootstrap.compose(settings, on_owner=on_owner, serving=True, installs=installs)


class Application:
    """An ASGI application that composes its services when it starts."""

    def __init__(
        self,
        settings: Settings,
        *,
        composing: Composing = in_production,
        tracing: Tracing | None = None,
        worker: Worker | None = None,
    ) -> None:
        self._settings = settings
        self._worker = worker
        self._composing = composing
        self._request_ids = RequestIds()
        self._requests = Requests(front.ROUTES)
        self._answering: dict[str, Answering] = {}
        self._authzen: authzen.Answers | None = None
        self._consumptions: Consumptions | None = None
        self._authentication: Authentication | None = None
        self._visits: Visits | None = None
        self._recording: Recording | None = None
        self._background: list[Background] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._waiting = Waiting()
        self._parting: RawHeaders = []
        self.administration: FastAPI = administration_app(
            None if tracing is None else tracing.of_administration()
        )
        self._tracing = tracing
        self._deciding: ASGIApp = self._decide
        if tracing is not None:
            self._deciding = tracing.around_decisions(self._decide)
        self.at_once: AtOnce | None = None
        """What answers a plain question where it arrives, while that is to be done."""
        self.failure: str | None = None
        """Why there will be no service, if the start has failed for good while we listen."""

    @property
    def is_ready(self) -> bool:
        """Whether it has started, and not ended: it can answer what needs the database."""
        return getattr(self.administration.state, "running", None) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live from the start of the process to its end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] != "http":
            await self.administration(scope, receive, send)
        elif scope["method"] == "POST" and front.is_front(scope["path"]):
            await self._deciding(scope, receive, send)
        else:
            if scope["method"] == "HEAD":
                scope, send = as_get(scope, send)
            await self._administer(scope, receive, timed(self._requests, scope, send))

    async def _decide(self, scope: Scope, receive: Receive, send: Send) -> None:
        came, place = stopwatch(), front.front_of(scope["path"]) or front.NOWHERE
        headers: RawHeaders = scope["headers"]
        named = dict(headers)
        if X_REQUEST_ID in named:
            request_id = self._request_id(headers)
        else:
            request_id = self._request_ids.next()
            logs.REQUEST_ID.set(request_id)
        named_header = id_header(request_id)
        if place.authzen is not None:
            named_header = authzen.echoed(headers) or named_header
        # Of headers that are there twice, each has its own reading.
        known = named if len(named) == len(headers) else None
        try:
            body = await self._decided(scope, receive, request_id, place=place, known=known)
        except bodies.Disconnected:
            return
        except Exception as error:  # noqa: BLE001 - the caller gets an answer, the log the error
            problem = _problem_of(error, request_id)
            status = problem.status if place.authzen is None else authzen.status_of(problem)
            self._requests.count(place.route, status, stopwatch() - came)
            if place.authzen is None:
                await send_problem(send, problem, request_id, more=self._parting)
            else:
                own = [authzen.PLAIN_TYPE, named_header, *own_headers(problem), *self._parting]
                await send_answer(send, status, problem.detail.encode(), headers=own)
            access_log.tell(scope, status, seconds=stopwatch() - came)
        else:
            self._requests.count(place.route, 200, stopwatch() - came)
            await send_answer(send, 200, body, headers=[JSON_TYPE, named_header, *self._parting])

    async def _decided(
        self,
        scope: Scope,
        receive: Receive,
        request_id: str,
        *,
        place: front.Front,
        known: dict[bytes, bytes] | None,
    ) -> bytes:
        """Return the answer; `known` are the headers, if none of them is there twice."""
        headers, authentication, recording = scope["headers"], self._authentication, self._recording
        if authentication is None or recording is None:
            raise Refused(NOT_READY)
        # Who calls comes before what they send, so that nobody else makes us read it.
        caller = authentication.known(headers, known)
        if caller is None:
            caller = await authentication.caller(headers, scope.get("client"))
        check_scopes(caller, front.ROUTES[place.route])
        if known is None or known.get(CONTENT_TYPE) != bodies.JSON:
            bodies.check_type(headers)
        key = key_of(headers) if place.route == front.CONSUME else None
        body = await bodies.read(receive, bytes_max=self._settings.body_bytes_max)
        once = None
        if key is not None:
            once = once_asked(key, path=place.route, query=scope["query_string"], body=body)
        answering = self._answer_to(place, caller, once)
        diary = await recording.begin(request_id, caller) if recording.keeps else None
        answer = await answering(body, caller, diary)
        if diary is not None:
            recording.keep(diary)
        return answer

    def _answer_to(self, place: front.Front, caller: Caller, once: Once | None) -> Answering:
        """Return what answers there; raises `Refused` when nothing does yet."""
        if once is not None and self._consumptions is not None:
            return partial(self._consumptions.answer, once=once)
        if place.authzen is not None and self._authzen is not None:
            return self._authzen.answering(place.authzen, place.organization, caller)
        answering = self._answering.get(place.route) if once is None else None
        if answering is None:
            raise Refused(NOT_READY)
        return answering

    async def _administer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = self._request_id(scope["headers"])
        named_header = id_header(request_id)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        came, status = stopwatch(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # Here, and not at the end, because here the trace of the request is known.
                access_log.tell(scope, status, seconds=stopwatch() - came)
                own: RawHeaders = [*message.get("headers", ())]
                # Files of the console may be kept, and say so themselves.
                kept = () if any(name == NO_STORE[0] for name, _ in own) else (NO_STORE,)
                message["headers"] = [*own, named_header, *kept, *self._parting]
            await send(message)

        try:
            state["caller"] = await self._caller(scope)
            await self.administration(scope, receive, send_with_id)
        except bodies.Disconnected:
            return
        except Exception as error:  # noqa: BLE001 - the caller gets an answer, the log the error
            problem = _problem_of(error, request_id)
            if status == 0 and is_console(scope["path"]):
                await turned_away(Request(scope), problem)(scope, receive, send_with_id)
            elif status == 0:
                await send_problem(send, problem, request_id, more=self._parting)
                access_log.tell(scope, problem.status, seconds=stopwatch() - came)

    async def _caller(self, scope: Scope) -> Caller | None:
        """Return who calls; nobody does where no credential is taken. Raises `Refused`."""
        in_console = is_console(scope["path"])
        if in_console:
            public_url = self._settings.public_url
            forms.check_origin(scope["method"], scope["headers"], public_url=public_url)
        if is_public(scope["path"]):
            if self._settings.demo:
                check_host(scope["headers"])
            if self._parting and scope["path"] == READY:
                raise Refused(STOPPING)
            return None
        if self._authentication is None:
            raise Refused(NOT_READY)
        if scope["path"] == METRICS:
            # Wanted most while the database is away; and they are numbers, about nobody.
            caller = self._authentication.remembered(scope["headers"])
            if caller is not None:
                return caller
        headers = scope["headers"]
        if in_console and self._visits is not None:
            headers = visits.presented(headers, self._visits)
        return await self._authentication.caller(headers, scope.get("client"))

    def _request_id(self, headers: RawHeaders) -> str:
        for name, value in headers:
            if name == X_REQUEST_ID and SANE_ID.fullmatch(value) is not None:
                found = value.decode()
                break
        else:
            found = self._request_ids.next()
        logs.REQUEST_ID.set(found)
        return found

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._parting, self.failure = [], None
        beginning = await self._begun()
        if beginning.done() and self._failed(beginning):
            await send({"type": "lifespan.startup.failed", "message": self.failure})
            return
        beginning.add_done_callback(self._failed)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if beginning.done() and self.failure is None:
            await self._stop(beginning.result())
        beginning.cancel()
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)
        await send({"type": "lifespan.shutdown.complete"})

    async def _begun(self) -> "asyncio.Task[Running]":
        """Return the start: done, or under way after a moment when its server is not there."""
        late = asyncio.Event()
        patient = self._settings.database_is_served

        async def begin() -> Running:
            services = await starting.started(self._compose, patient=patient, late=late.set)
            return self._start(services)

        beginning = asyncio.create_task(begin())
        if not patient:
            await asyncio.wait({beginning})
            return beginning
        failing = asyncio.create_task(late.wait())
        await asyncio.wait(
            {beginning, failing},
            timeout=starting.PROMPT_SECONDS,
            return_when=asyncio.FIRST_COMPLETED,
        )
        failing.cancel()
        return beginning

    def _failed(self, beginning: "asyncio.Task[Running]") -> bool:
        """Return whether the start has failed, and keep why; raises what nobody expects."""
        error = None if beginning.cancelled() else beginning.exception()
        if error is None:
            return False
        self.failure = str(error) if isinstance(error, StoreError) else INTERNAL.detail
        if not isinstance(error, StoreError):
            log.error("not started", exc_info=error)
        return True

    async def _compose(self) -> Services:
        """Return the services, and learn the keys of callers; raises `StoreError`."""
        loop = asyncio.get_running_loop()
        composing = partial(self._composing, self._settings, owned_by(loop))
        services = await starting.aside(composing, discard=Services.close)
        pacing = Pacing(self._settings, seconds=loop.time)
        authentication = Authentication(
            services.keyring, services.tokens, pacing=pacing, settings=self._settings
        )
        try:
            await authentication.look()
        except (StoreError, asyncio.CancelledError):
            await asyncio.to_thread(authentication.close)
            await asyncio.to_thread(services.close)
            raise
        self._authentication, self._visits = authentication, services.visits
        return services

    def _start(self, services: Services) -> Running:
        self._waiting = Waiting()
        if self._parting:
            self._waiting.stop()
        services.snapshots.watch(self._waiting.wake)
        following = Following(
            services.store,
            services.snapshots,
            meters=services.meters,
            sessions=services.kept_sessions,
            seconds=self._settings.follow_seconds,
            max_staleness=self._settings.max_staleness,
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
            shelving=Shelving(
                services.snapshots, services.shelf, seconds=self._settings.snapshots_seconds
            ),
            decisions=decisions,
            consumptions=Consumptions(decisions, services.consumption),
            body_bytes_max=self._settings.body_bytes_max,
            sharing=self._sharing(services),
            public_url=self._settings.public_url,
            authentication=self._authentication,
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
            front.WHAT_IF: Suppositions(
                running.decisions, services.decisions, services.administration
            ).answer,
        }
        self._authzen = authzen.Answers(decisions, services.decisions, self._settings)
        self._background = [following, running.checking, running.shelving]
        if self._authentication is not None:
            tell(running, self._requests, self._authentication)
            self._background.append(self._authentication)
            self.at_once = self._at_once(decisions, self._authentication, self._recording)
        if running.sharing is not None:
            self._background.append(running.sharing)
        self._tasks = [asyncio.create_task(one.run()) for one in self._background]
        return running

    def _at_once(
        self, decisions: Decisions, authentication: Authentication, recording: Recording
    ) -> AtOnce | None:
        if self._tracing is not None or self._parting:
            return None
        return AtOnce(
            decisions,
            authentication=authentication,
            recording=recording,
            requests=self._requests,
            request_ids=self._request_ids,
            named=self._request_id,
            body_bytes_max=self._settings.body_bytes_max,
        )

    def _sharing(self, services: Services) -> Sharing | None:
        if self._worker is None or services.telemetry is None:
            return None
        return Sharing(Sheets(self._worker, services.telemetry.written))

    def drain(self) -> None:
        """Say to everybody that this is going to stop; a server calls it when it is told to.

        Whoever waits for events is answered, nobody waits any more, `/readyz` is 503, and every
        answer asks its caller to leave the connection.
        """
        self._parting, self.at_once = [CLOSE], None
        self._waiting.stop()

    async def _stop(self, running: Running) -> None:
        """Let what is under way end, then release the store."""
        self._waiting.stop()
        self._authentication = self.at_once = None
        running.services.solver.stop()
        for one in self._background:
            one.stop()
        await asyncio.gather(*self._tasks)
        await asyncio.to_thread(running.consumptions.close)
        self._answering, self._consumptions, self._authzen = {}, None, None
        self.administration.state.running = None
        for one in self._background:
            if one is not running.sharing:
                await asyncio.to_thread(one.close)
        await asyncio.to_thread(running.services.close)
        if running.sharing is not None:
            # The last word on what was counted, also while the services were closed.
            await asyncio.to_thread(running.sharing.close)


def _problem_of(error: Exception, request_id: str) -> Problem:
    if isinstance(error, Refused):
        return error.problem
    if isinstance(error, StoreError):
        log.error("store failed", request_id=request_id, error=str(error))
        return store_problem(error)
    log.error("unexpected", request_id=request_id, exc_info=error)
    return INTERNAL
