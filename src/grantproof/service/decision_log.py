"""The decision log: what was asked, what was answered, kept for whoever must account for it.

What is written may be sampled and redacted; neither ever changes an answer. What cannot be written
is never lost in silence: the setting `Overflow` says what then happens to the answer.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from grantproof.core.errors import Illegal

HASHES: Final = 2**32
"""How many different values CRC-32 has."""

REDACTED: Final = "[redacted]"


class Overflow(StrEnum):
    """What happens to a request that is to be logged while the queue is full."""

    WAIT = "wait"
    """It waits for room, and is refused when there is none for long."""
    DROP = "drop"
    """It is answered, its entries are dropped and counted."""
    REFUSE = "refuse"
    """It is refused at once: no decision without its entry."""


Asked = msgspec.Struct | Mapping[str, object]
"""A question as it was put: what was not said is not written."""


class Entry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A decision that was made for somebody.

    `reason` is the code of the true reason of a deny, also where the caller was not told it;
    `claim` the one that grants, or the nearest that fails.
    """

    asked: Asked
    decision: str
    reason: str | None = None
    claim: str | None = None


class Record(msgspec.Struct, gc=False, omit_defaults=True):
    """What one request asked and was answered, on one state at one instant: a line of the log.

    `instant` is in epoch seconds, `actor` who asked. The decisions are in the order of the
    questions; so many of those were `malformed`, and have nothing in their place.
    """

    instant: int
    request_id: str
    actor: str
    organization: str
    revision: int
    decisions: list[Entry | None]
    malformed: int = 0

    @property
    def count(self) -> int:
        """How many decisions it has."""
        return len(self.decisions) - self.malformed


_ENCODER: Final = msgspec.json.Encoder()

REDACTABLE: Final = ("request_id", "actor", "claim", "asked")
"""The fields that may be redacted; of what was asked also a part, as `asked.region`."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """The names of what is not written, such as `claim` or `asked.attributes.email`."""

    fields: frozenset[str] = frozenset()
    _whole: bool = field(init=False, repr=False, compare=False)
    """Whether some field of every record is redacted."""
    _marks: dict[str, bytes] = field(init=False, repr=False, compare=False)
    """How the parts of what was asked begin, of which something is, as they are written."""

    def __post_init__(self) -> None:
        for name in sorted(self.fields):
            if name not in REDACTABLE and not name.startswith("asked."):
                known = ", ".join(REDACTABLE)
                rule = f"must be some of {known} or `asked.NAME`, not `{name}`"
                raise Illegal("redact", rule)
        inside = {name for name in self.fields if "." in name}
        object.__setattr__(self, "_whole", inside != self.fields)
        parts = sorted({name.split(".")[1] for name in inside})
        marks = {part: _ENCODER.encode(part) + b":" for part in parts}
        object.__setattr__(self, "_marks", marks)

    def lines(self, records: Sequence[Record], *, names: frozenset[str] | None = None) -> bytes:
        """Return the records as they are written: each a line of JSON, what is redacted a mark.

        Most have nothing to redact, and are written at once. `names` are all that what was asked
        may be made of, where that is known: what cannot be there is not looked for.
        """
        lines = _ENCODER.encode_lines(records)
        # Inside of a text no mark is found, as a quote in it is escaped.
        if self._whole or any(
            mark in lines for part, mark in self._marks.items() if names is None or part in names
        ):
            return _ENCODER.encode_lines(map(self._covered, records))
        return lines

    def _covered(self, record: Record) -> dict[str, object]:
        fields: dict[str, Any] = msgspec.to_builtins(record)
        marked = (None if one is None else self._marked(one, "") for one in fields["decisions"])
        return {**self._marked(fields, ""), "decisions": list(marked)}

    def _marked(self, fields: Mapping[str, object], prefix: str) -> dict[str, object]:
        marked: dict[str, object] = {}
        for name, value in fields.items():
            path = f"{prefix}{name}"
            if path in self.fields:
                marked[name] = REDACTED
            elif isinstance(value, Mapping):
                marked[name] = self._marked(value, f"{path}.")
            else:
                marked[name] = value
        return marked


def sampled(request_id: str, share: float) -> bool:
    """Return whether a request is among the `share` (0 to 1) that is logged.

    The same id always gets the same answer, so that a request is logged entirely or not at all, by
    every process that it passes.
    """
    return share >= 1 or zlib.crc32(request_id.encode()) < share * HASHES


NO_REDACTION: Final = Redaction()


@dataclass(frozen=True, slots=True)
class LogCounts:
    """What became of entries since the start: `waiting` are taken and not written yet.

    `waiting_max` is how many may wait before requests have to.
    """

    written: int
    dropped: int
    waiting: int
    waiting_max: int


class DecisionLog(Protocol):
    """Takes entries without delay and writes them behind. Safe to use from several threads."""

    def has_room(self) -> bool:
        """Return whether fewer entries wait than may."""
        ...

    def take(self, record: Record, *, names: frozenset[str] | None = None) -> None:
        """Take a record to be written, in order; what a log is brought that was closed is dropped.

        It is the log's from then on. One without decisions is not written. `names` are all that
        what was asked may be made of, where that is known.
        """
        ...

    def drop(self, count: int) -> None:
        """Count entries that were given up."""
        ...

    def tally(self) -> LogCounts:
        """Return what became of the entries until now."""
        ...

    def close(self) -> None:
        """Write what was taken, within a bounded time; nothing is taken any more."""
        ...
