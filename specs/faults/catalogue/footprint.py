"""The check of a change in production that looks past what the change broke."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault

FOOTPRINT: Final = "grantproof.core.footprint"
HOLDING: Final = "grantproof.core.holding"

_overlooked = partial(Fault, property_id="P-INDUCT", gate=Executable())

FAULTS: Final = (
    _overlooked(
        id="footprint-inherited-roles",
        kind="separation of duty",
        sentence="the check of a change does not look at the duty of inherited roles",
        edits=(
            Edit(
                HOLDING,
                "if len(sod_set.roles & reached(then, after.roles.parents)) >= sod_set.n:",
                "if len(sod_set.roles & set(then)) >= sod_set.n:",
            ),
        ),
    ),
    _overlooked(
        id="footprint-outer-groups",
        kind="separation of duty",
        sentence="the check of a change does not look at what the outer groups hold",
        edits=(
            Edit(
                HOLDING,
                "in reached(after.memberships.of(principal), after.groups.parents):",
                "in after.memberships.of(principal):",
            ),
        ),
    ),
    _overlooked(
        id="footprint-beginning-only",
        kind="separation of duty",
        sentence="the check of a change does not look at what starts later",
        edits=(
            Edit(
                HOLDING,
                "{validity.start or INSTANT_MIN for _, validity in held}",
                "{INSTANT_MIN}",
            ),
        ),
    ),
    _overlooked(
        id="footprint-left-behind",
        kind="references",
        sentence="the check of a change does not look at what refers to a removed fact",
        edits=(
            Edit(
                FOOTPRINT,
                "        yield from _left_behind(before, after, fact)\n",
                "        yield from ()\n",
            ),
        ),
    ),
)
