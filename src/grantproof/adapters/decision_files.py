"""The decision log in files: JSON lines, a new file when one is full or a day old.

A thread of its own writes, so that no answer waits for the disk. What cannot be written is kept and
tried again; the queue then fills, and whoever offers more is told that there is no room. Several
processes may have one folder: each writes files of its own.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Final

import structlog

from grantproof.service.decision_log import NO_REDACTION, LogCounts, Record, Redaction

SUFFIX: Final = ".decisions.jsonl"
SECONDS_PER_DAY: Final = 86_400
CLOSE_SECONDS_MAX: Final = 10.0
RETRY_SECONDS: Final = 0.5
AT_ONCE_MAX: Final = 1_000
GATHER_SECONDS: Final = 0.05
"""How long the writer that was woken waits for more, so that not every request wakes it."""
WORDED_MIN: Final = 64
"""So many records are put in words together: one by one each would take twice as long."""

log = structlog.get_logger(__name__)


Names = frozenset[str] | None
"""All that what was asked of a record may be made of, where that is known."""

Lines = tuple[bytes, int]
"""Records as they are written, and how many entries they have."""


@dataclass(frozen=True, slots=True)
class FileRules:
    """Where entries are written and for how long they are kept.

    `queue_max` is the number of entries that may wait before a request has to, `bytes_max` the size
    of a file before the next is begun, `keep_days` the age at which a file is deleted.
    """

    folder: Path
    queue_max: int = 10_000
    bytes_max: int = 64 * 1024 * 1024
    keep_days: int = 30
    redaction: Redaction = NO_REDACTION


class DecisionFiles:
    """A `DecisionLog` in a folder of files."""

    def __init__(self, rules: FileRules, *, now: Callable[[], float] = time.time) -> None:
        self._written = 0
        self._dropped = 0
        self._rules = rules
        self._now = now
        self._loose: list[Record] = []
        """Those taken last, of one entry each, which are not in words yet."""
        self._waiting: deque[Lines] = deque()
        self._count = 0
        """How many entries wait in words."""
        self._idle = False
        self._due = min(AT_ONCE_MAX, rules.queue_max)
        self._many = min(WORDED_MIN, self._due)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._closing = False
        self._ended = False
        self._file: FileIO | None = None
        self._began = 0.0
        self._failing = False
        rules.folder.mkdir(parents=True, exist_ok=True)
        self._writer = threading.Thread(target=self._run, name="grantproof-decisions", daemon=True)
        self._writer.start()

    def tally(self) -> LogCounts:
        """Return what became of the entries until now."""
        with self._lock:
            return LogCounts(self._written, self._dropped, self._held, self._rules.queue_max)

    def has_room(self) -> bool:
        """Return whether fewer entries wait than may."""
        return self._count + len(self._loose) < self._rules.queue_max

    def take(self, record: Record, *, names: Names = None) -> None:
        """Take a record to be written, in order; what a log is brought that was closed is dropped.

        It is the log's from then on. One without decisions is not written. `names` are all that
        what was asked may be made of, where that is known.
        """
        count, loose = record.count, self._loose
        if count == 0:
            return
        if names is not None:
            self._look(many=True, last=record, names=names)
            return
        # Without the lock, which takes longer than this.
        loose.append(record)
        many = count > 1 or len(loose) >= self._many
        if self._idle or many:
            self._look(many=many)

    def drop(self, count: int) -> None:
        """Count entries that were given up."""
        with self._lock:
            self._dropped += count

    def close(self) -> None:
        """Write what was taken, within a bounded time; what is left then is counted and told."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._writer.join(CLOSE_SECONDS_MAX)
        with self._lock:
            # First: what is taken from here on is dropped by whoever takes it.
            self._ended = self._idle = True
            self._put_in_words()
            lost = self._count
            self._dropped += lost
        if lost > 0:
            log.error("decisions were not logged", entries=lost)

    @property
    def _held(self) -> int:
        """How many entries were taken and are not written."""
        return self._count + len(self._loose)

    def _look(self, *, many: bool, last: Record | None = None, names: Names = None) -> None:
        """Put what was taken in words if it is much, and wake the writer if there is need.

        `last` was taken after all the others, and says nothing but by the `names`.
        """
        with self._lock:
            taken = [] if last is None else [last]
            if self._ended:
                self._dropped += _counted(self._loose) + _counted(taken)
                self._loose.clear()
                return
            if many:
                # Not in the writer: what one processor just made is dear to read for another.
                self._put_in_words()
                self._let_wait(taken, names)
            if self._idle or self._is_due():
                # Else it looks for itself in a moment.
                self._idle = False
                self._changed.notify()

    def _put_in_words(self) -> None:
        """Let what was taken wait as it is written. Holds the lock."""
        some = self._loose[:]
        self._let_wait(some, None)
        del self._loose[: len(some)]

    def _let_wait(self, some: list[Record], names: Names) -> None:
        if len(some) == 0:
            return
        try:
            lines, count = self._rules.redaction.lines(some, names=names), _counted(some)
        except Exception:  # noqa: BLE001 - whatever it is, it is of some record and not of the rest
            lines, count = self._one_by_one(some)
        self._waiting.append((lines, count))
        self._count += count

    def _one_by_one(self, some: list[Record]) -> Lines:
        """Return the records as they are written; those for which there are no words are told."""
        lines, count = list[bytes](), 0
        for record in some:
            try:
                lines.append(self._rules.redaction.lines([record]))
            except Exception as error:  # noqa: BLE001 - it is told, and the others are written
                log.error(
                    "decisions cannot be put in words", error=str(error), entries=record.count
                )
                self._dropped += record.count
            else:
                count += record.count
        return b"".join(lines), count

    def _run(self) -> None:
        while True:
            some = self._next()
            if len(some) == 0:
                break
            if self._wrote(b"".join(lines for lines, _ in some)):
                self._forget(some)
            elif self._closing:
                break
            else:
                time.sleep(RETRY_SECONDS)
        if self._file is not None:
            self._file.close()

    def _next(self) -> list[Lines]:
        """Wait for entries, and a moment for more; return the first of them, none at the end."""
        with self._changed:
            while True:
                # Before anybody looks: who takes something from here on says so.
                self._idle = True
                if self._held > 0 or self._closing:
                    break
                self._changed.wait()
            self._idle = self._ended
            # Also while they come all the time: else each would be written alone.
            self._changed.wait_for(self._is_due, GATHER_SECONDS)
            self._put_in_words()
            some, count = list[Lines](), 0
            for lines in self._waiting:
                some.append(lines)
                count += lines[1]
                if count >= AT_ONCE_MAX:
                    break
            return some

    def _is_due(self) -> bool:
        """Return whether nobody should wait any longer for what waits to be written."""
        return self._closing or self._held >= self._due

    def _forget(self, some: list[Lines]) -> None:
        """Let go of the first lines, which are written."""
        with self._lock:
            for _, count in some:
                self._waiting.popleft()
                self._written += count
                self._count -= count

    def _wrote(self, lines: bytes) -> bool:
        """Return whether the lines are in a file, all of them or none."""
        try:
            file = self._current()
            whole = file.tell()
            try:
                _write_all(file, lines)
            except OSError:
                # A part may be there: it goes, so that a later try does not repeat it.
                file.truncate(whole)
                file.seek(whole)
                raise
        except OSError as error:
            if not self._failing:
                log.error("decisions cannot be logged", error=str(error))
            self._failing = True
            return False
        self._failing = False
        return True

    def _current(self) -> FileIO:
        now = self._now()
        file = self._file
        if file is not None:
            # A file that somebody deleted takes every line and keeps none.
            there = os.fstat(file.fileno()).st_nlink > 0
            # A clock that was set back tells no age.
            young = 0 <= now - self._began < SECONDS_PER_DAY
            if there and young and file.tell() < self._rules.bytes_max:
                return file
            file.close()
            self._file = None
        self._forget_old(now)
        moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = self._rules.folder / f"{moment}-{os.getpid()}{SUFFIX}"
        # Unbuffered: what was not written is not left behind in a buffer, to be written twice.
        self._file = path.open("xb", buffering=0)
        self._began = now
        return self._file

    def _forget_old(self, now: float) -> None:
        oldest = now - self._rules.keep_days * SECONDS_PER_DAY
        for path in self._rules.folder.glob(f"*{SUFFIX}"):
            try:
                # Another process may be faster: what is gone is what was wanted.
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()
            except OSError as error:
                # It stays, and what is decided now is written all the same.
                log.error("old decisions cannot be deleted", file=path.name, error=str(error))


def _counted(records: list[Record]) -> int:
    """Return how many entries the records have."""
    return sum(record.count for record in records)


def _write_all(file: FileIO, lines: bytes) -> None:
    """Write every byte: one call may write a part and say so, as on a disk that is filling up."""
    left = memoryview(lines)
    while len(left) > 0:
        left = left[file.write(left) :]
