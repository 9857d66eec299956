"""Evaluation that denies what is granted."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault, Proof

HIERARCHY: Final = "grantproof.core.hierarchy"
MATCHING: Final = "grantproof.core.matching"

_incomplete = partial(Fault, kind="incomplete evaluation", shown_by="P-COMPLETE")
_closes = partial(
    Fault,
    kind="incomplete evaluation",
    property_id="P-CLOSURE",
    gate=Proof("hierarchy.closure"),
)
_holds = partial(_incomplete, property_id="P-SOUND", gate=Proof("hierarchy.assigned_roles"))

FAULTS: Final = (
    _closes(
        id="direct-parents-only",
        sentence="a role inherits from its parents, but not from theirs",
        edits=(Edit(HIERARCHY, "                work.add(parent)\n", ""),),
    ),
    _closes(
        id="nothing-inherited",
        sentence="a role inherits only from roles that are held anyway",
        edits=(
            Edit(
                HIERARCHY,
                "            if parent not in seen:\n                seen",
                "            if parent in seen:\n                seen",
            ),
        ),
    ),
    _holds(
        id="group-roles-forgotten",
        sentence="roles that are assigned to groups do not count",
        edits=(
            Edit(
                HIERARCHY,
                "        roles = roles | valid_roles(state.group_assignments.of(group), instant)\n",
                "        roles = roles | valid_roles(state.assignments.of(principal), instant)\n",
            ),
        ),
    ),
    _holds(
        id="nested-groups-forgotten",
        sentence="only the groups that a principal is directly in count",
        edits=(
            Edit(
                HIERARCHY,
                "    for group in groups_of(state, principal):\n        roles = ",
                "    for group in state.memberships.of(principal):\n        roles = ",
            ),
        ),
    ),
    _holds(
        id="direct-roles-forgotten",
        sentence="only roles that are assigned to groups count",
        edits=(
            Edit(
                HIERARCHY,
                "    roles = valid_roles(state.assignments.of(principal), instant)\n",
                "    roles = valid_roles(state.assignments.of(principal), instant) & frozenset()\n",
            ),
        ),
    ),
    _incomplete(
        id="within-not-itself",
        sentence="a claim on a folder and what is inside does not grant the folder itself",
        property_id="P-SOUND",
        gate=Proof("matching.resource_matches"),
        edits=(
            Edit(
                MATCHING,
                "        case Within(value):\n            return value in target.lineage\n",
                "        case Within(value):\n"
                "            return value in target.lineage and value != target.resource\n",
            ),
        ),
    ),
    Fault(
        id="early-return",
        kind="incomplete evaluation",
        sentence="inheritance is followed from one role and then no further",
        property_id="P-CLOSURE",
        gate=Executable(),
        edits=(
            Edit(
                HIERARCHY,
                "                seen.add(parent)\n"
                "                work.add(parent)\n"
                "    return frozenset(seen)",
                "                seen.add(parent)\n"
                "                work.add(parent)\n"
                "        return frozenset(seen)\n"
                "    return frozenset(seen)",
            ),
        ),
    ),
    Fault(
        id="first-claim-only",
        kind="incomplete evaluation",
        sentence="only the first claim that matches is looked at",
        property_id="P-COMPLETE",
        gate=Executable(),
        edits=(
            Edit(
                "grantproof.core.policy",
                "[claim for claim in matching if",
                "[claim for claim in sorted(matching, key=claim_order)[:1] if",
            ),
        ),
    ),
    Fault(
        id="one-folder-up",
        kind="incomplete evaluation",
        sentence="a claim on a folder reaches one level down and no further",
        property_id="P-COMPLETE",
        gate=Executable(),
        edits=(Edit(MATCHING, "    while parent is not None:\n", "    if parent is not None:\n"),),
    ),
)
