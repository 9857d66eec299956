"""A frozen value like another but for some of its fields: with that every change begins.

`dataclasses.replace` makes the value anew, field by field, through its constructor. Of twenty
fields of an organization nineteen stay, with every fact: here they are taken over at once, which
takes a tenth of the time. And of a million principals most differ in nothing but their ids.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import fields
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeVar

Like = TypeVar("Like")


def each_like(pattern: Like, name: str, values: Sequence[object]) -> list[Like]:
    """Return for each of the values what is like the pattern, but has the value in that field.

    In a third of the time that its constructor takes. The pattern's class is a data class with
    `__slots__`, which makes nothing of that field and refuses no such value of it.
    """
    cls: Any = type(pattern)
    made = list(map(object.__new__, repeat(cls, len(values))))
    for field in fields(cls):
        column = values if field.name == name else repeat(getattr(pattern, field.name))
        put: Callable[[object, object], None] = getattr(cls, field.name).__set__
        deque(map(put, made, column), maxlen=0)
    return made


if TYPE_CHECKING:
    # For a type checker it is the same: the fields must be there, and have the right types.
    from dataclasses import replace as replace  # noqa: PLC0414 - so it is known as ours, too
else:
    Value = TypeVar("Value")

    def replace(value: Value, **fields: object) -> Value:
        """Return a value that has these fields, and else those of the value.

        The value's class has no `__slots__`, and needs no check of the fields that are given: what
        its constructor refuses must not come about.
        """
        made = object.__new__(type(value))
        vars(made).update(vars(value), **fields)
        return made
