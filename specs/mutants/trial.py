"""One trial of one mutant: its tests, run on the changed module, in a copy of this process.

The copy has what the tests import but the service itself, which is imported anew, changed; so a
trial takes a fraction of a second. What the copy does is over with it.
"""

import os
import signal
import sys
from collections.abc import Iterable, Mapping
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import pytest

from specs.faults.namespace import tampered

SECONDS_MAX: Final = 10
"""How long the tests may compute; a mutant that never ends is found out by that."""
NEVER_ENDED: Final = 1
"""What such a trial is told as: a failure."""
OPTIONS: Final = (
    "-x",
    "-q",
    "--tb=no",
    # The shared fixtures are databases: to import those takes longer than the tests.
    "--noconftest",
    # A copy cannot have the asserts of what is imported already rewritten, and need not.
    "-Wignore::pytest.PytestAssertRewriteWarning",
    "-pno:cacheprovider",
)


def ending(texts: Mapping[str, str], tests: Iterable[str], seconds: float = SECONDS_MAX) -> int:
    """Return what pytest exits with on the modules as the texts have them."""
    copy = get_context("fork").Process(target=_run, args=(texts, tuple(tests), seconds))
    copy.start()
    copy.join()
    if copy.exitcode is None or copy.exitcode == -signal.SIGPROF:
        return NEVER_ENDED
    return copy.exitcode


def _run(texts: Mapping[str, str], tests: tuple[str, ...], seconds: float) -> None:
    # What it computes is counted, not what passes while others compute: that would find nothing.
    signal.setitimer(signal.ITIMER_PROF, seconds)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout = sys.stderr = nowhere
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        with tampered(texts):
            sys.exit(pytest.main([*OPTIONS, *tests]))
