"""Where log lines go: a stream that may fail, as on a full disk, and fails nobody with it."""

from contextlib import suppress
from typing import TextIO


class LogLines:
    """Writes to a stream while it can be written; what does not fit is lost, and nobody is told.

    INVARIANT: what is logged never decides what is answered.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text if that is possible; return its length."""
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Let the stream write what it keeps, if that is possible."""
        with suppress(OSError):
            self._stream.flush()
