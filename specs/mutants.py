"""Mechanical mutants of what decides: one comparison, connective or quantifier changed.

Every one of them in the modules, wherever it stands: the proofs must find each out, or it is listed
as equivalent, with the reason. A survivor is a hole in a definition, or code that no proof reads.
`python -m specs.mutants` prints killed and total, and those that survive by name.
"""

import argparse
import ast
import copy
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

from specs.gate.ratchets import TABLE, read_pins
from specs.kernel.source import Source
from specs.run import PROCESSES, verdict
from specs.theorems import readers, statements

MODULES: Final = tuple(
    f"grantproof.core.{name}" for name in ("constraints", "hierarchy", "duty", "policy")
)
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
SETS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Sub: ast.BitAnd,
}
SURVIVED: Final = "survived"


@dataclass(frozen=True)
class Mutant:
    """A changed module: in which function what was changed, and the text that results.

    `function` is empty for what stands in no function: no proof reads that.
    """

    module: str
    function: str
    change: str
    line: int
    text: str

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return f"{self.module}.{self.function or '<module>'} line {self.line}: {self.change}"


EQUIVALENT: Final[dict[tuple[str, str], str]] = {}
"""Mutants that mean the same, by function and change, each with the proof of it."""


def mutants(module: str, text: str) -> Iterator[Mutant]:
    """Yield every mutant of the module, in the order in which it is read."""
    tree = ast.parse(text)
    untouched = {id(node) for node in types_in(tree)}
    places = dict(functions(tree))
    for position, node in enumerate(ast.walk(tree)):
        if id(node) in untouched:
            continue
        for mutated in changed_nodes(node):
            twin = copy.deepcopy(tree)
            place = list(ast.walk(twin))[position]
            for field, value in ast.iter_fields(mutated):
                setattr(place, field, value)
            change = f"{ast.unparse(node).strip()} -> {ast.unparse(mutated).strip()}"
            function = places.get(id(node), "")
            yield Mutant(module, function, change, line_of(node), ast.unparse(twin))


def line_of(node: ast.AST) -> int:
    """Return the line that the node begins on."""
    return next(inner.lineno for inner in ast.walk(node) if isinstance(inner, ast.expr | ast.stmt))


def functions(scope: ast.AST, name: str = "") -> Iterator[tuple[int, str]]:
    """Yield, for every node inside a function, the function's dotted name."""
    for child in ast.iter_child_nodes(scope):
        match child:
            case ast.ClassDef():
                yield from functions(child, f"{name}{child.name}.")
            case ast.FunctionDef():
                yield from ((id(node), f"{name}{child.name}") for node in ast.walk(child))
            case _:
                yield from functions(child, name)


def types_in(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node of an annotation or an alias of types: to change one changes no decision."""
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if isinstance(kind := getattr(node, field, None), ast.AST):
                yield from ast.walk(kind)
        if isinstance(node, ast.Assign) and is_alias(node.value):
            yield from ast.walk(node.value)


def is_alias(value: ast.expr) -> bool:
    """Return whether the value is a union of named classes."""
    match value:
        case ast.Name(id=name):
            return name[:1].isupper() and not name.isupper()
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return is_alias(left) and is_alias(right)
        case _:
            return False


def changed_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what a node is changed to."""
    match node:
        case ast.Compare():
            yield from changed_comparisons(node)
        case ast.comprehension():
            yield from changed_filters(node)
        case ast.BoolOp(op=connective, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(connective, ast.And) else ast.And(), values)
        case ast.Call(func=ast.Name(id="all" | "any" as name), args=args):
            yield ast.Call(ast.Name("any" if name == "all" else "all"), args, [])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), operand))
        case ast.BinOp(left=left, op=connective, right=right) if type(connective) in SETS:
            yield ast.BinOp(left, SETS[type(connective)](), right)
        case ast.Return(value=ast.Constant(value=bool() as value)):
            yield ast.Return(ast.Constant(not value))
        case _:
            return


def changed_comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    """Yield the chain of comparisons with one of them changed."""
    for index, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            changed = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            yield ast.Compare(node.left, changed, node.comparators)


def changed_filters(node: ast.comprehension) -> Iterator[ast.AST]:
    """Yield the part of a comprehension with one condition turned round, where that is a call."""
    for index, test in enumerate(node.ifs):
        if isinstance(test, ast.Call):
            turned = [*node.ifs[:index], ast.UnaryOp(ast.Not(), test), *node.ifs[index + 1 :]]
            yield ast.comprehension(node.target, node.iter, turned, node.is_async)


def all_mutants() -> list[Mutant]:
    """Return every mutant of every module."""
    return [mutant for module in MODULES for mutant in mutants(module, Source().text(module))]


def killed(mutant: Mutant) -> str:
    """Return by which verdict of which theorem the mutant is found out, or that it survived.

    Asked first is the theorem that says what the function means, then all that read its source.
    """
    function = f"{mutant.module}.{mutant.function}"
    own = [function] if function in statements() else []
    return refuted(mutant, own) or refuted(mutant, read_by(function, own)) or SURVIVED


def read_by(function: str, besides: Iterable[str]) -> list[str]:
    """Return the theorems that read the function's source, but for those that were asked."""
    return [name for name in readers().get(function, ()) if name not in set(besides)]


def refuted(mutant: Mutant, theorems: Iterable[str]) -> str:
    """Return the first verdict on one of the theorems that is not `proved`, or nothing."""
    patches = {mutant.module: mutant.text}
    results = (verdict(name, patches, seeds=(0,)) for name in theorems)
    return next((f"{one.verdict} by {one.name}" for one in results if not one.holds), "")


def main(arguments: list[str] | None = None) -> int:
    """Try every mutant; return 0 only when those that survive are the equivalent ones."""
    parser = argparse.ArgumentParser(prog="python -m specs.mutants", description=__doc__)
    parser.add_argument("parts", nargs="*", help="parts of names, of module or function; all")
    parser.add_argument("--verbose", action="store_true", help="say what kills each mutant")
    options = parser.parse_args(arguments)
    chosen = [
        mutant
        for mutant in all_mutants()
        if not options.parts or any(part in mutant.name for part in options.parts)
    ]
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        found = []
        for mutant, how in zip(chosen, pool.map(killed, chosen), strict=True):
            found.append((mutant, how))
            if options.verbose or how == SURVIVED:
                sys.stdout.write(f"{mutant.name}\n    {told(mutant, how)}\n")
                sys.stdout.flush()
    return conclude(found, pinned=0 if options.parts else pin())


def told(mutant: Mutant, how: str) -> str:
    """Return how the mutant was found out, or why it need not be."""
    if how != SURVIVED:
        return how
    reason = EQUIVALENT.get((mutant.function, mutant.change))
    return f"equivalent: {reason}" if reason else "SURVIVED"


def conclude(found: list[tuple[Mutant, str]], *, pinned: int) -> int:
    """Print the figures; return 0 if nothing survived but equivalents and no mutant is missing."""
    alive = [mutant for mutant, how in found if how == SURVIVED]
    unknown = [one for one in alive if (one.function, one.change) not in EQUIVALENT]
    ways = Counter(how.partition(" by ")[0] for _, how in found)
    counted = ", ".join(f"{number} {way}" for way, number in sorted(ways.items()))
    sys.stdout.write(f"{len(found) - len(alive)} killed of {len(found)} ({counted}); ")
    sys.stdout.write(f"{len(alive) - len(unknown)} equivalent, {len(unknown)} survived\n")
    if len(found) < pinned:
        sys.stdout.write(f"mutants: {len(found)}, pinned {pinned}\n")
    return 0 if len(unknown) == 0 and len(found) >= pinned else 1


def pin() -> int:
    """Return the least number of mutants, from the table of the numbers that may only grow."""
    return read_pins(TABLE.read_text(encoding="utf-8"))["mutants"]["mutants"]


if __name__ == "__main__":
    raise SystemExit(main())
