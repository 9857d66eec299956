"""One of several workers: a server in a process of its own, that ends when its parent does.

What it is told comes through a connection to the parent, not by signals: a terminal and an init
system send theirs to every process at once, and the second would be taken for hurry.
"""

import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, Final

import uvicorn
from typing_extensions import override
from uvicorn.importer import import_from_string

from grantproof.adapters.workers import Worker, clear
from grantproof.cli.exits import ExitCode
from grantproof.cli.serve import environment
from grantproof.cli.server import APPLICATION, SHUTDOWN_SECONDS_MAX, Server, configured
from grantproof.settings import Settings

READY: Final = "ready"
"""What a worker tells when it can answer; anything else that it tells is why it cannot."""
STOP: Final = "stop"
HURRY: Final = "hurry"
ORPHAN_SECONDS_MAX: Final = 3.0 * SHUTDOWN_SECONDS_MAX
"""How long a worker without a parent may take to end: what is under way, and what is logged."""


class WorkerServer(Server):
    """A server that is told by its parent when to stop, and tells it when it can answer."""

    def __init__(
        self, config: uvicorn.Config, *, drain_seconds: float, parent: "Connection[Any, Any]"
    ) -> None:
        super().__init__(config, drain_seconds=drain_seconds)
        self._parent = parent
        self._is_told = False
        self.is_orphan = False

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal: it stops this worker as the first word of the parent does."""
        if sig == signal.SIGTERM:
            self.should_exit = True

    @override
    async def on_tick(self, counter: int) -> bool:
        """Return whether to stop; tell the parent once that there is an answer to get here."""
        if not self._is_told and self.application.is_ready:
            self._is_told = True
            self.tell(READY)
        return await super().on_tick(counter)

    def tell(self, word: str) -> None:
        """Tell the parent, if it is still there."""
        try:
            self._parent.send(word)
        except OSError:
            return

    def listen(self) -> None:
        """Do what the parent says, until there is none any more; runs in a thread of its own."""
        while True:
            try:
                word = self._parent.recv()
            except (EOFError, OSError):
                break
            self.force_exit = self.force_exit or word == HURRY
            self.should_exit = True
        # Its address is to be free for whoever starts the service again: nothing is drained.
        self.is_orphan, self.drains, self.should_exit = True, False, True
        threading.Event().wait(ORPHAN_SECONDS_MAX)
        os._exit(ExitCode.UNDETERMINED)


def work(listener: socket.socket, parent: "Connection[Any, Any]", worker: Worker) -> None:
    """Serve until told to stop; exits with 3 when there is no service to be had."""
    maker = os.getppid()
    settings = Settings().of_one_worker()
    os.environ.update(environment(settings))
    create: Any = import_from_string(APPLICATION)
    config = configured(settings, application=partial(create, worker))
    server = WorkerServer(config, drain_seconds=settings.drain_seconds, parent=parent)
    signal.signal(signal.SIGTERM, server.handle_exit)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    threading.Thread(target=server.listen, name="grantproof-parent", daemon=True).start()
    try:
        server.run(sockets=[listener])
    finally:
        if server.failure is not None:
            server.tell(server.failure)
        # Without what made it, it cannot tell: perhaps the parent lives, and has made another.
        if server.is_orphan and (os.getppid() == maker or sys.platform != "linux"):
            _leave_nothing(worker)
    if server.failure is not None:
        sys.exit(ExitCode.UNDETERMINED)


def _leave_nothing(worker: Worker) -> None:
    """Do what the parent would have done; the last one to end removes the folder."""
    with suppress(OSError):
        clear(worker.folder, worker.number)
        worker.folder.rmdir()
