"""What became of what was tried: outcomes and retries, counted where several threads try."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from grantproof.service.ports import StoreError

UNAVAILABLE: Final = "unavailable"
"""The outcome of whatever ended with an error of the store."""


@dataclass(frozen=True, slots=True)
class AttemptCounts:
    """How often each outcome came about since the start; `retries` are attempts after a first."""

    outcomes: dict[str, int]
    retries: int


class Attempts:
    """Counts outcomes of a closed set, and retries. Safe to use from several threads."""

    def __init__(self, outcomes: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._outcomes = dict.fromkeys((*outcomes, UNAVAILABLE), 0)
        self._retries = 0

    def count(self, outcome: str) -> None:
        """Count an outcome; raises `KeyError` for one that is not of the set."""
        with self._lock:
            self._outcomes[outcome] += 1

    def retry(self) -> None:
        """Count an attempt after a first."""
        with self._lock:
            self._retries += 1

    @contextmanager
    def at_store(self) -> Iterator[None]:
        """Count what an error of the store ends within this, and let it pass."""
        try:
            yield
        except StoreError:
            self.count(UNAVAILABLE)
            raise

    def tally(self) -> AttemptCounts:
        """Return what was counted until now."""
        with self._lock:
            return AttemptCounts(dict(self._outcomes), self._retries)
