"""Which Z3 sort stands for which Python type, and which function for which field.

Every id and every string is a `Name`; every frozen dataclass an `Object` with a tag that says which
class; attribute values are a datatype of their own. A field is a function of its object, so that a
proof holds for any number of objects. The shapes come from the production annotations.
"""

import dataclasses
import enum
import types
import typing
from collections.abc import Callable
from functools import cache
from typing import Final

import z3

z3.z3.Z3_DEBUG = False
"""Z3 checks the sorts itself; that its wrapper checks them first costs a fifth of the reading."""


def _remembered(wrapped: Callable[[z3.Sort, z3.Context], z3.SortRef]) -> typing.Any:
    """Return what wraps a sort of Z3, doing so once: a sort that is kept keeps its address."""
    known: dict[int, z3.SortRef] = {}
    main = z3.main_ctx()

    def wrap(sort: z3.Sort, context: z3.Context) -> z3.SortRef:
        if context is not main:
            return wrapped(sort, context)
        if sort.value not in known:
            known[sort.value] = wrapped(sort, context)
        return known[sort.value]

    return wrap


z3.z3._to_sort_ref = _remembered(z3.z3._to_sort_ref)  # noqa: SLF001 - its wrapper's only way in
"""There are a dozen sorts, asked for at every step; to wrap each anew is a fifth of the reading."""

Name: Final = z3.DeclareSort("Name")
Object: Final = z3.DeclareSort("Object")
FrozenStrings: Final = z3.DeclareSort("FrozenStrings")
TAG: Final = z3.Function("tag", Object, z3.IntSort())
IN_STRINGS: Final = z3.Function("in", Name, FrozenStrings, z3.BoolSort())


def _value_sort() -> z3.DatatypeSortRef:
    value = z3.Datatype("Value")
    value.declare("a_bool", ("the_bool", z3.BoolSort()))
    value.declare("an_int", ("the_int", z3.IntSort()))
    value.declare("a_str", ("the_str", Name))
    value.declare("a_frozenset", ("the_frozenset", FrozenStrings))
    return value.create()


Value: Final = _value_sort()
VALUE_TYPE: Final = bool | int | str | frozenset[str]
VALUE_CASES: Final = {bool: "a_bool", int: "an_int", str: "a_str", frozenset: "a_frozenset"}


class Unsupported(TypeError):
    """The source says something that the translation does not know: the gate fails closed."""


def sort_of(kind: object) -> z3.SortRef:
    """Return the sort of a Python type's values."""
    if isinstance(kind, typing.TypeVar):
        return Name
    if typing.get_origin(kind) is typing.Literal:
        return sort_of(type(typing.get_args(kind)[0]))
    if kind is bool:
        return z3.BoolSort()
    if kind is int:
        return z3.IntSort()
    if kind == VALUE_TYPE:
        return Value
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return enum_sort(kind)[0]
    if isinstance(kind, type) and issubclass(kind, str):
        return Name
    if is_object(kind):
        return Object
    message = f"no sort for {kind}"
    raise Unsupported(message)


@cache
def enum_sort(kind: type[enum.Enum]) -> tuple[z3.SortRef, dict[str, z3.ExprRef]]:
    """Return the sort of an enumeration and its members by name."""
    names = [member.name for member in kind]
    sort, members = z3.EnumSort(kind.__name__, [f"{kind.__name__}.{name}" for name in names])
    return sort, dict(zip(names, members, strict=True))


def is_object(kind: typing.Any) -> bool:
    """Return whether the type is a dataclass or a union of dataclasses."""
    members = union_members(kind)
    return all(dataclasses.is_dataclass(typing.get_origin(member) or member) for member in members)


def union_members(kind: object) -> tuple[object, ...]:
    """Return the members of a union, or the type itself."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return typing.get_args(kind)
    return (kind,)


def optional_of(kind: object) -> object | None:
    """Return what is optional in `X | None`, or nothing when nothing is."""
    members = union_members(kind)
    if type(None) not in members:
        return None
    rest = [member for member in members if member is not type(None)]
    return typing.Union[tuple(rest)] if len(rest) > 1 else rest[0]  # noqa: UP007 - made here


@cache
def tag_number(cls: type) -> int:
    """Return the number that says that an object is of the class."""
    return _TAGS.setdefault(f"{cls.__module__}.{cls.__qualname__}", len(_TAGS))


_TAGS: dict[str, int] = {}


def tag_is(term: z3.ExprRef, cls: object) -> z3.BoolRef:
    """Return whether the object is of the class."""
    origin = typing.get_origin(cls) or cls
    if not isinstance(origin, type):
        message = f"not a class: {cls}"
        raise Unsupported(message)
    return TAG(term) == tag_number(origin)


def typed(term: z3.ExprRef, kind: object) -> z3.BoolRef:
    """Return what the type says of a term: that an object is of one of its classes."""
    if term.sort() != Object:
        return z3.BoolVal(True)
    return z3.Or([tag_is(term, member) for member in union_members(kind)])


@cache
def fields_of(kind: object) -> dict[str, object]:
    """Return the annotated type of each field, type variables replaced.

    A field that the class derives itself is left out: it follows from the others, and so does
    equality with it. The source may not read it of what it makes.
    """
    return {name: of for name, (of, derived) in _every_field(kind).items() if not derived}


@cache
def readable_of(kind: object) -> dict[str, object]:
    """Return the annotated types of all fields: what a class derives is so of the object it is."""
    return {name: of for name, (of, _) in _every_field(kind).items()}


@cache
def _every_field(kind: object) -> dict[str, tuple[object, bool]]:
    origin = typing.get_origin(kind) or kind
    hints = typing.get_type_hints(origin)
    bound = dict(zip(getattr(origin, "__parameters__", ()), typing.get_args(kind), strict=False))
    declared = dataclasses.fields(typing.cast(type, origin))
    return {one.name: (substitute(hints[one.name], bound), not one.init) for one in declared}


def substitute(kind: typing.Any, bound: dict[object, object]) -> object:
    """Return the type with its variables replaced."""
    if kind in bound:
        return bound[kind]
    if not typing.get_args(kind) or not bound:
        return kind
    args = tuple(substitute(arg, bound) for arg in typing.get_args(kind))
    copied = getattr(kind, "copy_with", None)
    return typing.get_origin(kind)[args] if copied is None else copied(args)
