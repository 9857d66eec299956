"""Who has what, and why: each way in which a principal holds a role, with the claims of that role.

A way is an assignment that is valid, the groups from the principal to it, and the roles from it to
the one that is held: the shortest of each. Nothing is decided here: groups, roles and claims are
followed as `evaluate` follows them, and tests hold the two together.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from grantproof.core.hierarchy import holders_of
from grantproof.core.identifiers import Action, PrincipalId, ResourceId, RoleId
from grantproof.core.matching import action_matches, resource_matches
from grantproof.core.model import Claim, Principal, Validity
from grantproof.core.organization import Organization
from grantproof.service.review import Holding, holdings, shortest_paths
from grantproof.service.standard_review import target_of

Key = tuple[str, str, str, str]
"""What a row is known by: principal, group or nothing, assigned role, role that is held."""


@dataclass(frozen=True, slots=True)
class Access:
    """A way in which a principal holds a role.

    `roles` leads from the assigned role, parent by parent, to the one that is held, whose own
    `claims` are in the order of their ids. `lasts_until` is the first instant at which the
    principal no longer holds the role, by this way or another; nothing means never.
    """

    principal: Principal
    holding: Holding
    roles: tuple[RoleId, ...]
    lasts_until: int | None
    claims: tuple[Claim, ...]

    @property
    def key(self) -> Key:
        """What it is known by, and stands in the order of."""
        return (self.principal.id, group_of(self.holding), self.holding.role, self.roles[-1])


@dataclass(frozen=True, slots=True)
class Sought:
    """Which ways are sought: of a principal, to a role, to a resource, for an action.

    With a resource or an action a way has only the claims on them, and there is none without any.
    `kind` makes a resource known that is not registered.
    """

    principal: PrincipalId | None = None
    role: RoleId | None = None
    resource: ResourceId | None = None
    kind: str | None = None
    action: Action | None = None


def group_of(holding: Holding) -> str:
    """Return the group that the role is assigned to; empty for a direct assignment."""
    return holding.groups[-1] if holding.groups else ""


def access(
    state: Organization, sought: Sought, *, instant: int, after: tuple[str, ...] = ()
) -> Iterator[Access]:
    """Yield the ways that are sought at the instant, those after a key, in the order of keys.

    The principal, role and resource that are named must exist.
    """
    look = AccessReview(state, sought, instant)
    begin = after[0] if after else ""
    for principal in sorted(one for one in look.principals() if one >= begin):
        yield from (way for way in look.of(principal) if way.key > after)


class AccessReview:
    """One look at a state: what is the same for many principals is worked out once."""

    def __init__(self, state: Organization, sought: Sought, instant: int) -> None:
        self._state = state
        self._sought = sought
        self._instant = instant
        self._matches = _matching(state, sought)
        self._inherited: dict[RoleId, dict[RoleId, tuple[RoleId, ...]]] = {}
        self._claims: dict[RoleId, tuple[Claim, ...]] = {}

    def principals(self) -> Iterable[PrincipalId]:
        """Return all principals that may have such a way, in any order."""
        state, sought = self._state, self._sought
        if sought.principal is not None:
            return (sought.principal,)
        if sought.role is not None:
            return holders_of(state, (sought.role,))
        if self._matches is None:
            return state.principals
        return holders_of(state, {role for role in state.claims_by_role if self.claims(role)})

    def of(self, principal: PrincipalId) -> Iterator[Access]:
        """Yield the ways of one principal, in the order of their keys."""
        held = holdings(self._state, principal)
        valid = [one for one in held if one.validity.contains(self._instant)]
        for holding in sorted(valid, key=lambda one: (group_of(one), one.role)):
            for role, path in sorted(self.inherited(holding.role).items()):
                if self._is_sought(role):
                    stored = self._state.principals[principal]
                    until = self._lasts_until(held, role)
                    yield Access(stored, holding, path, until, self.claims(role))

    def inherited(self, role: RoleId) -> dict[RoleId, tuple[RoleId, ...]]:
        """Return the role and all that it inherits, each with the shortest path to it."""
        found = self._inherited.get(role)
        if found is None:
            found = shortest_paths((role,), self._state.roles.parents)
            self._inherited[role] = found
        return found

    def claims(self, role: RoleId) -> tuple[Claim, ...]:
        """Return the role's own claims that are sought, in the order of their ids."""
        found = self._claims.get(role)
        if found is None:
            names = sorted(self._state.claims_by_role.get(role, ()))
            own = (self._state.claims[name] for name in names)
            matches = self._matches
            found = tuple(own if matches is None else filter(matches, own))
            self._claims[role] = found
        return found

    def _is_sought(self, role: RoleId) -> bool:
        if self._sought.role not in {None, role}:
            return False
        return self._matches is None or len(self.claims(role)) > 0

    def _lasts_until(self, held: Iterable[Holding], role: RoleId) -> int | None:
        giving = [one.validity for one in held if role in self.inherited(one.role)]
        return lasting(giving, self._instant)


def lasting(validities: Iterable[Validity], instant: int) -> int | None:
    """Return the first instant from then on that lies in none of them; nothing if there is none."""
    rest = tuple(validities)
    while True:
        ends = [one.end for one in rest if one.contains(instant)]
        if len(ends) == 0:
            return instant
        latest = 0
        for end in ends:
            if end is None:
                return None
            latest = max(latest, end)
        instant = latest


def _matching(state: Organization, sought: Sought) -> Callable[[Claim], bool] | None:
    """Return whether a claim is sought; nothing where every one is."""
    action, resource = sought.action, sought.resource
    if action is None and resource is None:
        return None
    target = None if resource is None else target_of(state, resource, sought.kind)

    def matches(claim: Claim) -> bool:
        on = resource is None or (target is not None and resource_matches(claim.resource, target))
        return on and (action is None or action_matches(claim.action, action))

    return matches
