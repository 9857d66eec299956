"""Which tests find a mutant out, where no proof reads the source or says enough of it."""

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Final

from specs.kernel.source import Source
from specs.manifest import CORE
from specs.mutants.changes import Mutant

TOP: Final = Path(__file__).resolve().parents[2]
SECONDS_MAX: Final = 120
"""How long the tests may take; a mutant that never ends is found out by that."""
PASSED: Final = 0
FAILED: Final = (1, 2, 4)
"""What pytest exits with where a test fails, and where nothing can be imported or set up."""


TRIED: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    f"{CORE}administration": (
        ("tests/unit/core/test_administration.py",),
        "proved is that one is left; whom it finds is tested",
    ),
    f"{CORE}certificate": (
        ("tests/unit/core/test_certificate.py",),
        "a checker that skips a step is not proved, and no counterexample is found in time",
    ),
}
"""The modules whose mutants are held to tests instead: by what, and why not to the proofs."""

AGREES: Final = "held to what is proved by property tests, which take seconds for each change"
SECOND: Final = "held to what is proved by stateful tests, which take seconds for each change"
LATER: Final = "held to unit tests, whose mutants have not been walked to their end yet"

UNREAD: Final[dict[str, tuple[str, ...]]] = {
    f"{CORE}attributes": ("tests/unit/core/test_attributes.py",),
    f"{CORE}authority": ("tests/unit/core/test_authority.py",),
    f"{CORE}containment": ("tests/unit/core/test_containment.py",),
    f"{CORE}identifiers": ("tests/unit/core/test_identifiers.py",),
    f"{CORE}matching": ("tests/unit/core/test_matching.py",),
    f"{CORE}metering": ("tests/unit/core/test_metering.py",),
    f"{CORE}organization": ("tests/unit/core/test_organization.py",),
    f"{CORE}paths": ("tests/unit/core/test_paths.py",),
    f"{CORE}rights": ("tests/unit/core/test_rights.py",),
}
"""The modules of whose functions no theorem reads some: by which tests those are held."""

UNTRIED: Final[dict[str, str]] = {
    f"{CORE}agreement": AGREES,
    f"{CORE}candidates": SECOND,
    f"{CORE}certificate": LATER,
    f"{CORE}commands": LATER,
    f"{CORE}commands.delta": LATER,
    f"{CORE}commands.language": LATER,
    f"{CORE}commands.origin": LATER,
    f"{CORE}footprint": AGREES,
    f"{CORE}geodesy": LATER,
    f"{CORE}holding": AGREES,
    f"{CORE}index": SECOND,
    f"{CORE}invariants": LATER,
    f"{CORE}messages": LATER,
    f"{CORE}model": LATER,
    f"{CORE}staleness": SECOND,
    f"{CORE}ways": SECOND,
}
"""The modules whose functions that no theorem reads are not walked, each with the reason."""

ARGUED: Final[dict[str, str]] = {
    f"{CORE}authority._lacking: reason is None or isinstance(reason, ABSENT) -> "
    "isinstance(reason, ABSENT)": "at least one resource is asked about, so there is a reason",
    **dict.fromkeys(
        (
            f"{CORE}authority._own: stored is None or not stored.active -> {other}"
            for other in (
                "stored is None and (not stored.active)",
                "not stored.active",
                "stored is None",
            )
        ),
        "a grant is asked for after a right, which whoever is absent or suspended does not have",
    ),
    f"{CORE}attributes.check_text: not text.isascii() and "
    "any(('\\ud800' <= character <= '\\udfff' for character in text)) -> "
    "any(('\\ud800' <= character <= '\\udfff' for character in text))": (
        "no character of ASCII is half a surrogate pair: asked first as it is fast"
    ),
    f"{CORE}matching._unregistered: "
    "request.kind is None or request.kind not in state.resources_of_kind -> "
    "request.kind not in state.resources_of_kind": "no kind is nothing: said for the reader",
    **dict.fromkeys(
        (
            f"{CORE}metering.evaluate: state is None or target is None or (not contested) -> "
            f"{other} is None or not contested"
            for other in ("state", "target")
        ),
        "without a state there is no target, and what has none is denied for that: not contested",
    ),
    f"{CORE}paths.shortest_path: frontier and goal not in came_from -> frontier": (
        "how a node was reached first is never changed: to stop at the goal is only faster"
    ),
}
"""Mutants that no test can find out, by function and change: why each is the same function.

The kernel does not read them, so these are arguments and no proofs. An entry that is killed fails.
"""


def held(module: str) -> tuple[str, ...]:
    """Return the tests that the mutants of the module are held to, or nothing."""
    return TRIED[module][0] if module in TRIED else UNREAD.get(module, ())


def killed(mutant: Mutant) -> str:
    """Return that tests find the mutant out, or nothing; tests that fail anyway find out nothing.

    Raises `RuntimeError` when the tests fail without the change or could not be run.
    """
    tests = held(mutant.module)
    if not clean(mutant.module, tests):
        message = f"without the change they fail, too: {', '.join(tests)}"
        raise RuntimeError(message)
    ended = run(mutant.module, mutant.text, tests)
    if ended not in {PASSED, *FAILED}:
        message = f"pytest exits with {ended}"
        raise RuntimeError(message)
    return "" if ended == PASSED else f"failed by {', '.join(tests)}"


@cache
def clean(module: str, tests: tuple[str, ...]) -> bool:
    """Return whether the tests pass on the module as it is, laid over itself."""
    return run(module, Source().text(module), tests) == PASSED


def run(module: str, text: str, tests: Iterable[str]) -> int:
    """Return what pytest exits with on the changed module; as a failure where it never ends."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "changed.py"
        file.write_text(text, encoding="utf-8")
        command = (sys.executable, "-m", "specs.mutants.trial", module, str(file), *tests)
        try:
            ended = subprocess.run(  # noqa: S603 - this interpreter, on our own tests
                command, cwd=TOP, capture_output=True, check=False, timeout=SECONDS_MAX
            )
        except subprocess.TimeoutExpired:
            return FAILED[0]
    return ended.returncode
