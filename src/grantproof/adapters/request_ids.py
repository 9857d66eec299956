"""Names for requests, so that an answer and what is logged of it can be brought together."""

import itertools
import secrets

PREFIX_BYTES = 6


class RequestIds:
    """Makes ids that no other process makes: a random prefix, then a count. Costs next to nothing.

    They identify, they are no secret: the next one can be told from the last.
    """

    def __init__(self) -> None:
        self._prefix = secrets.token_hex(PREFIX_BYTES)
        self._counter = itertools.count(1)

    def next(self) -> str:
        """Return an id that was never returned before."""
        return f"{self._prefix}-{next(self._counter):x}"
