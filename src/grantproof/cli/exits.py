"""How a command ends: its exit code, and one line for people when it could not do what was asked.

The code alone tells a script what it needs to know, whatever was printed.
"""

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from grantproof.service.trees import Tree


class ExitCode(IntEnum):
    """What the exit code of every command means."""

    OK = 0
    """Yes, or done."""
    NO = 1
    """No: denied, refused, not there, or an invariant is violated. Nothing was changed."""
    USAGE = 2
    """What was typed, or the file that was named, cannot be read as a request."""
    UNDETERMINED = 3
    """The answer could not be found, or the change not be made: the same call may work later."""


class Stop(Exception):
    """Ends the command with `code`, and with `lines` on the standard error.

    `document` says it to programs; `tree` shows people more than the lines do.
    """

    def __init__(
        self,
        code: ExitCode,
        *lines: str,
        document: dict[str, Any] | None = None,
        tree: "Tree | None" = None,
    ) -> None:
        super().__init__(*lines)
        self.code = code
        self.lines = lines
        self.document = document
        self.tree = tree


def usage(line: str) -> Stop:
    """Return the end of a command that was not given what it needs."""
    return Stop(ExitCode.USAGE, line)


def unusable(file: object, how: Literal["read", "written"], error: OSError) -> Stop:
    """Return the end of a command on a file that the system does not let it read or write."""
    why = (error.strerror or f"it cannot be {how}").lower()
    return usage(f"the file `{file}` cannot be {how}: {why}")


def absent(noun: str, name: str) -> Stop:
    """Return the end of a command on something that does not exist."""
    return Stop(ExitCode.NO, f"{noun} `{name}` does not exist")
