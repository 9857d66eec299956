"""Guards against cycles that are missing, too short or the wrong way round."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault, Proof

HIERARCHY: Final = "grantproof.core.hierarchy"
REFUSAL: Final = "grantproof.core.commands.refusal"
GUARD: Final = "return child in closure({parent}, parents)"

_refuted = partial(Fault, kind="cycles", property_id="P-DAG", gate=Proof("hierarchy.would_cycle"))
_slips_through = partial(Fault, kind="cycles", property_id="P-DAG", gate=Executable())

FAULTS: Final = (
    _slips_through(
        id="no-role-guard",
        sentence="a role may be given any parent but itself",
        edits=(
            Edit(
                REFUSAL,
                "case AddParent(role, parent) if would_cycle(role, parent, state.roles.parents):",
                "case AddParent(role, parent) if role == parent:",
            ),
        ),
    ),
    _slips_through(
        id="no-group-guard",
        sentence="only roles are guarded against cycles, groups are forgotten",
        edits=(
            Edit(
                REFUSAL,
                "case NestGroup(group, container) if would_cycle(group, container, "
                "state.groups.parents):",
                "case NestGroup(group, container) if group == container:",
            ),
        ),
    ),
    _refuted(
        id="direct-guard",
        sentence="the guard looks at the parent's own parents only",
        edits=(Edit(HIERARCHY, GUARD, "return child in parents[parent]"),),
    ),
    _refuted(
        id="reversed-guard",
        sentence="the guard follows the edges the wrong way round",
        edits=(Edit(HIERARCHY, GUARD, "return parent in closure({child}, parents)"),),
    ),
    _refuted(
        id="self-edge",
        sentence="the guard forgets that a node may be given itself",
        edits=(
            Edit(
                HIERARCHY, GUARD, "return child != parent and child in closure({parent}, parents)"
            ),
        ),
    ),
    _refuted(
        id="guard-always",
        sentence="the guard refuses edges that close no cycle",
        edits=(
            Edit(
                HIERARCHY,
                GUARD,
                "return child in closure({parent}, parents) or len(parents[parent]) > 0",
            ),
        ),
    ),
)
