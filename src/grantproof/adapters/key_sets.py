"""Where an issuer's keys come from: one address, or one file. Bounded in time and in size."""

import http.client
import ssl
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from grantproof.service.tokens import KeySetUnavailable

BYTES_MAX: Final = 256 * 1024
SECONDS_MAX: Final = 5.0
CHUNK_BYTES: Final = 16 * 1024
OK: Final = 200


def from_file(path: Path) -> bytes:
    """Return what the file holds; raises `KeySetUnavailable`."""
    try:
        with path.open("rb") as file:
            return _bounded(file.read(BYTES_MAX + 1))
    except OSError as error:
        raise KeySetUnavailable(f"`{path}` cannot be read ({error.strerror})") from error


def from_address(address: str) -> bytes:
    """Return what is at the address; raises `KeySetUnavailable`.

    No redirection is followed: the address is the one that the operator trusts. Neither a proxy nor
    a cache stands between, and all of it takes at most `SECONDS_MAX`, however slowly it comes.
    """
    parts = urlsplit(address)
    if parts.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            parts.hostname or "",
            parts.port,
            timeout=SECONDS_MAX,
            context=ssl.create_default_context(),
        )
    else:
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port, timeout=SECONDS_MAX
        )
    deadline = time.monotonic() + SECONDS_MAX
    target = parts.path or "/"
    try:
        connection.request("GET", f"{target}?{parts.query}" if parts.query else target)
        response = connection.getresponse()
        if response.status != OK:
            raise KeySetUnavailable(f"`{address}` answers with status {response.status}")
        return _read(response, address, deadline=deadline)
    except (OSError, http.client.HTTPException) as error:
        raise KeySetUnavailable(f"`{address}` cannot be reached ({error})") from error
    finally:
        connection.close()


def _read(response: http.client.HTTPResponse, address: str, *, deadline: float) -> bytes:
    whole = b""
    while part := response.read1(CHUNK_BYTES):
        whole = _bounded(whole + part)
        if time.monotonic() > deadline:
            raise KeySetUnavailable(f"`{address}` takes more than {SECONDS_MAX:g} seconds")
    return whole


def _bounded(whole: bytes) -> bytes:
    if len(whole) > BYTES_MAX:
        raise KeySetUnavailable(f"they have more than {BYTES_MAX} bytes")
    return whole
