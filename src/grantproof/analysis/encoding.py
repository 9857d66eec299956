"""A formula as Z3 sees it, and a model of it as a context again.

Everything is finite or linear. Strings are only ever compared for being the same, so those that
the formula names stand for themselves, and as many strangers for all others as it has attributes
that could hold one. P-ANALYSIS.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, assert_never

import z3
from immutables import Map

from grantproof.analysis.formulas import (
    AllOf,
    AnyOf,
    AtLeast,
    Comparison,
    Condition,
    Formula,
    Not,
    Term,
    mentioned,
)
from grantproof.analysis.places import Apart, facts_of, is_everywhere
from grantproof.analysis.strangers import STRANGER, fresh
from grantproof.core.attributes import (
    ORDERING,
    Attributes,
    ClockYear,
    Literal,
    Operator,
    Path,
    Root,
    Value,
)
from grantproof.core.constraints import (
    DAYS_PER_WEEK,
    HOURS_PER_DAY,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.identifiers import AttributeName, Region
from grantproof.core.limits import INTEGER_MAX, INTEGER_MIN

YEAR_MIN: Final = 1970
YEAR_MAX: Final = 9999
NOWHERE: Final = -1

BOOL, INT, TEXT, TEXTS = range(4)
TYPES: Final = {bool: BOOL, int: INT, str: TEXT, frozenset: TEXTS}


@dataclass(frozen=True, slots=True)
class Slot:
    """A value as Z3 sees it: whether it is there, its type, and what it is as each type."""

    there: z3.BoolRef
    type: z3.ArithRef
    truth: z3.BoolRef
    number: z3.ArithRef
    text: z3.ArithRef
    members: tuple[z3.BoolRef, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model's choices: what a context says, its circles not yet a position."""

    hour: int
    weekday: int
    year: int
    region: Region | None
    usage: int | None
    rate: int | None
    attributes: Attributes
    action_properties: Attributes
    located: bool
    within: frozenset[GeoRadius]


class Encoding:
    """The variables of one formula, what is true of them in every context, and the formula."""

    def __init__(self, formula: Formula) -> None:
        found = mentioned(formula)
        self.circles = tuple(one for one in found if isinstance(one, GeoRadius))
        self._regions = _regions(found)
        self._paths = _paths(found)
        self._texts = _texts(found, strangers=2 * len(self._paths) + 1)
        self._code = {text: code for code, text in enumerate(self._texts)}
        self._hour, self._weekday = z3.Int("hour"), z3.Int("weekday")
        self._year, self._region = z3.Int("year"), z3.Int("region")
        self._usage, self._rate = z3.Int("usage"), z3.Int("rate")
        self._located = z3.Bool("located")
        self._inside = {one: z3.Bool(f"circle{i}") for i, one in enumerate(self.circles)}
        self._slots = {path: self._slot(i) for i, path in enumerate(self._paths)}
        self.assertions = (*self._legal(), self._term(formula))

    def chosen(self, model: z3.ModelRef) -> Chosen:
        """Return what the model says of the context."""
        region = _number(model, self._region)
        attributes: dict[Root, dict[AttributeName, Value]] = {Root.CONTEXT: {}, Root.ACTION: {}}
        for path, slot in self._slots.items():
            if _true(model, slot.there):
                attributes[path.root][path.name] = self._value(model, slot)
        return Chosen(
            hour=_number(model, self._hour),
            weekday=_number(model, self._weekday),
            year=_number(model, self._year),
            region=None if region == NOWHERE else self._regions[region],
            usage=_count(model, self._usage),
            rate=_count(model, self._rate),
            attributes=Map(attributes[Root.CONTEXT]),
            action_properties=Map(attributes[Root.ACTION]),
            located=_true(model, self._located),
            within=frozenset(one for one in self.circles if _true(model, self._inside[one])),
        )

    def elsewhere(self, chosen: Chosen) -> z3.BoolRef:
        """Return that the context lies in other circles than those chosen."""
        same = [
            inside if one in chosen.within else z3.Not(inside)
            for one, inside in self._inside.items()
        ]
        return z3.Not(z3.And(self._located, *same))

    def _legal(self) -> Iterable[z3.BoolRef]:
        yield z3.And(self._hour >= 0, self._hour < HOURS_PER_DAY)
        yield z3.And(self._weekday >= 0, self._weekday < DAYS_PER_WEEK)
        yield z3.And(self._year >= YEAR_MIN, self._year <= YEAR_MAX)
        yield z3.And(self._region >= NOWHERE, self._region < len(self._regions))
        for count in (self._usage, self._rate):
            yield z3.And(count >= NOWHERE, count <= INTEGER_MAX)
        for slot in self._slots.values():
            yield z3.And(slot.type >= 0, slot.type < len(TYPES))
            yield z3.And(slot.number >= INTEGER_MIN, slot.number <= INTEGER_MAX)
            yield z3.And(slot.text >= 0, slot.text < len(self._texts))
        for one, inside in self._inside.items():
            yield z3.Implies(inside, self._located)
            if is_everywhere(one):
                yield z3.Implies(self._located, inside)
        for fact in facts_of(self.circles):
            if isinstance(fact, Apart):
                yield z3.Not(z3.And(self._inside[fact.one], self._inside[fact.other]))
            else:
                yield z3.Implies(self._inside[fact.inner], self._inside[fact.outer])

    def _term(self, formula: Formula) -> z3.BoolRef:
        match formula:
            case Not(part):
                return z3.Not(self._term(part))
            case AllOf(parts):
                return z3.And([self._term(part) for part in parts])
            case AnyOf(parts):
                return z3.Or([self._term(part) for part in parts])
            case AtLeast(least, weighted):
                counted = [z3.If(self._term(part), weight, 0) for weight, part in weighted]
                return z3.Sum([z3.IntVal(0), *counted]) >= least
            case _:
                return self._met(formula)

    def _met(self, condition: Condition) -> z3.BoolRef:
        match condition:
            case TimeWindow(start, end, weekdays):
                days = z3.Or([self._weekday == day for day in sorted(weekdays)])
                return z3.And(self._hour >= start, self._hour < end, days)
            case GeoFence(regions):
                fenced = [i for i, region in enumerate(self._regions) if region in regions]
                return z3.Or([self._region == code for code in fenced])
            case GeoRadius():
                return self._inside[condition]
            case MaxUsage(limit):
                return z3.And(self._usage != NOWHERE, self._usage < limit)
            case RateLimit(per_minute):
                return z3.And(self._rate != NOWHERE, self._rate < per_minute)
            case Comparison(operator, left, right):
                return self._compared(operator, self._known(left), self._known(right))
            case _:
                assert_never(condition)

    def _compared(self, operator: Operator, left: Slot, right: Slot) -> z3.BoolRef:
        both = z3.And(left.there, right.there)
        if operator in ORDERING:
            numbers = z3.And(left.type == INT, right.type == INT)
            ordered = {
                Operator.LT: left.number < right.number,
                Operator.LE: left.number <= right.number,
                Operator.GT: left.number > right.number,
                Operator.GE: left.number >= right.number,
            }[operator]
            return z3.And(both, numbers, ordered)
        if operator is Operator.IN:
            types = z3.And(left.type == TEXT, right.type == TEXTS)
            member = z3.Or(
                [z3.And(left.text == code, inside) for code, inside in enumerate(right.members)]
            )
            return z3.And(both, types, member)
        alike = z3.And(left.type == right.type, *_equal(left, right))
        if operator is Operator.EQ:
            return z3.And(both, alike)
        return z3.And(both, left.type == right.type, z3.Not(alike))

    def _slot(self, i: int) -> Slot:
        return Slot(
            z3.Bool(f"there{i}"),
            z3.Int(f"type{i}"),
            z3.Bool(f"truth{i}"),
            z3.Int(f"number{i}"),
            z3.Int(f"text{i}"),
            tuple(z3.Bool(f"member{i}_{code}") for code in range(len(self._texts))),
        )

    def _known(self, term: Term) -> Slot:
        match term:
            case Literal(value):
                return self._constant(value)
            case ClockYear():
                return self._constant(0, number=self._year)
            case Path():
                return self._slots[term]
            case _:
                assert_never(term)

    def _constant(self, value: Value, *, number: z3.ArithRef | None = None) -> Slot:
        holds = value if isinstance(value, frozenset) else frozenset[str]()
        whole = value if type(value) is int else 0
        return Slot(
            z3.BoolVal(val=True),
            z3.IntVal(TYPES[type(value)]),
            z3.BoolVal(val=value is True),
            z3.IntVal(whole) if number is None else number,
            z3.IntVal(self._code[value] if isinstance(value, str) else 0),
            tuple(z3.BoolVal(val=text in holds) for text in self._texts),
        )

    def _value(self, model: z3.ModelRef, slot: Slot) -> Value:
        kind = _number(model, slot.type)
        if kind == BOOL:
            return _true(model, slot.truth)
        if kind == INT:
            return _number(model, slot.number)
        if kind == TEXT:
            return self._texts[_number(model, slot.text)]
        members = zip(self._texts, slot.members, strict=True)
        return frozenset(text for text, inside in members if _true(model, inside))


def _equal(left: Slot, right: Slot) -> Iterable[z3.BoolRef]:
    yield z3.Implies(left.type == BOOL, left.truth == right.truth)
    yield z3.Implies(left.type == INT, left.number == right.number)
    yield z3.Implies(left.type == TEXT, left.text == right.text)
    same = [ours == theirs for ours, theirs in zip(left.members, right.members, strict=True)]
    yield z3.Implies(left.type == TEXTS, z3.And(same))


def _regions(found: Iterable[Condition]) -> tuple[Region, ...]:
    named = {region for one in found if isinstance(one, GeoFence) for region in one.regions}
    return (*sorted(named), Region(fresh(STRANGER, named)))


def _paths(found: Iterable[Condition]) -> tuple[Path, ...]:
    sides = (side for one in found if isinstance(one, Comparison) for side in (one.left, one.right))
    return tuple(dict.fromkeys(side for side in sides if isinstance(side, Path)))


def _texts(found: Iterable[Condition], *, strangers: int) -> tuple[str, ...]:
    named = set[str]()
    for one in found:
        if isinstance(one, Comparison):
            for side in (one.left, one.right):
                named |= _texts_in(side)
    for _ in range(strangers):
        named.add(fresh(STRANGER, named))
    return tuple(sorted(named))


def _texts_in(term: Term) -> frozenset[str]:
    match term:
        case Literal(str() as text):
            return frozenset({text})
        case Literal(frozenset() as texts):
            return texts
        case _:
            return frozenset()


def _true(model: z3.ModelRef, term: z3.BoolRef) -> bool:
    return bool(z3.is_true(model.eval(term, model_completion=True)))


def _number(model: z3.ModelRef, term: z3.ArithRef) -> int:
    return int(model.eval(term, model_completion=True).as_long())


def _count(model: z3.ModelRef, term: z3.ArithRef) -> int | None:
    count = _number(model, term)
    return None if count == NOWHERE else count
