"""Leaving this worker's metrics for the others: about once a second, and at the end."""

import asyncio
from typing import Final

from grantproof.adapters.workers import Sheets
from grantproof.api.waiting import set_within

PERIOD_SECONDS: Final = 1.0


class Sharing:
    """Keeps the sheet of this worker current; methods run on the loop's thread."""

    def __init__(self, sheets: Sheets) -> None:
        self.sheets = sheets
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Keep it until told to stop."""
        while not self._ended.is_set():
            await asyncio.to_thread(self.sheets.keep)
            await set_within(self._ended, PERIOD_SECONDS)

    def stop(self) -> None:
        """End `run` soon."""
        self._ended.set()

    def close(self) -> None:
        """Keep it for the last time; what was counted until now is on it."""
        self.sheets.keep()
