"""The routes in front of the router: where they are."""

from typing import Final

SINGLE: Final = "/evaluate"
BATCH: Final = "/evaluate/batch"
CONSUME: Final = "/evaluate/consume"
EXPLAIN: Final = "/explain"
PATHS: Final = frozenset({SINGLE, BATCH, CONSUME, EXPLAIN})
