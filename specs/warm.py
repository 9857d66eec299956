"""Imported by the process whose copies decide theorems: what each of them reads is read here."""

from specs.kernel.source import Source
from specs.theorems import statements

for _statement in statements().values():
    if _statement.property_id == "P-REF":
        _statement.about(Source())
        break
