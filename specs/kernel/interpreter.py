"""Runs functions of the source on symbolic values: every path, each under its condition.

Statements split paths; a call takes the callee's contract, or runs the callee's own source.
"""

import ast
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import FunctionType

import z3
from typing_extensions import override

from specs.kernel import membership
from specs.kernel.drawing import check_drawn_once
from specs.kernel.expressions import Frame
from specs.kernel.loops import Invariant, Loops
from specs.kernel.sorts import VALUE_TYPE, Unsupported, Value, optional_of, union_members
from specs.kernel.source import Source
from specs.kernel.statements import Path
from specs.kernel.values import (
    FALSE,
    NOTHING,
    TRUE,
    Bag,
    Cases,
    Facts,
    Items,
    Nothing,
    Term,
    cases,
    coerce,
    where_there,
)

Contract = Callable[..., typing.Any]


@dataclass
class Interpreter(Loops):
    """The production source under symbolic execution. `contracts` stand for their functions."""

    source: Source
    facts: Facts = field(default_factory=Facts)
    contracts: dict[str, Contract] = field(default_factory=dict)
    invariants: dict[tuple[str, int], Invariant] = field(default_factory=dict)
    among: int = 0

    @override
    def invoke(
        self, function: FunctionType, args: Sequence[typing.Any], when: z3.BoolRef
    ) -> typing.Any:
        """Return what a call gives: the contract's word, or the outcome of its own source."""
        name = f"{function.__module__}.{function.__qualname__}"
        if name in self.contracts:
            return self.contracts[name](self, when, *args)
        return self.run(function, args, when)

    def run(
        self, function: FunctionType, args: Sequence[typing.Any], when: z3.BoolRef
    ) -> typing.Any:
        """Return the outcome of a function's own source on the arguments, in declared order."""
        paths = self.paths(function, args, when)
        node = self.source.function(function.__module__, function.__qualname__)
        for path in paths:
            if path.raised and not path.excluded:
                self.owe("a call that does not raise", path.frame, FALSE)
        if yields(node):
            return gathered([item for path in paths for item in path.yielded])
        hint = hints_of(function)["return"]
        if type(None) not in {hint, *union_members(hint)}:
            for path in paths:
                if path.open:
                    self.owe("an end that cannot be reached", path.frame, FALSE)
            paths = [path for path in paths if not path.open]
        outcomes = [(path.taken, path.returned) for path in paths if not path.raised]
        return cases(*((taken, NOTHING if value is None else value) for taken, value in outcomes))

    def paths(
        self, function: FunctionType, args: Sequence[typing.Any], when: z3.BoolRef = TRUE
    ) -> list[Path]:
        """Return every path through the function."""
        module, qualified = function.__module__, function.__qualname__
        self.source.used.add(f"{module}.{qualified}")
        node = self.source.function(module, qualified)
        check_drawn_once(node, function)
        declared = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        names = [argument.arg for argument in declared]
        if len(names) != len(args):
            message = f"{module}.{qualified}: {len(args)} arguments for {names}"
            raise Unsupported(message)
        hints = hints_of(function)
        env = {
            name: self.given(value, hints.get(name), f"{qualified}: `{name}`", when=when)
            for name, value in zip(names, args, strict=True)
        }
        return self.block(node.body, [Path(Frame(module, env, when, qualified))])

    def given(self, value: typing.Any, kind: object, what: str, *, when: z3.BoolRef) -> typing.Any:
        """Return the argument as the parameter takes it: nothing only if it may be nothing."""
        if kind is not None and VALUE_TYPE in {kind, optional_of(kind)}:
            value = as_attribute_value(value)
        if not isinstance(value, Cases) or kind is None or optional_of(kind) is not None:
            return value
        nothing = [guard for guard, item in value.items if isinstance(item, Nothing)]
        if nothing:
            goal = z3.Implies(when, z3.Not(z3.Or(nothing)))
            self.facts.owed.append((f"{what} is something, not nothing", goal))
        rest = where_there(value)
        if kind == VALUE_TYPE:
            return Term(coerce(Cases(rest), Value), VALUE_TYPE)
        return rest[0][1] if len(rest) == 1 else cases(*rest)


@cache
def hints_of(function: FunctionType) -> dict[str, object]:
    """Return the types of a function's parameters and result, which nobody changes."""
    return typing.get_type_hints(function)


@cache
def yields(node: ast.FunctionDef) -> bool:
    """Return whether a function is a generator."""
    return any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(node))


def gathered(parts: list[tuple[z3.BoolRef, typing.Any]]) -> Bag | Items:
    """Return everything that a generator yields, whichever path yields it."""
    if len(parts) == 0:
        return Items(())
    return Bag(lambda: membership.drawn_from_any(parts))


def as_attribute_value(value: typing.Any) -> typing.Any:
    """Return a boolean, number or string as the attribute value that it is."""
    if isinstance(value, Cases):
        return cases(*((guard, as_attribute_value(item)) for guard, item in value.items))
    return value if isinstance(value, Nothing) else Term(coerce(value, Value), VALUE_TYPE)
