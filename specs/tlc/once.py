"""Lets several stages of one run of the gate share what TLC said, so that nothing is run twice.

`for_one_run` makes a folder that lives as long as the run. What TLC printed is kept there under the
hash of everything that it is a function of, and whoever asks second waits for the first. Without
such a folder TLC is always run. Each stage still judges the text by itself.
"""

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

VARIABLE: Final = "GRANTPROOF_TLC_RUNS"


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How TLC ended and what it printed; no exit code when it was stopped at the time limit."""

    exit_code: int | None
    text: str
    seconds: float


@contextmanager
def for_one_run() -> Iterator[None]:
    """Let everything that is started inside share its runs of TLC; they are gone afterwards."""
    before = os.environ.get(VARIABLE)
    with tempfile.TemporaryDirectory(prefix="grantproof-tlc-runs-") as folder:
        os.environ[VARIABLE] = folder
        try:
            yield
        finally:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before


def shared(inputs: Sequence[bytes], run: Callable[[], Run]) -> Run:
    """Return what was printed for exactly these inputs in this run of the gate, or run TLC.

    A run that was stopped is not shared: the next who asks tries again.
    """
    folder = os.environ.get(VARIABLE, "")
    if not folder:
        return run()
    kept = Path(folder, hash_of(inputs))
    with kept.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if kept.exists():
            return msgspec.json.decode(kept.read_bytes(), type=Run)
        done = run()
        if done.exit_code is not None:
            # Whoever is stopped while writing leaves a file that nobody reads.
            unfinished = kept.with_suffix(".part")
            unfinished.write_bytes(msgspec.json.encode(done))
            unfinished.replace(kept)
        return done


def hash_of(inputs: Sequence[bytes]) -> str:
    """Return one hash of all of them, in which none runs into the next."""
    each = b"".join(hashlib.sha256(part).digest() for part in inputs)
    return hashlib.sha256(each).hexdigest()
