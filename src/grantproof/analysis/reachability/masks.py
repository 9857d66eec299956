"""A sliced problem as numbers: a set of roles is an integer, a bit for each role that matters.

Only the roles of the slice are kept: no rule that is left looks at any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from grantproof.analysis.reachability.problem import Roles
from grantproof.analysis.reachability.slicing import Slice
from grantproof.core.identifiers import RoleId


@dataclass(frozen=True, slots=True)
class Move:
    """A rule: who may (no bit means anybody), on what conditions, which bit it sets or clears."""

    admin: int
    positive: int
    negative: int
    target: int
    assigns: bool

    def result(self, assigned: int, effective: int) -> int:
        """Return the roles that the rule makes of these; the same when it does not apply."""
        if not self.assigns:
            return assigned & ~self.target
        applies = self.positive & ~effective == 0 and self.negative & effective == 0
        return assigned | self.target if applies else assigned


class Masks:
    """The rules of a slice on integers. `pure` are the bits that no rule wants not to be held."""

    def __init__(self, part: Slice) -> None:
        problem = part.problem
        self.roles = tuple(sorted(part.positive | part.negative))
        self.bits = {role: 1 << position for position, role in enumerate(self.roles)}
        self.pure = self.mask(part.positive - part.negative)
        self.goal = self.bits[problem.goal.role]
        self._flat = not any(problem.parents.values())
        self._inherited = {
            self.bits[role]: self.mask(problem.effective({role})) for role in self.roles
        }
        self._effective: dict[int, int] = {}
        assigning = (
            Move(
                self._admin(rule.admin),
                self.mask(rule.positive),
                self.mask(rule.negative),
                self.bits[rule.target],
                assigns=True,
            )
            for rule in problem.can_assign
        )
        revoking = (
            Move(self._admin(rule.admin), 0, 0, self.bits[rule.target], assigns=False)
            for rule in problem.can_revoke
        )
        self.moves = tuple(dict.fromkeys((*assigning, *revoking)))
        self.admins = 0
        for move in self.moves:
            self.admins |= move.admin

    def mask(self, roles: Iterable[RoleId]) -> int:
        """Return the bits of the roles, leaving out those that do not matter."""
        found = 0
        for role in roles:
            found |= self.bits.get(role, 0)
        return found

    def named(self, mask: int) -> Roles:
        """Return the roles whose bits these are."""
        return frozenset(role for role, bit in self.bits.items() if bit & mask)

    def effective(self, assigned: int) -> int:
        """Return the bits held by who is assigned these: with what they inherit."""
        if self._flat:
            return assigned
        known = self._effective.get(assigned)
        if known is None:
            known = 0
            for bit, inherited in self._inherited.items():
                if bit & assigned:
                    known |= inherited
            self._effective[assigned] = known
        return known

    def _admin(self, admin: RoleId | None) -> int:
        return 0 if admin is None else self.bits[admin]
