"""The mutants that are no faults: each is the same function, which the kernel proves anew.

Both readings of the function are run on the same arguments and end alike, whatever these are.
"""

import typing
from typing import Final

from specs.against.comparing import live
from specs.against.proving import Reader, directly, unordered
from specs.kernel.source import Source
from specs.mutants.changes import Mutant

EQUIVALENT: Final[dict[str, str]] = {
    "grantproof.core.constraints.fence_holds: "
    "region is not None and region in fence.regions -> region in fence.regions": (
        "nothing is in no set of regions; that it is asked says so to the reader"
    ),
}
"""By function and change, each with why the two are the same. An entry that is killed fails."""


def same(mutant: Mutant) -> bool:
    """Return whether it is proved that the mutant does just what the function does."""
    function = live(mutant.place)
    changed = Source({mutant.module: mutant.text})

    def apart(name: str) -> bool:
        return name != mutant.place

    reader = Reader(Source(), changed, equal=apart, exact=apart)
    if not unordered(typing.get_type_hints(function).get("return")):
        return False
    return directly(function, reader)[0]
