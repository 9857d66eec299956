"""Which tests find a mutant out, where a proof reads the source and does not say enough of it."""

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


def killed(mutant: Mutant) -> str:
    """Return that tests find the mutant out, or nothing; tests that fail anyway find out nothing.

    Raises `RuntimeError` when the tests fail without the change or could not be run.
    """
    tests, _ = TRIED[mutant.module]
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
