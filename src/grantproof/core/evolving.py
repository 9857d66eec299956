"""A frozen value like another but for some of its fields: with that every change begins.

`dataclasses.replace` makes the value anew, field by field, through its constructor. Of twenty
fields of an organization nineteen stay, with every fact: here they are taken over at once, which
takes a tenth of the time.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # For a type checker it is the same: the fields must be there, and have the right types.
    from dataclasses import replace as replace  # noqa: PLC0414 - so it is known as ours, too
else:
    from typing import TypeVar

    Value = TypeVar("Value")

    def replace(value: Value, **fields: object) -> Value:
        """Return a value that has these fields, and else those of the value.

        The value's class has no `__slots__`, and needs no check of the fields that are given: what
        its constructor refuses must not come about.
        """
        made = object.__new__(type(value))
        vars(made).update(vars(value), **fields)
        return made
