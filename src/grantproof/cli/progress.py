"""How far long work has come: a bar for people on a terminal, nothing elsewhere."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class Progress:
    """A bar with what is being done, or nothing when nobody looks."""

    def __init__(self, bar: "RichProgress | None") -> None:
        self._bar = bar
        self._task = None if bar is None else bar.add_task("reading", total=None)

    def begin(self, what: str, total: int | None = None) -> None:
        """Begin another part of the work; without a total nobody knows how long it takes."""
        if self._bar is not None and self._task is not None:
            self._bar.reset(self._task, description=what, total=total)

    def advance(self, count: int) -> None:
        """Say that so much more of the total is done."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)

    def step(self, more: int, total: int) -> None:
        """Begin checking a total of steps, when none was taken yet, or say that more were."""
        if more == 0:
            self.begin("checking", total)
        self.advance(more)


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress on the standard error while inside; it is gone when the work is done."""
    if not sys.stderr.isatty():
        yield Progress(None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Progress(bar)
