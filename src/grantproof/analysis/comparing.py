"""Where the requests are that two states decide differently: claims first, principals as sets.

Every resource that may matter is looked at as one of a class, each action on it as one of a class,
and of the principals only those who hold something else than before. What is left of them is a
formula for each state, and only what both of them limit is a question for the solver. P-ANALYSIS.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from grantproof.analysis.findings import Actions, Direction, Subject
from grantproof.analysis.formulas import (
    AnyOf,
    Formula,
    Stored,
    all_of,
    any_of,
    conditions,
    negation,
)
from grantproof.analysis.grants import Deed, Granting, Roles, Term
from grantproof.analysis.holdings import (
    NOBODY,
    Clashes,
    Held,
    Holders,
    Spans,
    Times,
    edges,
    lasts,
)
from grantproof.analysis.lawful import roles_ever
from grantproof.analysis.populations import Mask, Numbering, lowest, places
from grantproof.analysis.reads import NOTHING, restricted, texts_held
from grantproof.analysis.solving import IMPOSSIBLE, Found, Impossible, Solution, Solver, Span
from grantproof.analysis.subjects import Sight, View, sights
from grantproof.analysis.touched import touched
from grantproof.core.attributes import NO_ATTRIBUTES, Attributes, booleans
from grantproof.core.identifiers import PrincipalId
from grantproof.core.limits import INSTANT_MAX, INSTANT_MIN
from grantproof.core.model import ResourcePattern
from grantproof.core.organization import Organization


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether there is a context that one state allows and the other denies, as a formula.

    Answers of one comparison are the same exactly if their numbers are.
    """

    number: int
    formula: Formula
    solution: Solution


@dataclass(frozen=True, slots=True)
class Finding:
    """Principals who may do something in one of the states only; or who perhaps may."""

    direction: Direction
    answer: Answer
    span: Span
    principals: Mask
    actions: Actions
    subjects: tuple[Subject, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """What somebody holds of some terms in one state: for ever, or at times.

    Who is `barred`, for ever or at times, holds too many roles of a dynamic set and is allowed
    nothing.
    """

    ever: tuple[int, ...] = ()
    timed: tuple[tuple[int, Times], ...] = ()
    barred: Spans = ()
    closed: bool = False

    def terms_at(self, instant: int) -> frozenset[int]:
        """Return the terms held at the instant, by their places; none if barred then."""
        if self.closed or any(first <= instant < end for first, end in self.barred):
            return frozenset()
        held = (term for term, times in self.timed if lasts(times, instant))
        return frozenset((*self.ever, *held))

    @property
    def bounds(self) -> Iterator[int]:
        """The instants at which what is held may change."""
        yield from edges(times for _, times in self.timed)
        for span in self.barred:
            yield from span


Holdings = tuple[Holding, Holding]
"""Of the old state and of the new one."""

Formulas = list[Formula]
"""When each term holds, by its place."""


class Comparing:
    """Two states, compared."""

    def __init__(self, old: Organization, new: Organization, solver: Solver, *, now: int) -> None:
        self.numbering = Numbering({*old.principals, *new.principals})
        self._states = (old, new)
        self._solver = solver
        self._now = now
        self._where = touched(old, new)
        self._sides = (Holders(old, self.numbering), Holders(new, self.numbering))
        self._granting = Granting(old, new)
        self._people = self.numbering.mask(self._where.people)
        self._barred = _otherwise(*(side.clashes for side in self._sides))
        self._answers: dict[tuple[Formula, Formula], Answer] = {}
        self._plain: dict[int, Formula] = {}
        self._moved: dict[tuple[Roles, Roles], Mask] = {}

    def findings(self) -> Iterator[Finding]:
        """Yield every class of requests that changed, or of which that is not known."""
        classes: dict[tuple[object, ...], tuple[Sight, list[Subject]]] = {}
        for sight in sights(*self._states, self._patterns(), where=self._where):
            if not sight.old.patterns and not sight.new.patterns:
                continue
            names = self._granting.on(sight.old.patterns, sight.new.patterns).resource
            old, new = sight.old.reading(names), sight.new.reading(names)
            patterns = (sight.old.patterns, sight.new.patterns)
            moved = sight.moved and (patterns[0] != patterns[1] or old != new)
            alike = classes.setdefault(
                (*patterns, old, new, moved), (replace(sight, moved=moved), [])
            )
            alike[1].append(sight.subject)
        for sight, subjects in classes.values():
            for deed in self._granting.on(sight.old.patterns, sight.new.patterns).deeds:
                yield from self._compared(deed, sight, tuple(subjects))

    def _patterns(self) -> Iterator[ResourcePattern]:
        """Yield the patterns on which somebody may do something else than before."""
        old, new = self._sides
        yield from self._where.patterns
        roles = {role for role in self._where.roles if old.of(role) != new.of(role)}
        concerned = tuple(self.numbering.principals(self._people | self._barred))
        roles.update(*(roles_ever(state, concerned) for state in self._states))
        for state in self._states:
            for role in roles:
                for claim in state.claims_by_role.get(role, ()):
                    yield state.claims[claim].resource

    def _compared(
        self, deed: Deed, sight: Sight, subjects: tuple[Subject, ...]
    ) -> Iterator[Finding]:
        affected = 0
        for term in deed.terms:
            affected |= self._affected(term, moved=sight.moved)
        if affected == 0:
            return
        found: dict[tuple[Direction, int, Span], tuple[Answer, Mask]] = {}
        for members, holdings in self._classes(deed, sight, affected):
            formulas = self._formulas(deed, sight, members)
            for direction, answer, span in self._changes(holdings, formulas):
                key = (direction, answer.number, span)
                found[key] = (answer, members | (found[key][1] if key in found else 0))
        for (direction, _, span), (answer, members) in found.items():
            yield Finding(direction, answer, span, members, deed.actions, subjects)

    def _affected(self, term: Term, *, moved: bool) -> Mask:
        """Return for whom the term may decide differently in the two states."""
        old, new = self._held(term)
        both = old.mask | new.mask
        if moved:
            return both
        affected = both & self._barred
        if term.reads.principal:
            affected |= both & self._people
        if term.old != term.new or not term.old.isdisjoint(self._where.roles):
            known = self._moved.get((term.old, term.new))
            if known is None:
                known = self._moved[term.old, term.new] = _otherwise(old, new)
            affected |= known
        return affected

    def _held(self, term: Term) -> tuple[Held, Held]:
        old, new = self._sides
        return (
            old.of_any(term.old) if term.old else NOBODY,
            new.of_any(term.new) if term.new else NOBODY,
        )

    def _classes(self, deed: Deed, sight: Sight, affected: Mask) -> Iterator[tuple[Mask, Holdings]]:
        """Yield the principals by what they hold of the terms, and by what these read of them."""
        held = [self._held(term) for term in deed.terms]
        parts = [(affected, (Holding(), Holding()))]
        for place, both in enumerate(held):
            for side in (0, 1):
                parts = list(_split(parts, both[side].ever, side, term=place))
        for side in (0, 1):
            parts = list(_split(parts, self._sides[side].clashes.ever, side, term=None))
        at_times = self._sides[0].clashes.timed_mask | self._sides[1].clashes.timed_mask
        for old, new in held:
            at_times |= old.timed_mask | new.timed_mask
        reading = len(deed.reads.principal) > 0 or deed.reads.texts is not None
        for members, holdings in parts:
            alone = members if reading else members & at_times
            if members != alone:
                yield members ^ alone, holdings
            yield from self._singled_out(alone, holdings, deed, sight=sight, held=held)

    def _singled_out(
        self,
        members: Mask,
        holdings: Holdings,
        deed: Deed,
        *,
        sight: Sight,
        held: list[tuple[Held, Held]],
    ) -> Iterator[tuple[Mask, Holdings]]:
        """Yield classes of principals who have to be looked at one by one."""
        found: dict[tuple[object, ...], tuple[int, Holdings]] = {}
        for place in places(members):
            old, new = (
                replace(
                    holdings[side],
                    timed=tuple(
                        (term, both[side].timed[place])
                        for term, both in enumerate(held)
                        if place in both[side].timed
                    ),
                    barred=self._sides[side].clashes.timed.get(place, ()),
                )
                for side in (0, 1)
            )
            key = (old, new, *self._read(deed, place, sight))
            mask = found[key][0] if key in found else 0
            found[key] = (mask | 1 << place, (old, new))
        yield from found.values()

    def _read(self, deed: Deed, place: int, sight: Sight) -> Iterator[object]:
        """Yield what the terms read of the principal, in each state, and its id if that matters."""
        principal = self.numbering.ids[place]
        texts = set(deed.reads.texts or ())
        for state, view in zip(self._states, (sight.old, sight.new), strict=True):
            kept = restricted(_stored(state, principal), deed.reads.principal)
            yield kept
            yield booleans(kept)
            resource = restricted(view.attributes, deed.reads.resource)
            texts.update(texts_held(kept), texts_held(resource))
        yield principal if deed.reads.texts is not None and principal in texts else None

    def _formulas(self, deed: Deed, sight: Sight, members: Mask) -> tuple[Formulas, Formulas]:
        """Return in each state when each term holds, for the least of the principals."""
        principal = self.numbering.ids[lowest(members)]
        old, new = (
            [self._condition(term, state, view, principal=principal) for term in deed.terms]
            for state, view in zip(self._states, (sight.old, sight.new), strict=True)
        )
        return old, new

    def _condition(
        self, term: Term, state: Organization, view: View, *, principal: PrincipalId
    ) -> Formula:
        """Return when the term holds; what reads nothing of either end is worked out once."""
        known = self._plain.get(term.number)
        if known is not None:
            return known
        stored = Stored(principal, _stored(state, principal), view.attributes)
        made = conditions(term.constraints, stored)
        if term.reads == NOTHING:
            self._plain[term.number] = made
        return made

    def _changes(
        self, holdings: Holdings, formulas: tuple[Formulas, Formulas]
    ) -> Iterator[tuple[Direction, Answer, Span]]:
        """Yield in which directions the decision changes, and when: at the present if then too."""
        unknown: dict[Direction, tuple[Direction, Answer, Span]] = {}
        open_directions = list(Direction)
        for span in self._spans(holdings):
            old, new = (
                any_of(formulas[side][term] for term in sorted(holding.terms_at(span.first)))
                for side, holding in enumerate(holdings)
            )
            for direction in tuple(open_directions):
                allowing, denying = (new, old) if direction is Direction.GAIN else (old, new)
                answer = self._answer(allowing, denying)
                if isinstance(answer.solution, Found):
                    open_directions.remove(direction)
                    unknown.pop(direction, None)
                    yield direction, answer, span
                elif not isinstance(answer.solution, Impossible):
                    unknown.setdefault(direction, (direction, answer, span))
        yield from unknown.values()

    def _spans(self, holdings: Holdings) -> list[Span]:
        """Return the times in which nobody's holding changes, the present first."""
        old, new = holdings
        changes = {*old.bounds, *new.bounds}
        if len(changes) == 0:
            return [Span(self._now)]
        bounds = sorted({INSTANT_MIN, INSTANT_MAX + 1, self._now, *changes})
        spans = (Span(first, end) for first, end in pairwise(bounds))
        return sorted(spans, key=lambda span: (span.first != self._now, span.first))

    def _answer(self, allowing: Formula, denying: Formula) -> Answer:
        """Return whether there is a context in which the first is true and the second is not."""
        key = (allowing, denying)
        known = self._answers.get(key)
        if known is None:
            formula = all_of((allowing, negation(denying)))
            plain = _ways(allowing) <= _ways(denying)
            solution = IMPOSSIBLE if plain else self._solver.decide(formula)
            known = self._answers[key] = Answer(len(self._answers), formula, solution)
        return known


def _otherwise(old: Held | Clashes, new: Held | Clashes) -> Mask:
    """Return whom this is said of in one state only, or at other times."""
    affected = old.ever ^ new.ever
    for place in {*old.timed, *new.timed}:
        if old.timed.get(place) != new.timed.get(place):
            affected |= 1 << place
    return affected


def _split(
    parts: Iterable[tuple[Mask, Holdings]], holders: Mask, side: int, *, term: int | None
) -> Iterator[tuple[Mask, Holdings]]:
    """Split each part into those who hold the term for ever, or are barred for ever, and others."""
    for members, both in parts:
        inside = members & holders
        if inside:
            held = both[side]
            more = (
                replace(held, closed=True)
                if term is None
                else replace(held, ever=(*held.ever, term))
            )
            yield inside, (more, both[1]) if side == 0 else (both[0], more)
        if members != inside:
            yield members ^ inside, both


def _ways(formula: Formula) -> frozenset[Formula]:
    """Return the formulas of which any one makes it true."""
    return frozenset(formula.parts) if isinstance(formula, AnyOf) else frozenset({formula})


def _stored(state: Organization, principal: PrincipalId) -> Attributes:
    stored = state.principals.get(principal)
    return NO_ATTRIBUTES if stored is None else stored.attributes
