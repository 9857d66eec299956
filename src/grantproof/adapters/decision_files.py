"""The decision log in files: JSON lines, a new file when one is full or a day old.

A thread of its own writes, so that no answer waits for the disk. What cannot be written is kept and
tried again; the queue then fills, and whoever offers more is told that there is no room. Several
processes may have one folder: each writes files of its own.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Final

import msgspec
import structlog

from grantproof.service.decision_log import NO_REDACTION, Entry, LogCounts, Redaction

SUFFIX: Final = ".decisions.jsonl"
SECONDS_PER_DAY: Final = 86_400
CLOSE_SECONDS_MAX: Final = 10.0
RETRY_SECONDS: Final = 0.5
AT_ONCE_MAX: Final = 1_000

log = structlog.get_logger(__name__)


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
        self._waiting: deque[Entry] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._file: FileIO | None = None
        self._began = 0.0
        self._failing = False
        rules.folder.mkdir(parents=True, exist_ok=True)
        self._writer = threading.Thread(target=self._run, name="grantproof-decisions", daemon=True)
        self._writer.start()

    def tally(self) -> LogCounts:
        """Return what became of the entries until now."""
        return LogCounts(self._written, self._dropped, len(self._waiting), self._rules.queue_max)

    def has_room(self) -> bool:
        """Return whether fewer entries wait than may."""
        return len(self._waiting) < self._rules.queue_max

    def take(self, entries: Sequence[Entry]) -> None:
        """Take entries to be written, in order; those of a log that was closed are dropped."""
        with self._changed:
            if self._closing:
                self._dropped += len(entries)
                return
            self._waiting.extend(entries)
            self._changed.notify()

    def drop(self, count: int) -> None:
        """Count entries that were given up."""
        with self._changed:
            self._dropped += count

    def close(self) -> None:
        """Write what was taken, within a bounded time; what is left then is counted and told."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._writer.join(CLOSE_SECONDS_MAX)
        if len(self._waiting) > 0:
            self.drop(len(self._waiting))
            log.error("decisions were not logged", entries=len(self._waiting))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or len(self._waiting) > 0)
                some = [self._waiting[i] for i in range(min(len(self._waiting), AT_ONCE_MAX))]
                if len(some) == 0:
                    break
            if self._wrote(some):
                with self._changed:
                    for _ in some:
                        self._waiting.popleft()
                    self._written += len(some)
            elif self._closing:
                break
            else:
                time.sleep(RETRY_SECONDS)
        if self._file is not None:
            self._file.close()

    def _wrote(self, entries: Sequence[Entry]) -> bool:
        """Return whether the entries are in a file, all of them or none."""
        lines = b"".join(
            msgspec.json.encode(self._rules.redaction.written(entry)) + b"\n" for entry in entries
        )
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
            young = now - self._began < SECONDS_PER_DAY
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
            # Another process may be faster: what is gone is what was wanted.
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def _write_all(file: FileIO, lines: bytes) -> None:
    """Write every byte: one call may write a part and say so, as on a disk that is filling up."""
    left = memoryview(lines)
    while len(left) > 0:
        left = left[file.write(left) :]
