"""What a stage reports: a row for everything it looked at, its numbers, and what went wrong.

A stage writes one JSON object a line; the last one ends it. Without that last one it broke off.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from specs.gate.detail import NO_ANNEX, NO_DETAIL, Annex, Detail
from specs.gate.origin import Origin

PASSES: Final = frozenset(
    {"proved", "caught", "holds", "refuted as expected", "passed", "confirmed"}
)
"""The verdicts that are passes; any other word, known or not, is a failure."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="row"):
    """One verdict. `counterexample` shows why, in the words of the domain, where it is no pass.

    It also shows what a fault or a broken model leads to. `detail` is for the page.
    """

    property_id: str
    name: str
    verdict: str
    seconds: float = 0.0
    counterexample: tuple[str, ...] = ()
    detail: Detail | msgspec.UnsetType = msgspec.UNSET

    @property
    def passed(self) -> bool:
        """Whether the verdict is a pass."""
        return self.verdict in PASSES

    @property
    def more(self) -> Detail:
        """The detail, which may be empty."""
        return NO_DETAIL if isinstance(self.detail, msgspec.UnsetType) else self.detail


class End(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="end"):
    """The stage came to its end; `numbers` are what the ratchets pin."""

    numbers: dict[str, int]


class Stopped(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stopped"):
    """The stage could not do its work: a missing tool, with the command that installs it."""

    problem: str


class Stage(msgspec.Struct, frozen=True):
    """What became of a stage. `problem` is empty when it ran to its end and was seen to.

    `processor_seconds` are those of its process and of all that it started and waited for: unlike
    the time that has passed they say what a stage costs on a machine that does other work, too.
    """

    name: str
    rows: tuple[Row, ...] = ()
    numbers: dict[str, int] = {}
    seconds: float = 0.0
    problem: str = ""
    annex: Annex | msgspec.UnsetType = msgspec.UNSET
    processor_seconds: float = 0.0

    @property
    def more(self) -> Annex:
        """The annex, which may be empty."""
        return NO_ANNEX if isinstance(self.annex, msgspec.UnsetType) else self.annex

    @property
    def failures(self) -> tuple[Row, ...]:
        """The rows that are no pass; a problem of the stage as a whole is one of them."""
        rows = tuple(row for row in self.rows if not row.passed)
        if self.problem == "":
            return rows
        return (*rows, Row("-", self.name, "failed", self.seconds, (self.problem,)))

    @property
    def passed(self) -> bool:
        """Whether there were rows and all of them are passes."""
        return len(self.rows) > 0 and len(self.failures) == 0


class Report(msgspec.Struct, frozen=True):
    """What `report.json` holds. Reports from before there were pages have no origin."""

    passed: bool
    seconds: float
    stages: tuple[Stage, ...]
    origin: Origin | msgspec.UnsetType = msgspec.UNSET


Message = Row | End | Stopped | Annex
_READER: Final[msgspec.json.Decoder[Message]] = msgspec.json.Decoder(Message)


def written(message: Message) -> bytes:
    """Return a message as the line that carries it."""
    return msgspec.json.encode(message) + b"\n"


def read(line: bytes) -> Message | None:
    """Return the message of a line, or nothing when the line carries none."""
    try:
        return _READER.decode(line)
    except msgspec.DecodeError:
        return None


def concluded(
    name: str, messages: Sequence[Message], *, seconds: float, problem: str = ""
) -> Stage:
    """Return what became of a stage that has said these things. Fails closed."""
    rows = tuple(message for message in messages if isinstance(message, Row))
    ends = [message for message in messages if isinstance(message, End)]
    stopped = [message.problem for message in messages if isinstance(message, Stopped)]
    found = [*stopped, problem, *_oddities(rows, ends)]
    numbers = ends[-1].numbers if ends else {}
    annexes = [message for message in messages if isinstance(message, Annex)]
    annex = annexes[-1] if annexes else msgspec.UNSET
    return Stage(name, rows, numbers, seconds, next((one for one in found if one), ""), annex)


def _oddities(rows: Sequence[Row], ends: Sequence[End]) -> Iterable[str]:
    if len(ends) != 1:
        yield "it broke off: its report has no end" if not ends else "its report has two ends"
    if len(rows) == 0:
        yield "it reported nothing"
