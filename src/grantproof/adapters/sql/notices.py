"""Word of changes: whoever commits tells other processes, which then look at once.

For speed only. What is lost or late is found by looking from time to time, as everybody does, so
no caller waits for any of this, and no failure of it is a failure of theirs.
"""

import threading
from collections.abc import Callable
from typing import Any, Final, Protocol

import structlog
from sqlalchemy import Connection, Engine, text
from typing_extensions import override

from grantproof.service.ports import Heard

CHANNEL: Final = "grantproof"
LISTEN: Final = text(f"LISTEN {CHANNEL}")
TELL: Final = text("SELECT pg_notify(:channel, :organizations)")
NOT_DURABLE: Final = text("SET synchronous_commit = off")
"""A notice has nothing to keep: whoever tells it waits for no disk."""

IDS_A_NOTICE: Final = 50
"""So many ids, separated by spaces, fit into what PostgreSQL takes at once, 8,000 bytes."""

PAUSE_SECONDS: Final = 1.0
"""How long to leave a database alone that does not answer."""
STOP_LOOKS_SECONDS: Final = 0.25
"""How often a listener looks whether it is to stop."""
LAST_WORD_SECONDS_MAX: Final = 1.0
"""How long a process that ends waits until what it has committed is told."""

log = structlog.get_logger(__name__)


class Notices(Protocol):
    """Tells others of changes, and hears of theirs. Safe to use from several threads."""

    def tell(self, organization: str) -> None:
        """Let others know soon that the organization has changed; returns at once."""
        ...

    def hear(self, heard: Heard) -> None:
        """Let `heard` be told, from a thread, what others have changed; to be called once."""
        ...

    def close(self) -> None:
        """Tell what is left to tell, and release every connection."""
        ...


class Silence(Notices):
    """No word of anything: for databases that cannot carry it."""

    @override
    def tell(self, organization: str) -> None:
        """Tell nobody."""

    @override
    def hear(self, heard: Heard) -> None:
        """Hear nothing."""

    @override
    def close(self) -> None:
        """Have nothing to release."""


class PostgresqlNotices(Notices):
    """LISTEN and NOTIFY, on two connections of their own, opened when they are first needed.

    A change is told after its commit and not within: PostgreSQL lets transactions that notify pass
    one at a time, whichever organizations they are about, and keeps the next waiting for the disk.
    """

    def __init__(self, engine: Engine) -> None:
        """Use an engine that keeps no connections and commits every statement."""
        self._engine = engine
        self._changed = threading.Condition()
        self._untold: set[str] = set()
        self._telling: threading.Thread | None = None
        self._listening: threading.Thread | None = None
        self._closing = threading.Event()
        self._own_pid = 0

    @override
    def tell(self, organization: str) -> None:
        """Leave it to a thread, which tells all that has come together meanwhile."""
        with self._changed:
            self._untold.add(organization)
            if self._telling is None:
                self._telling = _started(self._keep_telling, "grantproof-tell")
            self._changed.notify()

    @override
    def hear(self, heard: Heard) -> None:
        """Listen in a thread; whenever it begins anew, anything may have changed."""
        self._listening = _started(lambda: self._keep_listening(heard), "grantproof-listen")

    @override
    def close(self) -> None:
        """Wait a moment for the last word; the threads end with the process at the latest."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        for thread in (self._telling, self._listening):
            if thread is not None:
                thread.join(LAST_WORD_SECONDS_MAX)
        self._engine.dispose()

    def _keep_telling(self) -> None:
        while self._wait_for_word():
            try:
                with self._engine.connect() as connection:
                    connection.execute(NOT_DURABLE)
                    self._own_pid = _driver(connection).info.backend_pid
                    while self._wait_for_word():
                        self._tell_all(connection)
            except Exception as error:  # noqa: BLE001 - the driver's errors too; it begins anew
                # What was to be told is lost: others find it when they look.
                log.debug("changes not told", error=str(error))
                if self._closing.wait(PAUSE_SECONDS):
                    return

    def _wait_for_word(self) -> bool:
        """Wait until there is something to tell; false when there is nothing and never will be."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._untold) > 0 or self._closing.is_set())
            return len(self._untold) > 0

    def _tell_all(self, connection: Connection) -> None:
        with self._changed:
            untold, self._untold = sorted(self._untold), set()
        for first in range(0, len(untold), IDS_A_NOTICE):
            organizations = " ".join(untold[first : first + IDS_A_NOTICE])
            connection.execute(TELL, {"channel": CHANNEL, "organizations": organizations})

    def _keep_listening(self, heard: Heard) -> None:
        while not self._closing.is_set():
            try:
                with self._engine.connect() as connection:
                    connection.execute(LISTEN)
                    heard(None)
                    self._listen(_driver(connection), heard)
            except Exception as error:  # noqa: BLE001 - the driver's errors too; it begins anew
                log.debug("changes not heard of", error=str(error))
                self._closing.wait(PAUSE_SECONDS)

    def _listen(self, driver: Any, heard: Heard) -> None:
        """Hear until it is time to stop, or the connection breaks."""
        while not self._closing.is_set():
            for notice in driver.notifies(timeout=STOP_LOOKS_SECONDS):
                if notice.pid != self._own_pid:
                    heard(frozenset(notice.payload.split()))


def _driver(connection: Connection) -> Any:
    """Return the connection as the driver knows it."""
    return connection.connection.driver_connection


def _started(work: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread
