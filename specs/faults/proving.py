"""The gate `specs` for a fault: what becomes of one theorem on the patched source.

A counterexample is looked for in a finite world first, where Z3 finds one fast or not at all.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from specs.kernel.proof import decided
from specs.kernel.sorts import Unsupported
from specs.kernel.source import Source
from specs.kernel.vacuity import refutes
from specs.kernel.values import before
from specs.theorems import statements

SEED: Final = 0


def property_of(theorem: str) -> str:
    """Return the id of the property that the theorem belongs to, or nothing when there is none."""
    known = statements()
    return known[theorem].property_id if theorem in known else ""


@cache
def clean(theorem: str) -> str:
    """Return the verdict on the production source."""
    return decided(statements()[theorem].about(Source()), SEED).verdict


def tampered(theorem: str, texts: Mapping[str, str]) -> str:
    """Return the verdict on the patched source."""
    try:
        stated = statements()[theorem].about(Source(dict(texts)))
    except Unsupported:
        return "unsupported"
    if any(refutes(before(stated.hypotheses, goal), goal, stated.names) for goal in stated.goals):
        return "refuted"
    return decided(stated, SEED).verdict
