"""Starting over a server of databases that may come up later than this process.

What only waiting can mend is waited for; whatever else is wrong ends the start as it always did.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

import structlog

from grantproof.adapters.clock import pause_seconds
from grantproof.service.ports import FileUnavailable, StoreUnavailable

FIRST_PAUSE_SECONDS: Final = 0.25
PAUSE_SECONDS_MAX: Final = 5.0
PROMPT_SECONDS: Final = 1.0
"""How long a start may take before the process answers that it is not ready."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


async def started(
    start: Callable[[], Awaitable[T]], *, patient: bool, late: Callable[[], None]
) -> T:
    """Return what `start` returns; while the store cannot be reached, and `patient`, try again.

    Says so in the log once when it fails and once when it does no more; `late` is called after the
    first failure. Raises `StoreError`.
    """
    attempts = 0
    while True:
        try:
            found = await start()
        except StoreUnavailable as error:
            if not patient or isinstance(error, FileUnavailable):
                raise
            if attempts == 0:
                log.error("not started, trying again until it can be", error=str(error))
                late()
            pause = pause_seconds(attempts, first=FIRST_PAUSE_SECONDS, most=PAUSE_SECONDS_MAX)
            await asyncio.sleep(pause)
            attempts += 1
        else:
            if attempts > 0:
                log.info("started after all", attempts=attempts + 1)
            return found


async def aside(work: Callable[[], T], *, discard: Callable[[T], None]) -> T:
    """Return what `work` returns in a thread that the end of the process does not wait for.

    What comes of it when nobody waits for it any more is discarded.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            found = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(partial(_fail, waiting, error))
            return
        try:
            loop.call_soon_threadsafe(partial(_deliver, waiting, found, discard))
        except RuntimeError:
            # The loop is closed.
            discard(found)

    threading.Thread(target=run, name="grantproof-start", daemon=True).start()
    return await waiting


def _deliver(waiting: "asyncio.Future[T]", found: T, discard: Callable[[T], None]) -> None:
    if waiting.done():
        discard(found)
    else:
        waiting.set_result(found)


def _fail(waiting: "asyncio.Future[T]", error: BaseException) -> None:
    if not waiting.done():
        waiting.set_exception(error)
