"""Mechanical mutants of what is proved: one comparison, connective or quantifier changed.

Each must be refuted by what is proved of the function that it changes, or be listed as equivalent
with the reason; a survivor is a hole in a definition. `python -m specs.mutants` prints killed and
total.
"""

import ast
import copy
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

from specs.definitions.registry import REGISTRY
from specs.kernel.source import Source
from specs.run import PROCESSES, verdict

COMPARISONS: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}


@dataclass(frozen=True)
class Mutant:
    """A changed module: what was changed in which function, and the text that results."""

    module: str
    function: str
    change: str
    text: str


def mutants(source: Source, module: str, function: str) -> Iterator[Mutant]:
    """Yield every mutant of the function."""
    tree = ast.parse(source.text(module))
    target = find(tree, function)
    annotations = {id(node) for node in annotated(target)}
    for position, node in enumerate(ast.walk(target)):
        if id(node) in annotations:
            continue
        for change, mutated in changes(node):
            twin = copy.deepcopy(tree)
            place = list(ast.walk(find(twin, function)))[position]
            for field, value in ast.iter_fields(mutated):
                setattr(place, field, value)
            line = getattr(node, "lineno", 0)
            yield Mutant(module, function, f"line {line}: {change}", ast.unparse(twin))


def annotated(function: ast.AST) -> Iterator[ast.AST]:
    """Yield every node of a type: a changed type changes nothing that runs."""
    for node in ast.walk(function):
        for field in ("annotation", "returns"):
            if isinstance(kind := getattr(node, field, None), ast.AST):
                yield from ast.walk(kind)


def find(tree: ast.Module, function: str) -> ast.AST:
    """Return a function or method of the tree by its dotted name."""
    scope: ast.AST = tree
    for part in function.split("."):
        inside = ast.iter_child_nodes(scope)
        scope = next(node for node in inside if getattr(node, "name", "") == part)
    return scope


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield each way to change a node, in words, and the changed node."""
    for changed in changed_nodes(node):
        yield f"{ast.unparse(node)} -> {ast.unparse(changed)}", changed


def changed_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a node is changed to."""
    match node:
        case ast.Compare(left=left, ops=operators, comparators=comparators):
            for index, operator in enumerate(operators):
                for other in COMPARISONS.get(type(operator), ()):
                    changed = [*operators[:index], other(), *operators[index + 1 :]]
                    yield ast.Compare(left, changed, comparators)
        case ast.BoolOp(op=connective, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(connective, ast.And) else ast.And(), values)
        case ast.Call(func=ast.Name(id="all" | "any" as name), args=args):
            yield ast.Call(ast.Name("any" if name == "all" else "all"), args, [])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), operand))
        case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as connective, right=right):
            other_set = ast.BitOr() if isinstance(connective, ast.BitAnd) else ast.BitAnd()
            yield ast.BinOp(left, other_set, right)
        case ast.Return(value=ast.Constant(value=bool() as value)):
            yield ast.Return(ast.Constant(not value))
        case _:
            return


def all_mutants() -> Iterator[Mutant]:
    """Yield every mutant of every function that is proved."""
    for entry in REGISTRY.values():
        yield from mutants(Source(), entry.function.__module__, entry.function.__qualname__)


def killed(mutant: Mutant) -> str:
    """Return by which verdict the mutant is found out, or nothing."""
    patches = {mutant.module: mutant.text}
    result = verdict(f"{mutant.module}.{mutant.function}", patches, seeds=(0,))
    return "" if result.holds else result.verdict


def main() -> int:
    """Try every mutant; return 0 only when those that survive are the equivalent ones."""
    every = list(all_mutants())
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        found = list(pool.map(killed, every))
    alive = [mutant for mutant, how in zip(every, found, strict=True) if not how]
    for mutant in alive:
        reason = EQUIVALENT.get((mutant.function, mutant.change.partition(": ")[2]), "SURVIVED")
        sys.stdout.write(f"{mutant.module}.{mutant.function} {mutant.change}\n    {reason}\n")
    sys.stdout.write(f"{len(every) - len(alive)} killed of {len(every)}\n")
    return 0 if all(_known(mutant) for mutant in alive) else 1


def _known(mutant: Mutant) -> bool:
    return (mutant.function, mutant.change.partition(": ")[2]) in EQUIVALENT


EQUIVALENT: Final[dict[tuple[str, str], str]] = {}
"""Mutants that mean the same, by function and change, each with the reason."""


if __name__ == "__main__":
    raise SystemExit(main())
