"""Whom the selectors of a guardrail select: for certain, maybe, or at a moment."""

from collections.abc import Iterator, Mapping

from grantproof.core.attributes import Attributes
from grantproof.core.guardrails import Having, HolderOf, MemberOf, Who
from grantproof.core.hierarchy import closure, effective_roles, groups_of, holders_of, members_of
from grantproof.core.identifiers import AttributeName, GroupId, PrincipalId, RoleId
from grantproof.core.model import ALWAYS
from grantproof.core.organization import Organization


class Selection:
    """The principals that some selectors select; what does not exist selects nobody."""

    def __init__(self, state: Organization, who: Who) -> None:
        self._state = state
        named = [one for one in who if isinstance(one, MemberOf)]
        held = [one for one in who if isinstance(one, HolderOf)]
        self.groups = frozenset(one.group for one in named if one.group in state.groups)
        self.roles = frozenset(one.role for one in held if one.role in state.roles)
        self.having = tuple(one for one in who if isinstance(one, Having))

    def selects(
        self, principal: PrincipalId, groups: frozenset[GroupId], roles: frozenset[RoleId]
    ) -> bool:
        """Return whether a principal of these groups and roles is selected."""
        if not self.groups.isdisjoint(groups) or not self.roles.isdisjoint(roles):
            return True
        return self._has(principal)

    def possible(self) -> frozenset[PrincipalId]:
        """Return everybody who is selected at some instant."""
        members = members_of(self._state, self.groups)
        return members | holders_of(self._state, self.roles) | frozenset(self._those_having())

    def certain(self) -> frozenset[PrincipalId]:
        """Return principals who are selected at every instant; not all of them."""
        members = members_of(self._state, self.groups)
        return members | self._always_holding() | frozenset(self._those_having())

    def _has(self, principal: PrincipalId) -> bool:
        if len(self.having) == 0:
            return False
        stored = self._state.principals[principal].attributes
        return any(stores(stored, one.attributes) for one in self.having)

    def _those_having(self) -> Iterator[PrincipalId]:
        if len(self.having) > 0:
            yield from filter(self._has, self._state.principals)

    def _always_holding(self) -> frozenset[PrincipalId]:
        state, found, groups = self._state, set[PrincipalId](), set[GroupId]()
        for role in closure(self.roles, state.roles.children):
            found.update(
                one
                for one in state.assignments.to(role)
                if state.assignments.of(one)[role] == ALWAYS
            )
            groups.update(
                one
                for one in state.group_assignments.to(role)
                if state.group_assignments.of(one)[role] == ALWAYS
            )
        return members_of(state, groups) | found


def selected(state: Organization, who: Who, principal: PrincipalId, *, instant: int) -> bool:
    """Return whether one of the selectors selects the principal at the instant: by definition."""
    for one in who:
        found = False
        match one:
            case MemberOf(group):
                found = group in groups_of(state, principal)
            case HolderOf(role):
                found = role in effective_roles(state, principal, instant)
            case Having(asked):
                found = stores(state.principals[principal].attributes, asked)
        if found:
            return True
    return False


def stores(stored: Attributes, asked: Mapping[AttributeName, object]) -> bool:
    """Return whether every attribute that is asked for is stored, of the same type and value."""
    for name, value in asked.items():
        known = stored.get(name)
        if known is None or type(known) is not type(value) or known != value:
            return False
    return True
