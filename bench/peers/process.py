"""A peer in its own process, driven line by line: load, answer, run, time.

Its time is what its own process tells of itself, so that neither the pipe nor our interpreter is
counted. A peer that is not ready in time is ended and left out, with the reason.
"""

import json
import os
import selectors
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LOAD_SECONDS_MAX: Final = 600
ASK_SECONDS_MAX: Final = 120
RUN_SECONDS_MAX: Final = 2.0
"""So long may one run take: a slower peer gets fewer of the questions, the first ones."""

PROBE_QUESTIONS: Final = 20
NANOSECONDS: Final = 1_000_000_000
END_SECONDS_MAX: Final = 10
CHUNK_BYTES: Final = 1 << 20


class PeerFailed(Exception):
    """The peer ended, or did not answer in time; the message says what it was asked."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a peer tells when it has the workload: its version, and how long that took."""

    version: str
    seconds: float


class Peer:
    """A running peer, to which one thing at a time is said."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._received = b""

    def load(self, file: Path) -> Loaded:
        """Let it read the workload; raises PeerFailed if that takes too long."""
        told = self._ask(LOAD_SECONDS_MAX, do="load", file=str(file))
        return Loaded(told["version"], told["seconds"])

    def answers(self, count: int) -> list[bool]:
        """Return its answers to the first so many questions."""
        told = self._ask(ASK_SECONDS_MAX, do="answer", count=count)["answers"]
        if len(told) != count:
            message = f"it gave {len(told)} answers to {count} questions"
            raise PeerFailed(message)
        return [answer is True for answer in told]

    def run(self, count: int) -> float:
        """Let it answer the first so many questions; return the decisions a second of processor."""
        used: int = self._ask(ASK_SECONDS_MAX, do="run", count=count)["cpu_ns"]
        return count * NANOSECONDS / used

    def nanoseconds(self, count: int) -> list[int]:
        """Return how long it took over each of the first so many questions, by the clock."""
        told = self._ask(ASK_SECONDS_MAX, do="time", count=count)["nanoseconds"]
        return [int(each) for each in told]

    def count_for(self, seconds: float, *, most: int) -> int:
        """Return how many questions it answers in so many seconds of processor, at least a few."""
        few = min(PROBE_QUESTIONS, most)
        self.run(few)
        return max(few, min(most, int(self.run(few) * seconds)))

    def _ask(self, seconds: float, **asked: Any) -> dict[str, Any]:
        stdin = self._process.stdin
        if stdin is None:
            raise TypeError
        try:
            stdin.write(json.dumps(asked).encode() + b"\n")
            stdin.flush()
        except OSError as gone:
            message = f"it ended before it was asked to {asked['do']}"
            raise PeerFailed(message) from gone
        told = json.loads(self._line(seconds, asked["do"]))
        if not isinstance(told, dict):
            raise PeerFailed(str(told))
        return told

    def _line(self, seconds: float, what: str) -> bytes:
        stdout = self._process.stdout
        if stdout is None:
            raise TypeError
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while b"\n" not in self._received:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    message = f"it did not {what} within {seconds:.0f} seconds"
                    raise PeerFailed(message)
                chunk = os.read(stdout.fileno(), CHUNK_BYTES)
                if chunk == b"":
                    message = f"it ended when it was asked to {what}"
                    raise PeerFailed(message)
                self._received += chunk
        line, _, self._received = self._received.partition(b"\n")
        return line


@contextmanager
def started(
    command: Sequence[str], *, folder: Path, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Peer]:
    """Start a peer's program in a folder, what it says of errors in a log, and end it after."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - a program of ours in an environment of ours
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        with process:
            try:
                yield Peer(process)
            finally:
                process.terminate()
                try:
                    process.wait(END_SECONDS_MAX)
                except subprocess.TimeoutExpired:
                    process.kill()
                if process.stdin is not None:
                    # What it ended without reading is lost, and nobody asks for it.
                    with suppress(BrokenPipeError):
                        process.stdin.close()
