"""Imported by the process whose copies decide theorems: what each of them reads is read here.

Garbage is not looked for in it or in the copies, each of which soon ends: to look would cost more
than it frees, and every page that is looked at would have to be copied.
"""

import gc

from specs.kernel.source import Source
from specs.theorems import statements

for _statement in statements().values():
    if _statement.property_id == "P-REF":
        _statement.about(Source())
        break

gc.collect()
gc.freeze()
gc.disable()
