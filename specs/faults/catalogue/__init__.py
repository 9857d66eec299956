"""All seeded faults: one module a class, each a table. Nothing here imports the product."""

from typing import Final

from specs.faults.catalogue import (
    analysis,
    audit,
    boundaries,
    certificates,
    concurrency,
    consuming,
    cycles,
    duty,
    escalation,
    footprint,
    freshness,
    incomplete,
    references,
    unsound,
)
from specs.faults.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    *references.FAULTS,
    *cycles.FAULTS,
    *unsound.FAULTS,
    *incomplete.FAULTS,
    *duty.FAULTS,
    *footprint.FAULTS,
    *boundaries.FAULTS,
    *concurrency.FAULTS,
    *consuming.FAULTS,
    *freshness.FAULTS,
    *certificates.FAULTS,
    *audit.FAULTS,
    *analysis.FAULTS,
    *escalation.FAULTS,
)
