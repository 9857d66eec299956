"""Stands between a client and the server, and cuts their connection around a commit."""

import contextlib
import select
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import make_url

from tests.postgresql import SOCKET_NAME

BLOCK_BYTES = 65_536
COMMIT = b"COMMIT\0"


@dataclass
class Cutter:
    """Passes everything on until `cut` says when to cut: before a commit arrives, or after it."""

    address: str
    cut: Literal["never", "before", "after"] = "never"


@contextmanager
def cutter(address: str) -> Iterator[Cutter]:
    """A second address of the database, whose connections can be cut."""
    url = make_url(address)
    upstream = Path(str(url.query["host"])) / SOCKET_NAME
    folder = Path(tempfile.mkdtemp(prefix="gp-"))
    made = Cutter(
        url.update_query_dict({"host": str(folder)}).render_as_string(hide_password=False)
    )
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / SOCKET_NAME))
        listener.listen()
        accepting = threading.Thread(target=_accept, args=(made, listener, upstream))
        accepting.start()
        try:
            yield made
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            shutil.rmtree(folder)


def _accept(made: Cutter, listener: socket.socket, upstream: Path) -> None:
    passing = list[threading.Thread]()
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            passing.append(threading.Thread(target=_pass, args=(made, client, upstream)))
            passing[-1].start()
    for each in passing:
        each.join()


def _pass(made: Cutter, client: socket.socket, upstream: Path) -> None:
    with client, socket.socket(socket.AF_UNIX) as server:
        server.connect(str(upstream))
        other = {client: server, server: client}
        while True:
            for ready in select.select([client, server], [], [])[0]:
                data = ready.recv(BLOCK_BYTES)
                committing = ready is client and COMMIT in data
                if len(data) == 0 or (committing and made.cut == "before"):
                    return
                other[ready].sendall(data)
                if committing and made.cut == "after":
                    # The server has answered, and nobody will hear it.
                    assert len(server.recv(BLOCK_BYTES)) > 0
                    return
