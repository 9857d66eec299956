"""P-GEO: a fence holds in its regions, and where the region is unknown never."""

import z3

from grantproof.core.constraints import GeoFence
from grantproof.core.identifiers import Region
from specs.definitions.constraints import fence_holds
from specs.kernel.view import View
from specs.properties.registry import Stated, some, states


@states("P-GEO")
def inside_and_outside() -> Stated:
    """Inside it holds, outside it does not, and without a region it does not."""
    fence, region = some(GeoFence, "fence"), some(Region | None, "region")
    holds = View(fence_holds(fence.value, region.value))()
    return [], [
        ("exactly inside", z3.Implies(region.there, holds == fence.regions.has(region()))),
        ("never without a region", z3.Implies(z3.Not(region.there), z3.Not(holds))),
    ]
