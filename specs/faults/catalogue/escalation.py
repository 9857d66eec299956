"""Changes by which somebody gives what is not theirs: what it takes is not asked for."""

from functools import partial
from typing import Final

from specs.faults.fault import Edit, Executable, Fault

AUTHORITY: Final = "grantproof.core.authority"
CONTAINMENT: Final = "grantproof.core.containment"
RIGHTS: Final = "grantproof.core.rights"

_given_away = partial(Fault, kind="escalation", property_id="P-ESCALATE", gate=Executable())

FAULTS: Final = (
    _given_away(
        id="inherited-powers-given",
        sentence="who may assign a role gives the administrative roles that it inherits along",
        edits=(
            Edit(
                RIGHTS,
                "        for ancestor in sorted(inherited):\n",
                "        for ancestor in sorted(inherited)[:0]:\n",
            ),
        ),
    ),
    _given_away(
        id="group-powers-given",
        sentence="who may fill a group gives the roles that the group holds",
        edits=(Edit(RIGHTS, "        yield from _giving_all(state, held)\n", ""),),
    ),
    _given_away(
        id="parent-unasked",
        sentence="who may change a role lets it inherit from any other",
        edits=(
            Edit(
                RIGHTS,
                '(_entity(state, f"role:{role}"), *_giving(state, parent))',
                '(_entity(state, f"role:{role}"),)',
            ),
        ),
    ),
    _given_away(
        id="claim-unasked",
        sentence="who may change a role gives it any claim",
        edits=(
            Edit(
                RIGHTS,
                '(_entity(state, f"role:{claim.role}"), Grant(claim))',
                '(_entity(state, f"role:{claim.role}"),)',
            ),
        ),
    ),
    _given_away(
        id="limits-left-off",
        sentence="who may do something within limits gives it without them",
        edits=(
            Edit(
                CONTAINMENT,
                "        and all(constraint in inner.constraints"
                " for constraint in outer.constraints)\n",
                "",
            ),
        ),
    ),
    _given_away(
        id="first-command-asked",
        sentence="of a change set only the first command takes a right",
        edits=(
            Edit(
                AUTHORITY,
                "in enumerate(command.commands):",
                "in enumerate(command.commands[:1]):",
            ),
        ),
    ),
)
