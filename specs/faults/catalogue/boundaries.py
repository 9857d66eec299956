"""Limits and hours that are off by one, and missing values that pass."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault, Proof

GEODESY: Final = "grantproof.core.geodesy"
CONSTRAINTS: Final = "grantproof.core.constraints"
MODEL: Final = "grantproof.core.model"
ALONG: Final = "abs(here.latitude - there.latitude)"
WITHIN: Final = "distance(position, radius.centre) <= radius.metres"
WINDOW: Final = "return window.start <= hour < window.end and weekday in window.weekdays"

_boundary = partial(Fault, kind="boundaries")
_window = partial(_boundary, property_id="P-WINDOW", gate=Proof("constraints.window_holds"))
_radius = partial(_boundary, property_id="P-RADIUS")
_within = partial(_radius, gate=Proof("constraints.radius_holds"))
_term = partial(_boundary, property_id="P-SOUND", gate=Proof("model.Validity.contains"))

FAULTS: Final = (
    _window(
        id="end-inclusive",
        sentence="a time window still holds in the hour in which it ends",
        edits=(Edit(CONSTRAINTS, WINDOW, WINDOW.replace("hour < window", "hour <= window")),),
    ),
    _window(
        id="start-exclusive",
        sentence="a time window does not yet hold in the hour in which it starts",
        edits=(Edit(CONSTRAINTS, WINDOW, WINDOW.replace("start <= hour", "start < hour")),),
    ),
    _window(
        id="weekday-ignored",
        sentence="a time window holds on every day",
        edits=(Edit(CONSTRAINTS, WINDOW, WINDOW.replace(" and weekday in window.weekdays", "")),),
    ),
    _boundary(
        id="quota-one-more",
        sentence="usage may reach the limit and be used once more",
        property_id="P-QUOTA-MONO",
        gate=Proof("constraints.usage_holds"),
        edits=(Edit(CONSTRAINTS, "usage < maximum.limit", "usage <= maximum.limit"),),
    ),
    _boundary(
        id="unknown-rate-passes",
        sentence="a rate that nobody knows is within the limit",
        property_id="P-RATE-MONO",
        gate=Proof("constraints.rate_holds"),
        edits=(
            Edit(
                CONSTRAINTS,
                "return rate is not None and rate < limit.per_minute",
                "return rate is None or rate < limit.per_minute",
            ),
        ),
    ),
    _boundary(
        id="unknown-region-passes",
        sentence="a request from nowhere is inside every fence",
        property_id="P-GEO",
        gate=Proof("constraints.fence_holds"),
        edits=(
            Edit(
                CONSTRAINTS,
                "return region is not None and region in fence.regions",
                "return region is None or region in fence.regions",
            ),
        ),
    ),
    _within(
        id="radius-exclusive",
        sentence="whoever is exactly as far away as a radius reaches is outside",
        edits=(Edit(CONSTRAINTS, WITHIN, WITHIN.replace("<=", "<")),),
    ),
    _within(
        id="unknown-position-passes",
        sentence="a request from an unknown place is within every radius",
        edits=(
            Edit(
                CONSTRAINTS,
                f"return position is not None and {WITHIN}",
                f"return position is None or {WITHIN}",
            ),
        ),
    ),
    _within(
        id="centre-swapped",
        sentence="the latitude of a centre is taken for its longitude, and the other way round",
        edits=(
            Edit(
                CONSTRAINTS,
                WITHIN,
                WITHIN.replace(
                    "radius.centre)",
                    "Position(radius.centre.longitude, radius.centre.latitude))",
                ),
            ),
        ),
    ),
    _radius(
        id="south-is-north",
        sentence="a place south of the equator is taken for the one as far north of it",
        gate=Executable(),
        edits=(Edit(GEODESY, ALONG, "abs(abs(here.latitude) - abs(there.latitude))"),),
    ),
    _boundary(
        id="at-most-becomes-less",
        sentence="an attribute that must be at most a number must be less",
        property_id="P-ATTR",
        gate=Proof("attributes.compare"),
        edits=(
            Edit(
                "grantproof.core.attributes",
                "type(right) is int and left <= right",
                "type(right) is int and left < right",
            ),
        ),
    ),
    _term(
        id="term-end-inclusive",
        sentence="an assignment still counts at the instant at which it ends",
        shown_by="P-SOUND",
        edits=(Edit(MODEL, "or instant < self.end", "or instant <= self.end"),),
    ),
    _term(
        id="term-start-exclusive",
        sentence="an assignment does not yet count at the instant at which it starts",
        shown_by="P-COMPLETE",
        edits=(Edit(MODEL, "or self.start <= instant", "or self.start < instant"),),
    ),
)
