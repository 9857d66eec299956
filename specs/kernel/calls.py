"""Reads calls: functions, constructors and methods of the production classes."""

import ast
import dataclasses
import itertools
import typing
from types import FunctionType

from immutables import Map

from specs.kernel import expressions as of
from specs.kernel import membership
from specs.kernel.builtin import Builtins
from specs.kernel.expressions import Frame, Ref
from specs.kernel.reader import unsupported
from specs.kernel.values import (
    EMPTY_MAPPING,
    Dict,
    Items,
    Made,
    Term,
)

REPLACING: typing.Final = frozenset(
    {("dataclasses", "replace"), ("grantproof.core.evolving", "replace")}
)
"""What makes a value like another but for some fields: by names, in whichever revision it is.

The second is the first but for its speed, which `tests/unit/core/test_evolving.py` shows.
"""


def names_of(target: object) -> tuple[str, str]:
    """Return the module and the name of something that is called; empty where it has none."""
    return getattr(target, "__module__", ""), getattr(target, "__qualname__", "")


class Calls(Builtins):
    """Calls in a frame to symbolic values."""

    def read_Call(self, node: ast.Call, frame: Frame) -> typing.Any:
        """A call of a name or of a method."""
        if isinstance(node.func, ast.Attribute):
            return self.method(node, node.func, frame)
        target = self.read(node.func, frame)
        if not isinstance(target, Ref):
            raise unsupported(node, frame)
        return self.apply(target.target, node, frame)

    def apply(self, target: object, node: ast.Call, frame: Frame) -> typing.Any:
        """Return the value of a call of a named thing."""
        if names_of(target) in REPLACING:
            return self.call_replace(node, frame)
        if isinstance(target, FunctionType):
            return self.invoke(target, self.arguments(node, target, frame), frame.when)
        if target is Map:
            return EMPTY_MAPPING
        if isinstance(target, type) and dataclasses.is_dataclass(target):
            return self.construct(target, node, frame)
        if target is itertools.pairwise:
            return self.call_pairwise(node, frame)
        if isinstance(target, type) and issubclass(target, str):
            return self.read(node.args[0], frame)
        builtin = getattr(self, f"call_{getattr(target, '__name__', '?')}", None)
        if builtin is None:
            raise unsupported(node, frame)
        return builtin(node, frame)

    def arguments(self, node: ast.Call, target: FunctionType, frame: Frame) -> list[typing.Any]:
        """Return the arguments in the order of the callee's parameters."""
        declared = self.source.function(target.__module__, target.__qualname__).args
        names = [a.arg for a in (*declared.posonlyargs, *declared.args, *declared.kwonlyargs)]
        given = self.given_names(names, node, frame)
        if given.keys() != set(names):
            raise unsupported(node, frame, "not every argument of ")
        return [given[name] for name in names]

    def given_names(self, names: list[str], node: ast.Call, frame: Frame) -> dict[str, typing.Any]:
        """Return what a call gives to each name."""
        values = [item for value in node.args for item in self.positional(value, frame)]
        if len(values) > len(names):
            raise unsupported(node, frame)
        given = dict(zip(names, values, strict=False))
        return given | {word.arg or "**": self.read(word.value, frame) for word in node.keywords}

    def positional(self, value: ast.expr, frame: Frame) -> list[typing.Any]:
        """Return the arguments that an argument is: of a starred tuple, each of its elements."""
        if not isinstance(value, ast.Starred):
            return [self.read(value, frame)]
        items = self.read(value.value, frame)
        if not isinstance(items, Items):
            raise unsupported(value, frame)
        return list(items.values)

    def construct(self, target: type, node: ast.Call, frame: Frame) -> Made:
        """Return the instance that a constructor call makes."""
        names = [field.name for field in dataclasses.fields(target) if field.init]
        given = self.given_names(names, node, frame)
        if not given.keys() <= set(names):
            raise unsupported(node, frame)
        return of.constructed(target, given)

    def method(self, node: ast.Call, function: ast.Attribute, frame: Frame) -> typing.Any:
        """Return the value of a method call: a mapping's, or one of the production classes."""
        owner = self.read(function.value, frame)
        if isinstance(owner, Dict):
            return self.mapping_method(owner, node, frame)
        if isinstance(owner, Ref):
            return self.apply(getattr(owner.target, function.attr, None), node, frame)
        if not isinstance(owner, Term | Made):
            raise unsupported(node, frame)
        member = getattr(membership.class_of(owner), function.attr, None)
        if not isinstance(member, FunctionType):
            raise unsupported(node, frame)
        declared = self.source.function(member.__module__, member.__qualname__).args
        names = [a.arg for a in (*declared.args[1:], *declared.kwonlyargs)]
        given = self.given_names(names, node, frame)
        if given.keys() != set(names):
            raise unsupported(node, frame, "not every argument of ")
        return self.invoke(member, [owner, *(given[name] for name in names)], frame.when)
