"""The collector of garbage, while much is built that stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """Look for no garbage inside: what is built there stays, and it is a lot to look through.

    Halves the time to load. Whoever finds the collector running lets it run again, so any number of
    threads may overlap.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
