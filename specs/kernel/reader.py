"""Reads expressions: one method a construct, chosen by the class of the syntax node."""

import ast
import builtins
import enum
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import z3

from specs.kernel import expressions as of
from specs.kernel import membership
from specs.kernel.expressions import Frame, Ref
from specs.kernel.shapes import read_field
from specs.kernel.sorts import Name, Unsupported
from specs.kernel.source import Source
from specs.kernel.values import (
    Cases,
    Dict,
    Facts,
    Made,
    Nothing,
    Term,
    cases,
    coerce,
)

Found = typing.TypeVar("Found")


def unsupported(node: ast.AST, frame: Frame, why: str = "") -> Unsupported:
    """Return the error that names a place in the source and what is written there."""
    line = getattr(node, "lineno", 0)
    return Unsupported(f"{frame.module}:{line}: {why}{ast.unparse(node)}")


class Reader(ABC):
    """Expressions in a frame to symbolic values; how to call a function is the interpreter's."""

    source: Source
    facts: Facts
    among: int = 0
    """Under how many variables it is read of which each stands for many values."""

    @abstractmethod
    def invoke(
        self, function: types.FunctionType, args: Sequence[typing.Any], when: z3.BoolRef
    ) -> typing.Any:
        """Return what a production function gives; the interpreter knows how."""

    def read(self, node: ast.expr, frame: Frame) -> typing.Any:
        """Return what the expression denotes."""
        method = getattr(self, f"read_{type(node).__name__}", None)
        if method is None:
            raise unsupported(node, frame)
        return method(node, frame)

    def condition(self, node: ast.expr, frame: Frame) -> z3.BoolRef:
        """Return what the expression denotes as a condition: a bool, or a mapping with keys."""
        value = self.read(node, frame)
        if isinstance(value, Term) and z3.is_bool(value.expr):
            return value.expr
        if isinstance(value, Dict):
            return z3.Not(membership.is_empty(value))
        raise unsupported(node, frame, "truth of what is no bool: ")

    def owe(self, what: str, frame: Frame, goal: z3.BoolRef) -> None:
        """Record a condition that the path must establish."""
        self.facts.owed.append((what, z3.Implies(frame.when, goal)))

    @contextmanager
    def one_of_many(self) -> Iterator[None]:
        """Read under one more variable that stands for many values."""
        self.among += 1
        try:
            yield
        finally:
            self.among -= 1

    def again(self, reading: Callable[[], Found]) -> Callable[[], Found]:
        """Return the reading repeated: with new variables, owing nothing that is not owed yet."""

        def repeat() -> Found:
            owed = len(self.facts.owed)
            found = reading()
            del self.facts.owed[owed:]
            return found

        return repeat

    # ------------------------------------------------------------ names and fields

    def read_Constant(self, node: ast.Constant, _frame: Frame) -> typing.Any:
        """A literal of the language."""
        if isinstance(node.value, float | complex | bytes) or node.value is Ellipsis:
            message = f"constant {node.value!r}"
            raise Unsupported(message)
        return of.constant_value(node.value, self.facts)

    def read_Name(self, node: ast.Name, frame: Frame) -> typing.Any:
        """A variable, a global of the module, or a builtin."""
        if node.id in frame.env:
            return frame.env[node.id]
        module = self.source.module(frame.module)
        if hasattr(module, node.id):
            return self.constant(getattr(module, node.id))
        if hasattr(builtins, node.id):
            return Ref(getattr(builtins, node.id))
        raise unsupported(node, frame, "unknown name ")

    def constant(self, value: object) -> typing.Any:
        """Return a global of the production module."""
        if isinstance(value, type | types.FunctionType | types.UnionType):
            return Ref(value)
        return of.constant_value(value, self.facts)

    def read_JoinedStr(self, node: ast.JoinedStr, frame: Frame) -> Term:
        """A formatted string: a function of its parts."""
        template = ""
        parts: list[z3.ExprRef] = []
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                if value.conversion != -1 or value.format_spec is not None:
                    raise unsupported(node, frame)
                template += "{}"
                parts.append(coerce(self.read(value.value, frame), Name))
            elif isinstance(value, ast.Constant):
                template += str(value.value)
        formatted = z3.Function(f"format {template}", *(part.sort() for part in parts), Name)
        return Term(formatted(*parts), str)

    def read_Attribute(self, node: ast.Attribute, frame: Frame) -> typing.Any:
        """A field, or what a test has narrowed it to."""
        narrowed = frame.env.get(ast.unparse(node))
        if narrowed is not None:
            return narrowed
        return self.field(self.read(node.value, frame), node.attr, frame)

    def field(self, value: typing.Any, name: str, frame: Frame) -> typing.Any:
        """Return a field or a property of a value; owed where it might be nothing."""
        if isinstance(value, Cases):
            parts = []
            for guard, item in value.items:
                if isinstance(item, Nothing):
                    self.owe(f"`.{name}` of something, not nothing", frame, z3.Not(guard))
                else:
                    parts.append((guard, self.field(item, name, frame.under(guard))))
            return cases(*parts)
        if isinstance(value, Ref):
            return self.constant(getattr(value.target, name))
        if not isinstance(value, Term | Made):
            message = f"field `{name}` of {type(value).__name__}"
            raise Unsupported(message)
        return self.object_field(value, name, frame)

    def object_field(self, value: Term | Made, name: str, frame: Frame) -> typing.Any:
        """Return a field or a property of an object."""
        kind = membership.class_of(value)
        member = getattr(kind, name, None) if isinstance(kind, type) else None
        if isinstance(member, property):
            getter = typing.cast(types.FunctionType, member.fget)
            return self.invoke(getter, [value], frame.when)
        if isinstance(value, Made):
            if name not in value.fields:
                message = f"field `{name}` of {kind}"
                raise Unsupported(message)
            return value.fields[name]
        if isinstance(value.kind, type) and issubclass(value.kind, enum.Enum):
            return value
        own = Facts()
        read = read_field(own, value, name)
        for what, goal in own.owed:
            self.owe(what, frame, goal)
        return read
