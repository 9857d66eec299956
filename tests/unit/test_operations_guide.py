"""The guide to operations says what the code does: every bound, every pause."""

import re
from pathlib import Path

from grantproof.adapters.apart.forks import ANSWER_BYTES_MAX, MIB
from grantproof.adapters.apart.inside import LATE_SECONDS
from grantproof.adapters.apart.solvers import WAITING_MAX
from grantproof.adapters.tracing import DISABLED, ENDPOINTS, EXPORTER
from grantproof.api.starting import PAUSE_SECONDS_MAX
from grantproof.bootstrap import SOLVER_NICENESS
from grantproof.cli import supervisor
from grantproof.cli.server import LINGER_SECONDS, SHUTDOWN_SECONDS_MAX
from grantproof.core import limits
from grantproof.settings import SHARED, WORKERS_MAX

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text("utf-8")


def test_the_bounds_are_told_as_they_are() -> None:
    """In the words of the guide."""
    for words in (
        f"| {limits.BATCH_ITEMS_MAX:,} |",
        f"| {limits.HEAD_BYTES_MAX:,} bytes |",
        f"| {limits.HEAD_SECONDS_MAX} seconds |",
        f"| {limits.BODY_SECONDS_MAX} seconds |",
        f"| {limits.WAITERS_MAX:,} |",
        f"{limits.ADDRESSES_PACED_MAX:,} addresses",
        f"up to {PAUSE_SECONDS_MAX:g} seconds",
        f"for up to {SHUTDOWN_SECONDS_MAX} seconds",
        "another second",
        *(f"`{name}" for name in (*ENDPOINTS, EXPORTER, DISABLED)),
    ):
        assert words in GUIDE, words
    assert LINGER_SECONDS == 1


def test_the_solver_is_told_as_it_is() -> None:
    """Its rank, who waits for it, how long an answer may be, and what ends it at last."""
    for words in (
        f"ranks below it (by {SOLVER_NICENESS})",
        f"and {WAITING_MAX} more wait",
        f"longer than {ANSWER_BYTES_MAX // MIB} MiB |",
        "half a second after its time",
    ):
        assert words in GUIDE, words
    assert LATE_SECONDS == 0.5


def test_workers_are_told_as_they_are() -> None:
    """How many, how they are started again, and what they share."""
    for words in (
        f"`GRANTPROOF_WORKERS`, up to {WORKERS_MAX})",
        f"a pause of up to {supervisor.PAUSE_SECONDS_MAX:g} seconds when",
        f"ends {supervisor.TRIES_MAX} times in a row",
        f"within {supervisor.STOP_SECONDS_MAX:g} seconds after draining",
    ):
        assert words in GUIDE, words
    _, _, after = GUIDE.partition("What the settings say is said of the service: ")
    shared, _, _ = after.partition(" are divided")
    assert set(re.findall(r"`GRANTPROOF_(\w+)`", shared)) == {name.upper() for name in SHARED}
