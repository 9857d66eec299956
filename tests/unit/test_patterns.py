"""No text that a caller sends keeps a regular expression busy."""

import importlib
import pkgutil
import re
import sys
import time
from collections.abc import Iterator

import pytest

import grantproof

SIZE = 20_000
SECONDS_MAX = 0.2
"""Work that grows with the length takes less than a millisecond, with its square a second."""

TRIES = 5
"""Who takes the processor from this machine makes one of them slow, not all."""

PIECES = ("a", "0", "-", ".", "_", '"', '\\"', "`", "$.", " - at `$", "[0].", " ", "Z", "é", "a.-")


def patterns() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """The compiled patterns of every module, with their names."""
    for found in pkgutil.walk_packages(grantproof.__path__, "grantproof."):
        if ".migrations." in found.name or found.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(found.name)).items():
            if isinstance(value, re.Pattern):
                yield f"{found.name}.{name}", value


PATTERNS = dict(patterns())


def slow(pattern: re.Pattern[str] | re.Pattern[bytes]) -> list[str]:
    """The pieces whose repetition the pattern takes too long to read, at every try."""
    return [
        piece
        for piece in PIECES
        if all(seconds(pattern, piece) > SECONDS_MAX for _ in range(TRIES))
    ]


def seconds(pattern: re.Pattern[str] | re.Pattern[bytes], piece: str) -> float:
    """How long it takes to read the repetition, ended by what fits nowhere."""
    text = piece * (SIZE // len(piece)) + "\x00"
    start = time.process_time()
    if isinstance(pattern.pattern, bytes):
        re.fullmatch(pattern, text.encode())
    else:
        re.fullmatch(pattern, text)
    return time.process_time() - start


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_no_pattern_takes_long_for_a_long_text(name: str) -> None:
    """As long as a path, a header or a name could be, and longer."""
    assert slow(PATTERNS[name]) == []


def test_a_pattern_that_takes_long_is_found() -> None:
    """The square of the length is too much; and there are patterns to look at."""
    assert "a" in slow(re.compile("a*a*b"))
    assert len(PATTERNS) > 10


def test_nobody_can_choose_the_hashes_of_strings() -> None:
    """The interpreter draws a new seed for each process; nothing of ours fixes it."""
    assert sys.flags.hash_randomization == 1
