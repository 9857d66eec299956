"""Work that nobody can bound, such as a solver's: done apart, within limits, or *undetermined*.

A use case gives a `Solver` a function of no arguments, and gets what that returns, or the value
`Undetermined`, which is never a pass: what had to be shown is not shown. So

    found = solver.ask(partial(violated, state, guardrails))
    if isinstance(found, Undetermined):
        return Rejected(f"cannot be checked: {found.why}")

The function sees every value of the process as it was when it was asked. It must neither lock, log
nor use the store, and what it changes is gone with it. A library that has threads or a state of its
own, as Z3 has contexts, may be imported before, which saves each question that time, but is used in
such functions only. An answer that is `unknown` counts as an answer: to say here that memory was
short, raise `MemoryError`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeVar, get_args

from grantproof.service.requests import Durations

Cause = Literal["time", "memory", "crashed", "refused"]
"""Why there is no answer; `refused` is what was not begun, or was ended with the service."""

Ending = Literal["answered"] | Cause
ENDINGS: Final[tuple[Ending, ...]] = ("answered", *get_args(Cause))

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Undetermined:
    """No answer, and why: nothing is known, and whoever asked must not go on as if it were."""

    cause: Cause
    why: str


@dataclass(frozen=True, slots=True)
class EndingCounts:
    """How often work ended how since the start, and how long what was begun took, in seconds."""

    endings: dict[Ending, int]
    durations: Durations


class Answering(Protocol):
    """Does what is asked of it, apart or not."""

    def ask(self, work: Callable[[], Answer]) -> Answer | Undetermined:
        """Return what the work returns, or why nothing came of it."""
        ...


class InProcess:
    """Does the work where it is asked for: for programs that serve nobody."""

    def ask(self, work: Callable[[], Answer]) -> Answer | Undetermined:
        """Return what the work returns."""
        return work()


IN_PROCESS: Final = InProcess()


class Solver(Answering, Protocol):
    """Does what is asked of it apart from this process. Safe to use from several threads."""

    def ask(self, work: Callable[[], Answer]) -> Answer | Undetermined:
        """Return what the work returns, or why nothing came of it; waits, and raises nothing.

        The answer is a copy: it has to be one that can be pickled, within the limit of its length.
        """
        ...

    def stop(self) -> None:
        """End all that is under way, and refuse whatever is asked from now on."""
        ...

    def tally(self) -> EndingCounts:
        """Return how what was asked until now has ended."""
        ...


class Endings:
    """Counts how work ended. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endings: dict[Ending, int] = dict.fromkeys(ENDINGS, 0)
        self._durations = Durations()

    def count(self, ending: Ending, seconds: float | None = None) -> None:
        """Count an ending; `seconds` is how long it took, and nothing for what was not begun."""
        with self._lock:
            self._endings[ending] += 1
            if seconds is not None:
                self._durations.count(seconds)

    def tally(self) -> EndingCounts:
        """Return what was counted until now."""
        with self._lock:
            return EndingCounts(dict(self._endings), self._durations.copy())
