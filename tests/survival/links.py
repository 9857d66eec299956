"""Ways of a replica to its database that can be cut without a word, as a network is.

Best is a network namespace of its own, joined to this one by two pairs of virtual interfaces: one
for its clients, one for its database, which is taken down. That takes root and `ip`. Elsewhere a
relay stands between, which stops passing anything on and closes nothing.
"""

import contextlib
import itertools
import os
import select
import shutil
import socket
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from tests.postgresql import SOCKET_NAME

BLOCK_BYTES: Final = 65_536
LOOK_SECONDS: Final = 0.05
NUMBERS: Final = itertools.count()


class Link(ABC):
    """One way to the database: `address` leads there, `host` is where the replica is asked."""

    address: str
    host: str
    prefix: tuple[str, ...]
    """What the replica's program is started with."""

    @abstractmethod
    def cut(self) -> None:
        """Let nothing pass any more."""

    @abstractmethod
    def join(self) -> None:
        """Let everything pass again."""


class Relay(Link):
    """Passes everything on between TCP clients and the server's socket, unless it is cut."""

    prefix = ()

    def __init__(self, database: str, host: str, *, asked_at: str = "127.0.0.1") -> None:
        url = make_url(database)
        self._server = Path(str(url.query["host"])) / SOCKET_NAME
        self._listener = socket.create_server((host, 0))
        port = self._listener.getsockname()[1]
        # How long a connection that is cut may take to be made is the product's own to say.
        plain = url.difference_update_query(["host", "connect_timeout"])
        named = plain.set(host=host, port=port)
        self.address = named.render_as_string(hide_password=False)
        self.host = asked_at
        self._open, self._over = threading.Event(), threading.Event()
        self._open.set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        self._open.clear()

    def join(self) -> None:
        self._open.set()

    def close(self) -> None:
        """Close every connection."""
        self._over.set()
        self._open.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                passing = threading.Thread(target=self._pass, args=(client,), daemon=True)
                self._threads.append(passing)
                passing.start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(str(self._server))
            other = {client: server, server: client}
            while not self._over.is_set():
                for ready in select.select([client, server], [], [], LOOK_SECONDS)[0]:
                    data = ready.recv(BLOCK_BYTES)
                    self._open.wait()
                    if len(data) == 0:
                        return
                    other[ready].sendall(data)


class Namespace(Link):
    """A network namespace, whose interface towards the database is taken down and up again."""

    def __init__(self, database: str) -> None:
        number = next(NUMBERS)
        tag = f"{os.getpid() % 100_000}x{number % 10}"
        self._name, self._clients, self._database = f"gp{tag}", f"gpc{tag}", f"gpd{tag}"
        # Of the range for tests of networks (RFC 2544), four addresses for each pair.
        block = (os.getpid() % 4_000) * 16 + (number % 2) * 8
        subnet = f"198.{18 + block // 65_536}.{block // 256 % 256}"
        first = block % 256
        self.prefix = ("ip", "netns", "exec", self._name)
        run("netns", "add", self._name)
        self._pair(self._clients, f"{subnet}.{first + 1}", f"{subnet}.{first + 2}")
        self._pair(self._database, f"{subnet}.{first + 5}", f"{subnet}.{first + 6}")
        inside("link", "set", "lo", "up", name=self._name)
        self._relay = Relay(database, f"{subnet}.{first + 5}")
        self.address = self._relay.address
        self.host = f"{subnet}.{first + 2}"

    def _pair(self, name: str, here: str, there: str) -> None:
        run("link", "add", name, "type", "veth", "peer", "name", f"{name}i", "netns", self._name)
        run("addr", "add", f"{here}/30", "dev", name)
        run("link", "set", name, "up")
        inside("addr", "add", f"{there}/30", "dev", f"{name}i", name=self._name)
        inside("link", "set", f"{name}i", "up", name=self._name)

    def cut(self) -> None:
        run("link", "set", self._database, "down")

    def join(self) -> None:
        run("link", "set", self._database, "up")

    def close(self) -> None:
        """Take the namespace away, and its interfaces with it."""
        self.join()
        self._relay.close()
        run("netns", "delete", self._name)


def run(*arguments: str) -> None:
    """Change the network; raises where that is not allowed."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def inside(*arguments: str, name: str) -> None:
    """Change the network of a namespace."""
    run("netns", "exec", name, "ip", *arguments)


def has_namespaces() -> bool:
    """Whether a network namespace can be made here, with a pair of interfaces."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        return False
    name = f"gpt{os.getpid() % 100_000}"
    try:
        run("netns", "add", name)
        try:
            run("link", "add", name, "type", "veth", "peer", "name", f"{name}i", "netns", name)
        finally:
            run("netns", "delete", name)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@contextmanager
def link_to(database: str) -> Iterator[Link]:
    """The best link to the database at that address that can be made here."""
    made = Namespace(database) if has_namespaces() else Relay(database, "127.0.0.1")
    try:
        yield made
    finally:
        made.close()
