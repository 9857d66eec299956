"""What is empty once it was drawn from: to the proofs a collection, to Python only the first time.

So a function that may draw twice from such a thing is not read at all. What it may be is told by
types, which are checked elsewhere: a parameter that is any iterable may be a generator.
"""

import ast
import itertools
import typing
from collections.abc import Generator, Iterable, Iterator
from functools import cache
from types import FunctionType
from typing import Final

from specs.kernel.sorts import Unsupported

MAY_RUN_OUT: Final = (Generator, Iterable, Iterator)
RUNNING_OUT: Final = (enumerate, filter, iter, map, reversed, zip, itertools.pairwise)
Repeated = tuple[int, ...]
"""The loops around a place, by identity, from the outside in: what stands in them is read often."""


@cache
def check_drawn_once(node: ast.FunctionDef, function: FunctionType) -> None:
    """Raise `Unsupported` where the function may draw twice from what is empty the second time."""
    reads: dict[str, list[Repeated]] = {}
    places: dict[int, Repeated] = {}
    for inner, around in within(node.body, ()):
        places[id(inner)] = around
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
            reads.setdefault(inner.id, []).append(around)
    for name, bound in running_out(node, function, places).items():
        read = reads.get(name, [])
        if len(read) > 1 or any(around != bound[: len(around)] for around in read):
            where = f"{function.__module__}.{function.__qualname__}"
            message = f"{where}: `{name}` may be empty when it is drawn from again"
            raise Unsupported(message)


def running_out(
    node: ast.FunctionDef, function: FunctionType, places: dict[int, Repeated]
) -> dict[str, Repeated]:
    """Return the names of what can be drawn from once, each with where it is bound."""
    hints = typing.get_type_hints(function)
    named: dict[str, Repeated] = {
        name: () for name, kind in hints.items() if name != "return" and may_run_out(kind)
    }
    for inner in ast.walk(node):
        match inner:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value):
                lazy = runs_out(value, function, named)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                lazy = runs_out(value, function, named)
            case _:
                continue
        if lazy:
            named[name] = places[id(inner)]
    return named


def runs_out(value: ast.expr, function: FunctionType, named: typing.Container[str]) -> bool:
    """Return whether what is bound may be empty once it was drawn from."""
    match value:
        case ast.GeneratorExp():
            return True
        case ast.Name(id=name):
            return name in named
        case ast.IfExp(body=one, orelse=other):
            return runs_out(one, function, named) or runs_out(other, function, named)
        case ast.Call(func=ast.Name(id=name)):
            return gives_once(function.__globals__.get(name), name)
        case ast.Call(func=ast.Attribute(attr=name)):
            classes = (one for one in function.__globals__.values() if isinstance(one, type))
            return any(gives_once(vars(one).get(name), name) for one in classes)
        case _:
            return False


def gives_once(target: object, name: str) -> bool:
    """Return whether a call of the target, or of the builtin of that name, runs out."""
    if isinstance(target, FunctionType):
        return may_run_out(typing.get_type_hints(target).get("return"))
    return target in RUNNING_OUT or name in {one.__name__ for one in RUNNING_OUT}


def may_run_out(kind: object) -> bool:
    """Return whether a value of the type may be an iterator."""
    return kind in MAY_RUN_OUT or typing.get_origin(kind) in MAY_RUN_OUT


def within(nodes: Iterable[ast.AST], around: Repeated) -> Iterator[tuple[ast.AST, Repeated]]:
    """Yield every node inside, with the loops around it."""
    for node in nodes:
        yield node, around
        again = (*around, id(node))
        match node:
            case ast.For(target=target, iter=over, body=body, orelse=after):
                yield from within((over, *after), around)
                yield from within((target, *body), again)
            case ast.While(test=test, body=body):
                yield from within((test, *body), again)
            case ast.GeneratorExp() | ast.ListComp() | ast.SetComp():
                first = node.generators[0]
                yield from within((first.iter,), around)
                parts = [part for part in ast.iter_child_nodes(node) if part is not first]
                yield from within((first.target, *first.ifs, *parts), again)
            case _:
                yield from within(ast.iter_child_nodes(node), around)
