"""One of several processes behind one address, and the metrics that they tell together.

A scrape reaches one worker only, so each leaves what it tells on a sheet, a file in a folder of
theirs alone, and whoever is asked answers for all: its own numbers of now, the others' of theirs.
"""

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from typing_extensions import override

LABEL: Final = "worker"
SUFFIX: Final = ".prom"
UNFINISHED: Final = ".part"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """One of several: which, counted from 0, and the folder of the sheets.

    `prepared` says that the database was opened, and the demo installed, before any of them began.
    """

    number: int
    folder: Path
    prepared: bool

    def named(self, _: object, __: str, line: "structlog.typing.EventDict") -> Mapping[str, object]:
        """Add to a line of the log which worker wrote it."""
        line.setdefault(LABEL, self.number)
        return line


class Sheets:
    """The metrics of all workers, as one of them tells them."""

    def __init__(self, worker: Worker, read: Callable[[], bytes]) -> None:
        self._worker = worker
        self._read = read
        self._lock = threading.Lock()
        self._failing = False

    def keep(self) -> bytes:
        """Leave for the others what this one tells now, and return it.

        What cannot be written is told in the log once, and tried again by the next call.
        """
        # INVARIANT: a sheet never goes back, or a counter on it would seem to have begun anew.
        with self._lock:
            now = self._read()
            try:
                _replace(sheet(self._worker.folder, self._worker.number), now)
            except OSError as error:
                if not self._failing:
                    log.error("metrics cannot be left for the other workers", error=str(error))
                self._failing = True
            else:
                self._failing = False
            return now

    def told(self) -> bytes:
        """Return the metrics of all workers (text format 0.0.4), each with the label `worker`.

        Its own are kept too: what was told once is not less when another worker is asked next.
        """
        texts = {self._worker.number: self.keep().decode()}
        for path in self._worker.folder.glob(f"*{SUFFIX}"):
            number = int(path.stem)
            if number not in texts:
                try:
                    texts[number] = path.read_text("utf-8")
                except FileNotFoundError:
                    # That worker has just ended.
                    continue
        return merged(texts)


def merged(texts: Mapping[int, str]) -> bytes:
    """Return as one what several workers tell: each family once, each sample with its worker."""
    whole: dict[str, Metric] = {}
    for number, text in sorted(texts.items()):
        for one in text_string_to_metric_families(text):
            family = whole.setdefault(one.name, Metric(one.name, one.documentation, one.type))
            for sample in one.samples:
                labels = {LABEL: str(number), **sample.labels}
                family.add_sample(sample.name, labels, sample.value)
    return generate_latest(_Collected(whole.values()))


def sheet(folder: Path, number: int) -> Path:
    """Return where a worker leaves its metrics."""
    return folder / f"{number}{SUFFIX}"


def clear(folder: Path, number: int) -> None:
    """Remove what a worker that has ended has left: its numbers are nobody's any more."""
    path = sheet(folder, number)
    for left in (path, path.with_suffix(UNFINISHED)):
        left.unlink(missing_ok=True)


def _replace(path: Path, text: bytes) -> None:
    """Write a file whole, or leave it as it was."""
    unfinished = path.with_suffix(UNFINISHED)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    unfinished.replace(path)


class _Collected(Collector):
    """Families that were collected already."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    @override
    def collect(self) -> Iterable[Metric]:
        return self._families
