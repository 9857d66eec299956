"""Cases in files: one JSON document each, only so many and only so large.

A thread of its own writes. The first cases are kept and the later ones counted: what happened first
tells most, and nothing that was found is deleted by the program. Several processes of one machine
may have one folder: its bound is that of them together.
"""

import fcntl
import hashlib
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

import structlog

import grantproof
from grantproof.service.case_text import write_case
from grantproof.service.cases import Case, CaseCounts

SUFFIX: Final = ".case.json"
WAITING_MAX: Final = 16
CLOSE_SECONDS_MAX: Final = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CaseRules:
    """Where cases are kept, and how many at most; without a folder they are only told in the log.

    `bytes_max` bounds one file: a state that does not fit is left out of it. Who has no log, for
    what is printed is their answer, has `logged` false.
    """

    folder: Path | None = None
    count_max: int = 100
    bytes_max: int = 16 * 1024 * 1024
    logged: bool = True


class CaseFiles:
    """A `Cases` in a folder of files. Raises `OSError` when the folder cannot be used."""

    def __init__(self, rules: CaseRules) -> None:
        self._rules = rules
        self._kept = 0
        self._dropped = 0
        self._taken = 0
        self._lock = threading.Lock()
        if rules.folder is not None:
            # They hold who may do what, which is personal data: nobody else reads them.
            rules.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._taken = _count(rules.folder)
        self._waiting: queue.Queue[Case | None] = queue.Queue(WAITING_MAX)
        # Begun when there is something to write: in most processes there never is.
        self._writer: threading.Thread | None = None

    def keep(self, case: Case) -> None:
        """Take a case; it is dropped when there are too many, or too many wait."""
        with self._lock:
            room = self._taken < self._rules.count_max
            self._taken += room
            if self._writer is None and room:
                self._writer = threading.Thread(
                    target=self._run, name="grantproof-cases", daemon=True
                )
                self._writer.start()
        if not room:
            self._drop()
            return
        try:
            self._waiting.put_nowait(case)
        except queue.Full:
            with self._lock:
                self._taken -= 1
            self._drop()

    def tally(self) -> CaseCounts:
        """Return what became of the cases until now."""
        with self._lock:
            return CaseCounts(self._kept, self._dropped)

    def close(self) -> None:
        """Write what was taken, within a bounded time."""
        if self._writer is None:
            return
        try:
            self._waiting.put(None, timeout=CLOSE_SECONDS_MAX)
        except queue.Full:
            log.error("cases were not kept", cases=self._waiting.qsize())
            return
        self._writer.join(CLOSE_SECONDS_MAX)

    def _drop(self) -> None:
        with self._lock:
            self._dropped += 1

    def _run(self) -> None:
        while (case := self._waiting.get()) is not None:
            try:
                path = self._write(case)
            except Exception as error:
                self._drop()
                if self._rules.logged:
                    log.error("case not kept", contract=case.contract, exc_info=error)
                continue
            with self._lock:
                self._kept += path is not None
                self._dropped += path is None and self._rules.folder is not None
            if not self._rules.logged:
                continue
            # Without names: what they are about stands in the file, which is nobody else's.
            log.error(
                "contract broken",
                contract=case.contract,
                organization=case.state.id,
                revision=case.state.revision,
                case=path,
            )

    def _write(self, case: Case) -> str | None:
        """Write the case, whole or not at all; return where, or nothing if it is not kept."""
        folder = self._rules.folder
        if folder is None:
            return None
        text = write_case(
            case,
            version=grantproof.__version__,
            source=source_digest(),
            bytes_max=self._rules.bytes_max,
        )
        if len(text) > self._rules.bytes_max:
            message = f"the case takes {len(text)} bytes without its state"
            raise ValueError(message)
        with _alone_in(folder):
            # Others may have filled it since it was counted.
            if _count(folder) >= self._rules.count_max:
                return None
            return str(self._placed(case, folder, text))

    def _placed(self, case: Case, folder: Path, text: bytes) -> Path:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        path = folder / f"{moment}-{case.contract}-{os.getpid()}-{self._kept}{SUFFIX}"
        unfinished = path.with_suffix(".part")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
        return path


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.glob(f"*{SUFFIX}"))


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from adding to the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@cache
def source_digest() -> str:
    """Return the SHA-256 over the files of the program, in the order of their paths."""
    root = Path(grantproof.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
