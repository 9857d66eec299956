"""The candidates of the latest searches, in their order: a page costs itself, not all before it.

They are found and put in order in a thread. Nothing there is one long step of the interpreter, as
the loop would wait for that too.
"""

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Final

from grantproof.core.limits import CANDIDATES_KEPT_MAX

RUN: Final = 4_096
"""So many names are put in order at once."""

Key = tuple[object, ...]


class Candidates:
    """Finds them, and keeps those of the latest searches. Methods run on the loop.

    `count` is how many are kept.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, Sequence[str]] = OrderedDict()
        self.count = 0

    async def after(
        self, key: Key, find: Callable[[], Iterable[str]], *, name: str | None, limit: int
    ) -> Sequence[str]:
        """Return the candidates after the name, at most so many.

        `key` says of what search on which revision they are: the same always has the same ones.
        """
        found = self._kept.get(key)
        if found is None:
            found = await asyncio.to_thread(lambda: ordered(find()))
            self._keep(key, found)
        else:
            self._kept.move_to_end(key)
        start = 0 if name is None else bisect_right(found, name)
        return found[start : start + limit]

    def _keep(self, key: Key, found: Sequence[str]) -> None:
        """Keep them, and give up those that were asked for longest ago to have room."""
        # Whoever asked for the same meanwhile has found the same.
        self.count += len(found) - len(self._kept.pop(key, ()))
        self._kept[key] = found
        while self.count > CANDIDATES_KEPT_MAX:
            _, oldest = self._kept.popitem(last=False)
            self.count -= len(oldest)


def ordered(names: Iterable[str]) -> list[str]:
    """Return the names in order, as plain text."""
    rest = map(str, names)
    runs = list[list[str]]()
    while run := sorted(islice(rest, RUN)):
        runs.append(run)
    while len(runs) > 1:
        # Two ordered runs are merged in one pass over them.
        runs = [sorted(chain(*runs[at : at + 2])) for at in range(0, len(runs), 2)]
    return runs[0] if runs else []
