"""Requests to a server: one each, nothing is repeated, and every trouble is one line and a code.

The key is sent to nobody but the server that is named: no redirection is followed, and none leaves
unencrypted for another machine unless that is allowed.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx2

from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.settings import is_loopback

CONNECT_SECONDS: Final = 10.0
"""So long a connection may take to be made."""
SILENT_SECONDS: Final = 90.0
"""So long a server may say nothing: longer than it works on any one request."""
PROBLEM_TYPE: Final = "application/problem+json"
SUCCESSES: Final = range(200, 300)
NOT_MODIFIED: Final = 304
REFUSED: Final = frozenset({401, 403, 404, 409})
LATER: Final = frozenset({408, 412, 429})
SERVER_ERRORS: Final = 500

Query = Mapping[str, str | int | None]


class ServerSays(Stop):
    """The server refused the request, and said why: a problem document."""

    def __init__(self, problem: "Problem") -> None:
        super().__init__(problem.exit_code, problem.line)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem document, and the headers that belong to it."""

    status: int
    code: str
    detail: str
    document: Mapping[str, Any]
    retry_after: str | None = None
    tag: str | None = None

    @property
    def exit_code(self) -> ExitCode:
        """What the problem means to a script."""
        if self.status >= SERVER_ERRORS or self.status in LATER or self.retry_after is not None:
            return ExitCode.UNDETERMINED
        return ExitCode.NO if self.status in REFUSED else ExitCode.USAGE

    @property
    def line(self) -> str:
        """What went wrong in a line, and when to try again."""
        if self.retry_after is None:
            return self.detail
        return f"{self.detail} (after {self.retry_after} seconds)"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that went well."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """Return the JSON value of the body; raises `Stop` when it is none."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            raise not_ours("its answer is not JSON") from None

    @property
    def revision(self) -> int:
        """The revision that the tag names; raises `Stop` when it names none."""
        tag = self.headers.get("etag", "").strip('"')
        if not (tag.isascii() and tag.isdigit()):
            raise not_ours("its answer names no revision")
        return int(tag)


class Server:
    """A service at an address, asked with a key or without one."""

    def __init__(self, address: str, key: str | None, *, insecure: bool = False) -> None:
        self.address = _checked(address, key, insecure=insecure)
        self._has_key = key is not None
        self._client = client_to(self.address, key)
        self.date: int | None = None
        """The server's clock at its last answer, in epoch seconds, if it says so."""

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Return the answer; raises `Stop`, where the server says why it is a `ServerSays`."""
        told = {name: str(value) for name, value in (query or {}).items() if value is not None}
        sent = dict(headers or {})
        content = None
        if body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        with _troubles(self.address, changes=method != "GET"):
            found = self._client.request(method, path, params=told, content=content, headers=sent)
        self.date = _date(found.headers.get("date")) or self.date
        if found.status_code in SUCCESSES or found.status_code == NOT_MODIFIED:
            return Reply(found.status_code, found.headers, found.content)
        raise self._trouble(found)

    def _trouble(self, found: httpx2.Response) -> Stop:
        if not found.headers.get("content-type", "").startswith(PROBLEM_TYPE):
            code = ExitCode.UNDETERMINED if found.status_code >= SERVER_ERRORS else ExitCode.USAGE
            return not_ours(f"`{self.address}` answers with status {found.status_code}", code)
        try:
            told = json.loads(found.content)
            problem = Problem(
                int(told["status"]),
                str(told["code"]),
                str(told["detail"]),
                told,
                found.headers.get("retry-after"),
                found.headers.get("etag"),
            )
        except (ValueError, KeyError, TypeError, RecursionError):
            return not_ours("its answer cannot be read")
        if problem.code == "unauthenticated" and not self._has_key:
            return usage(
                "the server takes a key: set GRANTPROOF_KEY, or name a file with --key-file"
            )
        return ServerSays(problem)


def path_of(*segments: str) -> str:
    """Return the path of what the segments name; a resource id keeps its slashes."""
    return "/" + "/".join(quote(segment, safe="/:@+=~$") for segment in segments)


def not_ours(why: str, code: ExitCode = ExitCode.UNDETERMINED) -> Stop:
    """Return the end of a command that was not answered as a server of ours answers."""
    return Stop(code, f"{why}: is it a Grantproof server of this version?")


def client_to(address: str, key: str | None) -> httpx2.Client:
    """Return what speaks to the server at the address, and to nobody else."""
    headers = {"Accept": "application/json", "User-Agent": "grantproof-cli"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    encrypted = address.startswith("https:")
    return httpx2.Client(
        base_url=address,
        headers=headers,
        timeout=httpx2.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS),
        follow_redirects=False,
        # Where nothing is encrypted there is no certificate to verify, and loading those that are
        # trusted takes long. Through a proxy of the environment goes only what it cannot read.
        verify=encrypted,
        trust_env=encrypted,
    )


def _checked(address: str, key: str | None, *, insecure: bool) -> str:
    """Return the address without a slash at its end; raises `Stop`."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = parts = None
    if parts is None or not host or parts.scheme not in {"http", "https"}:
        raise usage(f"`{address}` is no address of a server: write http:// or https:// and a host")
    if parts.username is not None or parts.query or parts.fragment:
        raise usage("the address of a server is a scheme, a host, a port and a path: no more")
    if key is not None and parts.scheme == "http" and not (insecure or is_loopback(host)):
        raise usage(
            f"the key would go to `{host}` for everybody to read: use https, or say --insecure"
        )
    return address.rstrip("/")


@contextmanager
def _troubles(address: str, *, changes: bool) -> Iterator[None]:
    """Turn every trouble of the network into its line."""
    unknown = ": what was asked for was done or not, look before trying again" if changes else ""
    try:
        yield
    except httpx2.ConnectTimeout:
        raise _unreached(
            f"no connection to `{address}` within {CONNECT_SECONDS:g} seconds"
        ) from None
    except httpx2.TimeoutException:
        line = f"`{address}` does not answer within {SILENT_SECONDS:g} seconds{unknown}"
        raise _unreached(line) from None
    except httpx2.ConnectError as error:
        raise _unreached(f"no connection to `{address}`: {_why(error)}") from None
    except httpx2.TransportError as error:
        line = f"the connection to `{address}` was lost: {_why(error)}{unknown}"
        raise _unreached(line) from None
    except (httpx2.InvalidURL, UnicodeError):
        raise usage(f"`{address}` is no address of a server") from None


def _unreached(line: str) -> Stop:
    return Stop(ExitCode.UNDETERMINED, line)


def _why(error: Exception) -> str:
    """Return what the system says, in a line of ours."""
    text = str(error).strip() or type(error).__name__
    text = text.partition("] ")[2] if text.startswith("[") and "] " in text else text
    return f"{text[:1].lower()}{text[1:]}".splitlines()[0].rstrip(".")


def _date(header: str | None) -> int | None:
    try:
        return None if header is None else int(parsedate_to_datetime(header).timestamp())
    except (ValueError, OverflowError):
        return None
