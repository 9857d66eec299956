"""How many principals are allowed an access at one instant and in one context: too many, or not."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from grantproof.analysis.cases import GIVEN_UP_MAX, granting
from grantproof.analysis.favourable import guess
from grantproof.analysis.formulas import (
    ALWAYS,
    NEVER,
    AtLeast,
    Comparison,
    Formula,
    all_of,
    any_of,
    negation,
    true_in,
)
from grantproof.analysis.lawful import Lawful
from grantproof.analysis.overlaps import Grant
from grantproof.analysis.principals import Profile
from grantproof.analysis.reads import is_personal, reads, restricted
from grantproof.analysis.solving import IMPOSSIBLE, Found, Impossible, Solver, Span, Undetermined
from grantproof.analysis.strangers import STRANGER
from grantproof.analysis.together import AskedTogether
from grantproof.core.attributes import (
    NO_ATTRIBUTES,
    Attributes,
    Literal,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    booleans,
)
from grantproof.core.constraints import Attribute, Constraint, Context
from grantproof.core.hierarchy import holders_of
from grantproof.core.identifiers import AttributeName, PrincipalId, RoleId
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.matching import Request
from grantproof.core.organization import Organization

CONTEXTS_TRIED_MAX: Final = 8
KEYS_COUNTED_MAX: Final = 5_000


class Trait(NamedTuple):
    """What constraints read of a principal; its id where that makes a difference."""

    attributes: Attributes
    booleans: frozenset[AttributeName]
    identity: PrincipalId | None


NO_TRAIT: Final = Trait(NO_ATTRIBUTES, frozenset(), None)


class Key(NamedTuple):
    """The roles that a principal holds, of those that grant, and what is read of it."""

    roles: frozenset[RoleId]
    trait: Trait


@dataclass(frozen=True, slots=True)
class Crowd:
    """Principals at one time: how many there are of each key."""

    span: Span
    of_key: Counter[Key]


def counted(
    state: Organization, grants: tuple[Grant, ...], most: int, *, solver: Solver, now: int
) -> AskedTogether | Impossible | Undetermined:
    """Return requests of more than `most` principals, all allowed at one instant in one context.

    A principal counts if any request that the grants are about is allowed. The instants of all
    assignments are looked at, `now` first.
    """
    if len(state.principals) <= most:
        return IMPOSSIBLE
    roles = frozenset(grant.claim.role for grant in grants)
    people = [one for one in holders_of(state, roles) if state.principals[one].active]
    if len(people) <= most:
        return IMPOSSIBLE
    return _Count(state, grants, sorted(people), solver=solver, now=now).beyond(most)


class _Count:
    def __init__(
        self,
        state: Organization,
        grants: tuple[Grant, ...],
        people: list[PrincipalId],
        *,
        solver: Solver,
        now: int,
    ) -> None:
        self._state, self._solver, self._people, self._now = state, solver, people, now
        self._by_role: dict[RoleId, list[Grant]] = {}
        for grant in grants:
            self._by_role.setdefault(grant.claim.role, []).append(grant)
        self._roles = frozenset(self._by_role)
        self._lawful = Lawful(state, self._roles, now=now)
        every = [one for grant in grants for one in grant.claim.constraints]
        self._reads = reads(state, every) if is_personal(every) else None
        self._named_in = _named_in(every)
        self._formulas: dict[tuple[RoleId, Trait], Formula] = {}
        self._example: dict[Trait, PrincipalId] = {}
        self._alone: dict[tuple[Profile, Attributes, frozenset[AttributeName]], int] = {}

    def beyond(self, most: int) -> AskedTogether | Impossible | Undetermined:
        """Return requests of more than so many principals."""
        traits = {principal: self._trait(principal) for principal in self._people}
        for principal in reversed(self._people):
            self._example[traits[principal]] = principal
        for context in self._likely(traits[self._people[0]]):
            asked = self._asked(context, most)
            if len(asked) > most:
                return asked
        unknown: list[Undetermined] = []
        for crowd in self._crowds(traits):
            if sum(crowd.of_key.values()) <= most:
                continue
            answer = self._more_than(most, crowd)
            if isinstance(answer, Found):
                return self._asked(answer.context, most)
            if isinstance(answer, Undetermined):
                unknown.append(answer)
            if len(unknown) > GIVEN_UP_MAX:
                break
        return IMPOSSIBLE if len(unknown) == 0 else unknown[0]

    def _likely(self, trait: Trait) -> Iterator[Context]:
        """Yield contexts at present in which some role grants something."""
        seen: set[Formula] = {NEVER}
        for role in sorted(self._by_role, key=lambda role: self._formula(role, trait) != ALWAYS):
            formula = self._formula(role, trait)
            context = None if formula in seen else guess(formula)
            seen.add(formula)
            if context is not None:
                span = Span(self._now, self._now + 1)
                yield self._solver.fitted(formula, context, span).context
            if len(seen) > CONTEXTS_TRIED_MAX:
                return

    def _asked(self, context: Context, most: int) -> AskedTogether:
        """Return an allowed request each of the first principals, in order; one more than `most`.

        Fewer if there are not so many.
        """
        granted: dict[tuple[RoleId, Trait], Grant | None] = {}
        found = (self._allowed(one, context, granted) for one in self._people)
        requests = (request for request in found if request is not None)
        return tuple((request, context) for request in islice(requests, most + 1))

    def _allowed(
        self,
        principal: PrincipalId,
        context: Context,
        granted: dict[tuple[RoleId, Trait], Grant | None],
    ) -> Request | None:
        """Return a request that is allowed in the context; `granted` remembers what roles do."""
        trait = self._trait_of(principal)
        for phase in self._lawful.phases(principal):
            if context.instant not in phase.span:
                continue
            for role in sorted(phase.roles & self._roles):
                if (role, trait) not in granted:
                    granted[role, trait] = self._granting(principal, role, context)
                grant = granted[role, trait]
                if grant is not None:
                    return grant.asked_by(principal)
        return None

    def _granting(self, principal: PrincipalId, role: RoleId, context: Context) -> Grant | None:
        held = self._by_role[role]
        return next(
            (one for one in held if true_in(granting(self._state, principal, one), context)), None
        )

    def _crowds(self, traits: dict[PrincipalId, Trait]) -> Iterator[Crowd]:
        """Yield who holds what together: when it was never more, from the earliest time on."""
        changes: dict[int, Counter[Key]] = {}
        for principal in self._people:
            for phase in self._lawful.phases(principal):
                roles = phase.roles & self._roles
                if len(roles) > 0:
                    key = Key(roles, traits[principal])
                    changes.setdefault(phase.span.first, Counter())[key] += 1
                    end = INSTANT_MAX + 1 if phase.span.end is None else phase.span.end
                    changes.setdefault(end, Counter())[key] -= 1
        there: Counter[Key] = Counter()
        grown, since = False, 0
        for instant in sorted(changes):
            change = changes[instant]
            if grown and any(step < 0 for step in change.values()):
                yield Crowd(Span(since, instant), +there)
                grown = False
            there.update(change)
            if any(step > 0 for step in change.values()):
                grown, since = True, instant

    def _trait(self, principal: PrincipalId) -> Trait:
        """Return what is read of the principal, and its id if it must stand alone.

        A context has room for so many ids as it has attributes that are compared with one. Of
        principals that nothing but their ids tells apart so many stand alone, therefore, and the
        others are never named: whoever a context names may as well be one of the former.
        """
        if self._reads is None:
            return NO_TRAIT
        kept = restricted(self._state.principals[principal].attributes, self._reads.principal)
        texts = self._reads.texts
        if texts is None:
            return Trait(kept, booleans(kept), None)
        alike = (self._lawful.profile(principal), kept, booleans(kept))
        # The solver's names for strangers are like this: nobody of them may be among the others.
        if principal not in texts and not principal.startswith(STRANGER):
            standing = self._alone.get(alike, 0)
            if standing >= len(self._named_in):
                return Trait(kept, booleans(kept), None)
            self._alone[alike] = standing + 1
        return Trait(kept, booleans(kept), principal)

    def _trait_of(self, principal: PrincipalId) -> Trait:
        """Return a trait that no other principal has, where ids are compared at all."""
        if self._reads is None:
            return NO_TRAIT
        kept = restricted(self._state.principals[principal].attributes, self._reads.principal)
        identity = None if self._reads.texts is None else principal
        return Trait(kept, booleans(kept), identity)

    def _more_than(self, most: int, crowd: Crowd) -> Found | Impossible | Undetermined:
        if len(crowd.of_key) > KEYS_COUNTED_MAX:
            return Undetermined(
                f"there are {len(crowd.of_key)} ways to hold the access: "
                f"at most {KEYS_COUNTED_MAX} are counted"
            )
        weights: Counter[Formula] = Counter()
        for key, weight in crowd.of_key.items():
            weights[any_of(self._formula(role, key.trait) for role in sorted(key.roles))] += weight
        del weights[NEVER]
        if sum(weights.values()) <= most:
            return IMPOSSIBLE
        weighted = tuple((weight, formula) for formula, weight in weights.items())
        unsaid = self._unsaid({key.trait for key in crowd.of_key})
        return self._solver.solve(all_of((AtLeast(most + 1, weighted), *unsaid)), crowd.span)

    def _formula(self, role: RoleId, trait: Trait) -> Formula:
        """Return when the role grants something to a principal of the trait."""
        known = self._formulas.get((role, trait))
        if known is None:
            held, example = self._by_role[role], self._example[trait]
            known = any_of(granting(self._state, example, grant) for grant in held)
            self._formulas[role, trait] = known
        return known

    def _unsaid(self, traits: Iterable[Trait]) -> Iterator[Formula]:
        """Yield that no context names one of those who do not stand alone."""
        for trait in traits:
            if trait.identity is None:
                name = Literal(str(self._example[trait]))
                for path in self._named_in:
                    yield negation(Comparison(Operator.EQ, path, name))


def _named_in(constraints: Iterable[Constraint]) -> tuple[Path, ...]:
    """Return the attributes of contexts that are compared with the id of who asks."""
    found = (
        one.path
        for one in constraints
        if isinstance(one, Attribute)
        and isinstance(one.operand, PrincipalIdentity)
        and one.path.root in {Root.CONTEXT, Root.ACTION}
    )
    return tuple(dict.fromkeys(found))
