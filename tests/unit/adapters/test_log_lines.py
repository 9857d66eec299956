"""Log lines on a stream that fails now and then."""

import io
from typing import cast

import structlog
from typing_extensions import override

from grantproof.adapters.log_lines import LogLines


class FullAtTimes(io.StringIO):
    """A stream whose disk is full while `full` is set."""

    full = False

    @override
    def write(self, text: str, /) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)

    @override
    def flush(self) -> None:
        if self.full:
            raise OSError(28, "No space left on device")


def test_a_full_disk_costs_log_lines_and_nothing_else() -> None:
    """Nothing is raised to whoever logs; later lines are written again."""
    stream = FullAtTimes()
    lines = cast(io.StringIO, LogLines(stream))
    logger = structlog.PrintLogger(lines)
    for full, line in ((False, "one"), (True, "two"), (False, "three")):
        stream.full = full
        logger.msg(line)
    assert stream.getvalue() == "one\nthree\n"
