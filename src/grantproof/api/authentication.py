"""Who calls: the credential of each request, checked against what this process knows of them.

One way in: `Authorization: Bearer`, a key or a token. A key is looked up in memory; what is there
is at most `max_staleness` old, or the request is refused. Whatever is wrong with a credential, the
answer is the same.
"""

import asyncio
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from grantproof.api.access import REALM
from grantproof.api.pacing import Client, Pacing
from grantproof.api.problems import Problem, Refused, later
from grantproof.api.waiting import set_within
from grantproof.service.callers import Caller
from grantproof.service.credentials import DEMO_TEXT, MARK, PREFIX_AT, well_formed
from grantproof.service.keyring import Keyring
from grantproof.service.tokens import Tokens, Unverified, Verified
from grantproof.settings import Settings, is_loopback

LOOKS_APART_SECONDS: Final = 0.05
"""How soon after a look at the keys an unknown one may cause the next."""
LOOKS_A_PERIOD: Final = 2
"""How often the keys are looked at within the time that they may be stale."""
TOKEN_CHECK_SECONDS: Final = 1.0
"""How often it is asked whether the issuer's keys should be fetched."""

TELL: Final = "this takes a valid credential: send `Authorization: Bearer` and a key or token"
MISSING: Final = Problem("unauthenticated", TELL, headers=(("WWW-Authenticate", REALM),))
INVALID: Final = Problem(
    "unauthenticated", TELL, headers=(("WWW-Authenticate", f'{REALM}, error="invalid_token"'),)
)
"""Whatever is wrong with a credential: unknown, malformed, expired and revoked look the same."""
WRONG_HOST: Final = Problem(
    "wrong_host", "the demo is for this machine only: ask for it as `localhost`"
)

AUTHORIZATION: Final = b"authorization"
SCHEME: Final = b"bearer "
SPELLED: Final = b"Bearer "
"""As next to everybody writes it."""
DEMO: Final = DEMO_TEXT.encode()

RawHeaders = Iterable[tuple[bytes, bytes]]

log = structlog.get_logger(__name__)


class Authentication:
    """Tells who calls, and keeps what that takes fresh. Methods run on the loop.

    With `demo` a request without a credential is given the demo's, and is only heard under a name
    of this machine: a page elsewhere must not be able to ask by rebinding a name of its own.
    `refused` is how many credentials were missing or wrong.
    """

    def __init__(
        self, keyring: Keyring, tokens: Tokens | None, *, pacing: Pacing, settings: Settings
    ) -> None:
        self._keyring = keyring
        self._tokens = tokens
        self._pacing = pacing
        self._paced = settings.rate_limit > 0
        self._max_staleness = settings.max_staleness
        self._demo = settings.demo
        self._now = asyncio.get_running_loop().time
        self._fresh_until = float("-inf")
        self._looked_at = float("-inf")
        self._looking: asyncio.Task[None] | None = None
        self._fetching: asyncio.Future[None] | None = None
        self._failing = False
        self._stopping = asyncio.Event()
        self.refused = 0
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="grantproof-keys")
        self._token_threads = ThreadPoolExecutor(1, thread_name_prefix="grantproof-tokens")

    def known(
        self, headers: RawHeaders, once: Mapping[bytes, bytes] | None = None
    ) -> Caller | None:
        """Return who calls, if it is by a key that is known already; raises `Refused`.

        `once` are the headers by their names, if no name is there twice.
        """
        presented = None if once is None or self._demo else once.get(AUTHORIZATION)
        if presented is not None and presented.startswith(SPELLED):
            text = presented[len(SPELLED) :]
        else:
            text = self._presented(headers)
        found = self._current(text)
        if self._paced and found is not None:
            self._pacing.request(text[PREFIX_AT])
        return found

    def recognized(self, once: Mapping[bytes, bytes]) -> Caller | None:
        """Return who calls, if that is plain: by a known key, at no pace. Nothing is counted.

        `once` are the headers by their names, of which none is there twice.
        """
        presented = once.get(AUTHORIZATION)
        if presented is None or not presented.startswith(SPELLED) or self._paced or self._demo:
            return None
        return self._current(presented[len(SPELLED) :])

    def remembered(self, headers: RawHeaders) -> Caller | None:
        """Return who calls by a key that was known once, however long ago that was confirmed.

        For what may be told although it cannot be found out whether the key was revoked. Raises
        `Refused`.
        """
        return self._keyring.caller(self._presented(headers))

    async def caller(self, headers: RawHeaders, client: Client) -> Caller:
        """Return who calls; raises `Refused`, or `StoreError` when that cannot be found out."""
        text = self._presented(headers)
        is_key = text.startswith(MARK)
        found = await (self._of_key(text, client) if is_key else self._of_token(text, client))
        if found is None:
            raise self._refused(INVALID)
        if self._paced:
            of_token = (found.organization, found.author.principal)
            self._pacing.request(text[PREFIX_AT] if is_key else of_token)
        return found

    async def look(self) -> None:
        """Learn which keys were made and revoked; raises `StoreError`."""
        began = self._now()
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, self._keyring.look)
        # What is committed while it looks may be missed: as old as its beginning.
        self._fresh_until = max(self._fresh_until, began + self._max_staleness)

    async def run(self) -> None:
        """Keep the keys of callers and of the issuer fresh, until stopped."""
        await asyncio.gather(self._keep_looking(), self._keep_fetching())

    def stop(self) -> None:
        """Let `run` end after its round."""
        self._stopping.set()

    def close(self) -> None:
        """Wait for the threads; not on the loop."""
        self._threads.shutdown()
        self._token_threads.shutdown()

    def _current(self, text: bytes) -> Caller | None:
        return self._keyring.caller(text) if self._now() <= self._fresh_until else None

    def _presented(self, headers: RawHeaders) -> bytes:
        """Return the text of the credential; raises `Refused` when there is not exactly one."""
        found: bytes | None = None
        for name, value in headers:
            if name == AUTHORIZATION:
                if found is not None:
                    raise self._refused(INVALID)
                found = value
        if self._demo:
            check_host(headers)
        if found is None:
            if not self._demo:
                raise self._refused(MISSING)
            return DEMO
        if found[: len(SCHEME)].lower() != SCHEME:
            raise self._refused(INVALID)
        return found[len(SCHEME) :]

    def _refused(self, problem: Problem) -> Refused:
        """Return what is raised for a credential that is missing or wrong, and count it."""
        self.refused += 1
        return Refused(problem)

    async def _of_key(self, text: bytes, client: Client) -> Caller | None:
        if not well_formed(text):
            return None
        known = self._keyring.caller(text) is not None
        if not known:
            self._pacing.attempt(client)
        if self._now() > self._fresh_until or not self._keyring.knows(text):
            # It may be new, and made elsewhere.
            await self._look_soon()
        if self._now() > self._fresh_until:
            raise Refused(unavailable("the keys cannot be read"))
        found = self._keyring.caller(text)
        if found is not None and not known:
            self._pacing.succeeded(client)
        return found

    async def _of_token(self, text: bytes, client: Client) -> Caller | None:
        if self._tokens is None:
            return None
        known = self._tokens.remembers(text)
        if not known:
            self._pacing.attempt(client)
        found = self._tokens.read(text)
        if found in {Unverified.UNKNOWN_KEY, Unverified.NO_KEYS}:
            await self._fetch_if_due(self._tokens, unknown_key=True)
            found = self._tokens.read(text)
        if not known and (isinstance(found, Verified) or found is Unverified.NO_KEYS):
            # A good one, or one that nobody could look at.
            self._pacing.succeeded(client)
        if found is Unverified.NO_KEYS:
            raise Refused(unavailable("the keys of the issuer cannot be fetched"))
        return found.caller if isinstance(found, Verified) else None

    async def _look_soon(self) -> None:
        """Wait for a look that begins after this; everyone who waits shares it."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_after_a_pause())
        await asyncio.shield(self._looking)

    async def _look_after_a_pause(self) -> None:
        await asyncio.sleep(self._looked_at + LOOKS_APART_SECONDS - self._now())
        self._looked_at = self._now()
        # Whoever comes from here on waits for the next one.
        self._looking = None
        await self.look()

    async def _fetch_if_due(self, tokens: Tokens, *, unknown_key: bool) -> None:
        if self._fetching is None:
            if not tokens.fetch_due(unknown_key=unknown_key):
                return
            loop = asyncio.get_running_loop()
            self._fetching = loop.run_in_executor(self._token_threads, tokens.fetch)
            self._fetching.add_done_callback(self._fetched)
        await asyncio.shield(self._fetching)

    def _fetched(self, _: asyncio.Future[None]) -> None:
        self._fetching = None

    async def _keep_looking(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.look()
            except Exception as error:
                # The first of a row is logged; requests are refused once what is known is too old.
                if not self._failing:
                    log.error("keys not followed", exc_info=error)
                self._failing = True
            else:
                self._failing = False
            await set_within(self._stopping, self._max_staleness / LOOKS_A_PERIOD)

    async def _keep_fetching(self) -> None:
        while self._tokens is not None and not self._stopping.is_set():
            try:
                await self._fetch_if_due(self._tokens, unknown_key=False)
            except Exception as error:
                log.error("keys of the issuer not fetched", exc_info=error)
            await set_within(self._stopping, TOKEN_CHECK_SECONDS)


def check_host(headers: RawHeaders) -> None:
    """Raise `Refused` unless the request names this machine, once, as the one that it is for."""
    named = [value for name, value in headers if name == b"host"]
    if len(named) != 1 or not is_loopback(_without_port(named[0].decode("latin-1"))):
        raise Refused(WRONG_HOST)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


def unavailable(why: str) -> Problem:
    """Return what a caller is told whose credential cannot be checked now."""
    return later("authentication_unavailable", f"{why}: try again")
