"""What roles may do in two states: of each resource and action, under which constraints.

Claims that ask the same of a request are one term, whatever their ids and roles: what somebody may
do depends on the constraints of the claims that they hold and on nothing else.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from grantproof.analysis.findings import Actions
from grantproof.analysis.reads import NOTHING, Reads, reads
from grantproof.analysis.resources import actions_of
from grantproof.analysis.subjects import Patterns
from grantproof.core.constraints import Constraint
from grantproof.core.identifiers import Action, AttributeName, ClaimId, OrganizationId, RoleId
from grantproof.core.matching import action_matches
from grantproof.core.model import (
    ADMINISTRATIVE_ACTIONS,
    ActionPattern,
    Claim,
    Exactly,
)
from grantproof.core.organization import Organization

Roles = frozenset[RoleId]

Granters = dict[tuple[int, ActionPattern], tuple[set[RoleId], set[RoleId]]]
"""Which roles grant which actions under the constraints of a number, in each state."""

EMPTY: Final = Organization(OrganizationId("empty"))
"""What is read of it is what the constraints themselves name."""


@dataclass(frozen=True, slots=True)
class Term:
    """Constraints under which something is granted, and the roles that grant it in each state.

    Terms of the same `number` have the same constraints.
    """

    number: int
    constraints: tuple[Constraint, ...]
    reads: Reads
    old: Roles
    new: Roles


@dataclass(frozen=True, slots=True)
class Deed:
    """Actions that the same terms grant, these terms, and what they read taken together."""

    actions: Actions
    terms: tuple[Term, ...]
    reads: Reads


@dataclass(frozen=True, slots=True)
class Grants:
    """All that is granted on resources that certain patterns match, and what that reads of them."""

    deeds: tuple[Deed, ...]
    resource: frozenset[AttributeName]


class Granting:
    """What the claims of two states grant; each claim is looked at once."""

    def __init__(self, old: Organization, new: Organization) -> None:
        self._sides = (old, new)
        self._numbers: dict[tuple[Constraint, ...], int] = {}
        self._terms: list[tuple[tuple[Constraint, ...], Reads]] = []
        self._number_of: tuple[dict[ClaimId, int], dict[ClaimId, int]] = ({}, {})
        self._known: dict[tuple[Patterns, Patterns], Grants] = {}
        claims = (claim for state in self._sides for claim in state.claims.values())
        *self._actions, self._other = actions_of(claim.action for claim in claims)

    def on(self, old: Patterns, new: Patterns) -> Grants:
        """Return what is granted where these patterns match, in each state."""
        known = self._known.get((old, new))
        if known is None:
            known = self._known[old, new] = self._granted((old, new))
        return known

    def _granted(self, patterns: tuple[Patterns, Patterns]) -> Grants:
        held: Granters = {}
        for _, side, claim in sorted(self._claims(patterns), key=lambda one: one[:2]):
            key = (self._number(side, claim), claim.action)
            held.setdefault(key, (set(), set()))[side].add(claim.role)
        named = _named(pattern for _, pattern in held)
        deeds = [self._deed(held, Actions((action,))) for action in sorted(named)]
        if any(not isinstance(pattern, Exactly) for _, pattern in held):
            plain = (one for one in self._actions if one not in ADMINISTRATIVE_ACTIONS)
            rest = tuple(action for action in plain if action not in named)
            deeds.append(self._deed(held, Actions(rest, self._other)))
        read = (self._terms[number][1].resource for number, _ in held)
        return Grants(tuple(deeds), frozenset().union(*read))

    def _deed(
        self,
        held: "Granters",
        actions: Actions,
    ) -> Deed:
        joined: dict[int, tuple[set[RoleId], set[RoleId]]] = {}
        first = next(iter(actions))
        for (number, pattern), (old, new) in held.items():
            if action_matches(pattern, first):
                both = joined.setdefault(number, (set(), set()))
                both[0].update(old)
                both[1].update(new)
        terms = tuple(self._term(number, *both) for number, both in joined.items())
        if all(term.reads == NOTHING for term in terms):
            return Deed(actions, terms, NOTHING)
        constraints = (constraint for term in terms for constraint in term.constraints)
        return Deed(actions, terms, reads(EMPTY, constraints))

    def _term(self, number: int, old: set[RoleId], new: set[RoleId]) -> Term:
        return Term(number, *self._terms[number], frozenset(old), frozenset(new))

    def _claims(self, patterns: tuple[Patterns, Patterns]) -> Iterator[tuple[ClaimId, int, Claim]]:
        for side, state in enumerate(self._sides):
            for pattern in patterns[side]:
                for claim in state.claims_by_resource[pattern]:
                    yield claim, side, state.claims[claim]

    def _number(self, side: int, claim: Claim) -> int:
        known = self._number_of[side].get(claim.id)
        if known is None:
            known = self._numbers.setdefault(claim.constraints, len(self._numbers))
            self._number_of[side][claim.id] = known
            if known == len(self._terms):
                self._terms.append((claim.constraints, reads(EMPTY, claim.constraints)))
        return known


def _named(patterns: Iterable[ActionPattern]) -> set[Action]:
    return {pattern.value for pattern in patterns if isinstance(pattern, Exactly)}
