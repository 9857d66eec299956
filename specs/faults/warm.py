"""Imported by the process whose copies judge faults: what each of them imports is imported here.

Once as it is and once afresh, so that every text is compiled.
"""

import gc
from importlib import import_module

from specs.faults.fault import source_of
from specs.faults.judge import SMALL, TABLES
from specs.faults.namespace import tampered

UNDERNEATH = "grantproof.core.identifiers"
"""What everything imports."""


def everything() -> None:
    """Import the small organizations and what is held of them."""
    for name in (*TABLES, "property", "scene"):
        import_module(f"{SMALL}.{name}")


everything()
with tampered({UNDERNEATH: source_of(UNDERNEATH)}):
    everything()

gc.collect()
gc.freeze()
