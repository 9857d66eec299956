"""Symbolic values as definitions like to read them: fields by name, sets by membership."""

import typing

import z3

from specs.kernel.membership import contains, drawn
from specs.kernel.shapes import read_field
from specs.kernel.sorts import Name, Unsupported, Value
from specs.kernel.values import (
    Cases,
    Dict,
    Drawn,
    Facts,
    Made,
    Nothing,
    Symbolic,
    Term,
    cases,
    coerce,
    where_there,
)


class View:
    """A symbolic value; `.field` reads a field, `()` gives the term, `has` asks for a member."""

    def __init__(self, value: typing.Any) -> None:
        self.value = value

    def __getattr__(self, name: str) -> "View":
        if isinstance(self.value, Made):
            return View(self.value.fields[name])
        if isinstance(self.value, Cases):
            there = where_there(self.value)
            return View(cases(*((g, View(item).field(name).value) for g, item in there)))
        return View(read_field(Facts(), self.value, name))

    def field(self, name: str) -> "View":
        """Return a field whose name is also one of a view's own."""
        return self.__getattr__(name)

    def __call__(self) -> z3.ExprRef:
        """Return the term; of something optional, what it is when it is there."""
        if isinstance(self.value, Cases):
            there = where_there(self.value)
            return coerce(Cases(there), View(there[0][1])().sort())
        if not isinstance(self.value, Term):
            message = f"no term: {type(self.value).__name__}"
            raise Unsupported(message)
        return self.value.expr

    @property
    def there(self) -> z3.BoolRef:
        """Whether it is something, not nothing."""
        if not isinstance(self.value, Cases):
            return z3.BoolVal(not isinstance(self.value, Nothing))
        nothing = [guard for guard, item in self.value.items if isinstance(item, Nothing)]
        return z3.Not(z3.Or(nothing))

    @property
    def value_when_there(self) -> typing.Any:
        """The value of something optional, supposing that it is there."""
        if not isinstance(self.value, Cases):
            return self.value
        return where_there(self.value)[0][1]

    def has(self, term: typing.Any, kind: object = str) -> z3.BoolRef:
        """Return whether a set has the member, or a mapping the key."""
        value = term if isinstance(term, Term | Cases | Nothing) else Term(term, kind)
        return contains(self.value, value)

    def at(self, term: z3.ExprRef) -> "View":
        """Return what a mapping gives for the key."""
        return View(typing.cast(Dict, self.value).get(term))

    def any_of(self) -> Drawn:
        """Return an arbitrary element."""
        return drawn(self.value)

    def when(self, kind: object) -> "View":
        """Return the object as one of the class, which the caller has made sure of."""
        return View(Term(self(), kind))


def as_value(value: Symbolic) -> z3.ExprRef:
    """Return a plain value as an attribute value."""
    return coerce(value, Value)


def literal(text: str) -> z3.ExprRef:
    """Return the name that the text is, the same as the source's."""
    return z3.Const(f"'{text}'", Name)
