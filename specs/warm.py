"""Imported by the process whose copies decide theorems: what all of them read is read once, here."""

from specs.kernel.source import Source
from specs.theorems import statements

for _statement in statements().values():
    if _statement.property_id == "P-REF":
        _statement.about(Source())
        break
