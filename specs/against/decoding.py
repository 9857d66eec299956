"""A model of the solver as values of the core: what the arguments of a function are in it."""

import enum
import typing
from collections.abc import Iterator
from typing import Any, Final

import z3
from immutables import Map

from specs.kernel.shapes import read_field
from specs.kernel.sorts import (
    VALUE_TYPE,
    Name,
    Object,
    Unsupported,
    Value,
    enum_sort,
    fields_of,
    sort_of,
    tag_is,
    union_members,
)
from specs.kernel.values import (
    Bag,
    Cases,
    Dict,
    Facts,
    Nothing,
    Seq,
    Symbolic,
    Term,
)

LENGTH_MAX: Final = 5
NUMBERS: Final = range(-1, 26)
"""The numbers asked for in a set of numbers: hours and weekdays are."""


class Undecodable(Exception):
    """The model gives a value that no value of the core is."""


class Decoder:
    """Reads values out of a model. Names that are no literals of the source are invented."""

    def __init__(self, model: z3.ModelRef, literals: dict[str, z3.ExprRef]) -> None:
        self._model = model
        self._texts = {str(self._eval(term)): text for text, term in literals.items()}
        universe = model.get_universe(Name) or ()
        for number, name in enumerate(universe):
            self._texts.setdefault(str(name), f"name{number}")
        self._names = {str(name): name for name in universe}

    def value(self, value: Symbolic) -> Any:
        """Return the value that the model gives to a symbolic one. Raises `Undecodable`."""
        match value:
            case Nothing():
                return None
            case Cases(items=items):
                return next((self.value(one) for guard, one in items if self._true(guard)), None)
            case Term():
                return self._term(value)
            case Bag():
                return frozenset(self._members(value))
            case Dict():
                return Map(self._pairs(value))
            case Seq(length=length, at=at):
                number = self._number(length)
                if not 0 <= number <= LENGTH_MAX:
                    raise Undecodable("a tuple of a length that none is made of")
                return tuple(self.value(at(z3.IntVal(place))) for place in range(number))
            case _:
                message = f"no value: {type(value).__name__}"
                raise Undecodable(message)

    def _eval(self, term: z3.ExprRef) -> z3.ExprRef:
        return self._model.eval(term, model_completion=True)

    def _true(self, condition: z3.BoolRef) -> bool:
        return bool(z3.is_true(self._eval(condition)))

    def _number(self, term: z3.ExprRef) -> int:
        found = self._eval(term)
        if not isinstance(found, z3.IntNumRef):
            raise Undecodable("a number that is none")
        return int(found.as_long())

    def _term(self, term: Term) -> Any:
        sort = term.expr.sort()
        if sort == Object:
            return self._object(term)
        if sort == Value:
            return self._attribute_value(term.expr)
        if sort == z3.BoolSort():
            return self._true(term.expr)
        if sort == z3.IntSort():
            return self._number(term.expr)
        if sort == Name:
            return self._name(term.expr, term.kind)
        return self._member(term)

    def _member(self, term: Term) -> enum.Enum:
        if isinstance(term.kind, type) and issubclass(term.kind, enum.Enum):
            for name, member in enum_sort(term.kind)[1].items():
                if self._true(term.expr == member):
                    return term.kind[name]
        raise Undecodable("a value of no enumeration")

    def _name(self, term: z3.ExprRef, kind: object) -> str:
        key = str(self._eval(term))
        text = self._texts.setdefault(key, f"name{len(self._texts)}")
        self._names.setdefault(key, self._eval(term))
        return kind(text) if isinstance(kind, type) and issubclass(kind, str) else text

    def _attribute_value(self, term: z3.ExprRef) -> Any:
        if self._true(Value.is_a_bool(term)):
            return self._true(Value.the_bool(term))
        if self._true(Value.is_an_int(term)):
            return self._number(Value.the_int(term))
        if self._true(Value.is_a_str(term)):
            return self._name(Value.the_str(term), str)
        return frozenset[str]()

    def _object(self, term: Term) -> Any:
        for kind in union_members(term.kind):
            if self._true(tag_is(term.expr, kind)):
                narrowed = Term(term.expr, kind)
                found = {
                    name: self.value(read_field(Facts(), narrowed, name))
                    for name in fields_of(kind)
                }
                cls: Any = typing.get_origin(kind) or kind
                try:
                    return cls(**found)
                except ValueError as refused:
                    raise Undecodable(str(refused)) from refused
        raise Undecodable("an object of no class")

    def _candidates(self, kind: object) -> Iterator[z3.ExprRef]:
        if kind is int:
            yield from map(z3.IntVal, NUMBERS)
        elif kind != VALUE_TYPE and sort_of(kind) == Name:
            yield from tuple(self._names.values())
        else:
            raise Undecodable("a set of what cannot be listed")

    def _members(self, bag: Bag) -> Iterator[Any]:
        drawn = bag.draw()
        if not isinstance(drawn.value, Term) or bag.has is None:
            raise Undecodable("a set of what is computed")
        kind = drawn.value.kind
        for one in self._candidates(kind):
            if self._true(bag.has(Term(one, kind))):
                yield self.value(Term(one, kind))

    def _pairs(self, mapping: Dict) -> Iterator[tuple[Any, Any]]:
        for one in self._candidates(mapping.key_kind):
            if self._true(mapping.has(one)):
                yield self.value(Term(one, mapping.key_kind)), self.value(mapping.get(one))


def decoded(
    model: z3.ModelRef, literals: dict[str, z3.ExprRef], arguments: dict[str, Symbolic]
) -> dict[str, Any]:
    """Return the arguments in a model, by name. Raises `Undecodable`."""
    decoder = Decoder(model, literals)
    try:
        return {name: decoder.value(value) for name, value in arguments.items()}
    except (Unsupported, ValueError, TypeError, z3.Z3Exception) as problem:
        raise Undecodable(str(problem)) from problem
