"""Many assignments of a change set at once: what an import asks for, a million times.

What taking each in turn leads to, in a fraction of the time. Only what is accepted is found here:
which one is refused, and why, says `refusal`, asked of each in turn.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from grantproof.core.commands.language import AssignRole
from grantproof.core.duty import sets_naming, static_clash
from grantproof.core.evolving import replace
from grantproof.core.hierarchy import closure
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.limits import ROLES_PER_HOLDER_MAX
from grantproof.core.model import Validity
from grantproof.core.organization import Organization

Given = Mapping[PrincipalId, Mapping[RoleId, Validity]]
"""The roles that are to be assigned, by whom they are assigned to."""


def assigned(state: Organization, commands: Sequence[AssignRole]) -> Organization | None:
    """Return the state after all of the assignments; nothing if one of them would be refused.

    An assignment bears on whether another may be made by nothing but the roles of one principal,
    and these only grow: what is sound at the end was sound after each. P-REJECT, P-SOD-EXACT.
    """
    given: dict[PrincipalId, dict[RoleId, Validity]] = {}
    for command in commands:
        given.setdefault(command.principal, {})[command.role] = command.validity
    # One that is asked for twice is refused the second time.
    if sum(map(len, given.values())) < len(commands):
        return None
    roles = frozenset[RoleId]().union(*given.values())
    known = all(role in state.roles.parents for role in roles)
    if not known or not all(_can_have(state, *each) for each in given.items()):
        return None
    after = replace(state, assignments=state.assignments.with_all(given))
    counted = _counted(state, roles)
    bound = (who for who, gained in given.items() if not counted.isdisjoint(gained))
    return None if any(static_clash(after, who) is not None for who in bound) else after


def _can_have(
    state: Organization, principal: PrincipalId, gained: Mapping[RoleId, Validity]
) -> bool:
    """Return whether the principal is there, lacks all of the roles and may have so many more."""
    held = state.assignments.of(principal)
    return (
        principal in state.principals
        and len(held) + len(gained) <= ROLES_PER_HOLDER_MAX
        and not any(role in held for role in gained)
    )


def _counted(state: Organization, roles: AbstractSet[RoleId]) -> AbstractSet[RoleId]:
    """Return those of the roles that are in a static set, or inherit from one that is."""
    naming = sets_naming(state, closure(roles, state.roles.parents))
    named = (role for sod_set in naming if sod_set.mode == "static" for role in sod_set.roles)
    return roles & closure(named, state.roles.children)
