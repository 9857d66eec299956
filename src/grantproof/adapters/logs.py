"""The log: lines of JSON for programs or for people, each with the id of its request.

Written to the standard error stream. Nothing that a request brings is written but its method and
the template of its route: no bodies, no credentials, no query.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final, TextIO, cast

import structlog
from typing_extensions import override

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("grantproof_request_id", default=None)
"""Of the request that this task, or thread, works for."""

Lines = MutableMapping[str, Any]


def configure(level: str, style: str, *, more: tuple[structlog.typing.Processor, ...] = ()) -> None:
    """Log what is at least of that level: as `json`, for the `console`, or `auto`matically.

    `more` adds to each line.
    """
    show: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if style == "console" or (style == "auto" and sys.stderr.isatty()):
        show = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            with_request_id,
            *more,
            structlog.processors.format_exc_info,
            show,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # In one write each: the lines of several processes into one pipe stay whole.
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Kept(sys.stderr))),
    )
    server = logging.getLogger("uvicorn")
    server.handlers, server.propagate = [_Passed()], False
    # Its warnings are about requests that are none: whoever sends them would fill the log.
    server.setLevel(max(number, logging.ERROR))


def with_request_id(_: Any, __: str, line: Lines) -> Mapping[str, Any]:
    """Add the id of the request, unless the line has one."""
    request_id = REQUEST_ID.get()
    if request_id is not None:
        line.setdefault("request_id", request_id)
    return line


class _Kept:
    """A stream that may be gone, such as a closed terminal: no reason to fail a request."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Write the text if that can be done."""
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        """Flush the stream if that can be done."""
        with suppress(OSError, ValueError):
            self._stream.flush()


class _Passed(logging.Handler):
    """Lets what the server logs in its own way be lines like all others."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger("uvicorn")
        try:
            log.log(record.levelno, record.getMessage(), exc_info=record.exc_info)
        except Exception:  # noqa: BLE001 - as every handler does: a log is no reason to fail
            self.handleError(record)
