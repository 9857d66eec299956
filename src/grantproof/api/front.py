"""The routes in front of the router: where they are, and what each takes."""

from collections.abc import Mapping
from typing import Final

from grantproof.service.callers import Scope

SINGLE: Final = "/evaluate"
BATCH: Final = "/evaluate/batch"
CONSUME: Final = "/evaluate/consume"
EXPLAIN: Final = "/explain"
WHAT_IF: Final = "/what-if"

SCOPES: Final[Mapping[str, frozenset[Scope]]] = {
    SINGLE: frozenset({Scope.EVALUATE}),
    BATCH: frozenset({Scope.EVALUATE}),
    CONSUME: frozenset({Scope.EVALUATE}),
    EXPLAIN: frozenset({Scope.EVALUATE, Scope.REVIEW}),
    WHAT_IF: frozenset({Scope.EVALUATE, Scope.REVIEW}),
}
"""The scopes of each; all of them are posted to."""
PATHS: Final = frozenset(SCOPES)
