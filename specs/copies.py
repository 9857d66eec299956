"""Processes that are copies of one that has imported what they need: each begins alike, and soon.

What Z3 answers depends on what it met before. In a copy that is the same whatever else is decided,
in whatever order, on however many processors.
"""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import forkserver, get_context


@contextmanager
def copies(processes: int, modules: Sequence[str]) -> Iterator[ProcessPoolExecutor]:
    """Do each task in a copy of a process that has imported the modules, in their order."""
    context = get_context("forkserver")
    # Each copy imports what the main module imports: here once, and last, before any copy is made.
    known = [name for name in sys.modules if name.startswith("specs.")]
    context.set_forkserver_preload([*modules, *known])
    with ProcessPoolExecutor(processes, context, max_tasks_per_child=1) as pool:
        yield pool
    # That the time of the copies counts as ours: Python has no public name for it.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # noqa: SLF001 - as said above
