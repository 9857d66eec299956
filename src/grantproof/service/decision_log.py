"""The decision log: what was asked, what was answered, kept for whoever must account for it.

What is written may be sampled and redacted; neither ever changes an answer. What cannot be written
is never lost in silence: the setting `Overflow` says what then happens to the answer.
"""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final, Protocol

import msgspec

from grantproof.core.errors import Illegal

HASHES: Final = 2**32
"""How many different values CRC-32 has."""

REDACTED: Final = "[redacted]"


class Said(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a question says of the context, in the order in which it is written."""

    resource_kind: str | None = None
    region: str | None = None
    position: str | None = None
    attributes: dict[str, Any] | None = None
    hour: int | None = None
    weekday: int | None = None
    usage: int | None = None
    rate: int | None = None
    active_roles: list[str] | None = None
    session_id: str | None = None


SAYABLE: Final = frozenset(Said.__struct_fields__)

Context = Said | Mapping[str, object]


class Overflow(StrEnum):
    """What happens to a request that is to be logged while the queue is full."""

    WAIT = "wait"
    """It waits for room, and is refused when there is none for long."""
    DROP = "drop"
    """It is answered, its entries are dropped and counted."""
    REFUSE = "refuse"
    """It is refused at once: no decision without its entry."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A decision that was made for somebody.

    `instant` is in epoch seconds, `actor` who asked, `item` the position in a batch. `context` is
    what the request supplied. `reason` is the code of the true reason of a deny, also where the
    caller was not told it; `claim` the one that grants, or the nearest that fails.
    """

    instant: int
    request_id: str
    actor: str
    organization: str
    principal: str
    action: str
    resource: str
    context: Context
    decision: str
    reason: str | None
    claim: str | None
    revision: int
    item: int | None = None


_ENCODER: Final = msgspec.json.Encoder()

REDACTABLE: Final = ("request_id", "actor", "principal", "action", "resource", "claim", "context")
"""The fields that may be redacted; of the context also a part of it, as `context.region`."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """The names of what is not written, such as `principal` or `context.attributes.email`."""

    fields: frozenset[str] = frozenset()
    _whole: bool = field(init=False, repr=False, compare=False)
    """Whether some field of every entry is redacted."""
    _parts: frozenset[str] = field(init=False, repr=False, compare=False)
    """The parts of the context of which something is."""
    _looks: tuple[Callable[[Entry], object], ...] = field(init=False, repr=False, compare=False)
    """How such a part is found in an entry on what a question said."""

    def __post_init__(self) -> None:
        for name in sorted(self.fields):
            if name not in REDACTABLE and not name.startswith("context."):
                known = ", ".join(REDACTABLE)
                rule = f"must be some of {known} or `context.NAME`, not `{name}`"
                raise Illegal("redact", rule)
        inside = {name for name in self.fields if "." in name}
        object.__setattr__(self, "_whole", inside != self.fields)
        parts = frozenset(name.split(".")[1] for name in inside)
        object.__setattr__(self, "_parts", parts)
        looks = tuple(attrgetter(f"context.{part}") for part in sorted(parts & SAYABLE))
        object.__setattr__(self, "_looks", looks)

    def lines(self, entries: Sequence[Entry]) -> bytes:
        """Return the entries as they are written: each a line of JSON, every redacted field a mark.

        Most have nothing to redact, and are written at once.
        """
        if not self._whole and self._spares(entries):
            return _ENCODER.encode_lines(entries)
        covered = (self._covered(msgspec.to_builtins(entry), "") for entry in entries)
        return _ENCODER.encode_lines(covered)

    def _spares(self, entries: Sequence[Entry]) -> bool:
        """Return whether the entries have none of the parts of which something is redacted."""
        if len(self._looks) == len(self._parts):
            try:
                # All entries at once: to look at each would take longer than to write it.
                for look in self._looks:
                    if list(map(look, entries)).count(None) < len(entries):
                        return False
            except AttributeError:
                pass
            else:
                return True
        # There are other contexts, or other names, than those of questions.
        said = (msgspec.to_builtins(entry.context) for entry in entries)
        return all(map(self._parts.isdisjoint, said))

    def _covered(self, fields: Mapping[str, object], prefix: str) -> dict[str, object]:
        covered: dict[str, object] = {}
        for name, value in fields.items():
            path = f"{prefix}{name}"
            if path in self.fields:
                covered[name] = REDACTED
            elif isinstance(value, Mapping):
                covered[name] = self._covered(value, f"{path}.")
            else:
                covered[name] = value
        return covered


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

    def take(self, entries: Sequence[Entry]) -> None:
        """Take entries to be written, in order; those of a log that was closed are dropped."""
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
