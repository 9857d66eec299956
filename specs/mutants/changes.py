"""The changes: one comparison, connective, quantifier, condition or number of a module each.

Every one of them, wherever it stands but in an annotation, a default or an alias of types.
"""

import ast
import builtins
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

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


@dataclass(frozen=True)
class Mutant:
    """A changed module: in which function what was changed, and the text that results.

    `function` is empty for what stands in none: no proof reads that. `case` is the pattern
    of the case of a match that it stands in, or empty.
    """

    module: str
    function: str
    change: str
    line: int
    text: str
    case: str = ""

    @property
    def place(self) -> str:
        """The dotted name of the function that is changed."""
        return f"{self.module}.{self.function or '<module>'}"

    @property
    def key(self) -> str:
        """What it is listed under: where and what, whatever the line."""
        return f"{self.place}: {self.change}"

    @property
    def name(self) -> str:
        """Where it is, for people."""
        return f"{self.place} line {self.line}: {self.change}"


def mutants(
    module: str, text: str, wanted: Callable[[str], bool] = lambda _place: True
) -> Iterator[Mutant]:
    """Yield every mutant of the wanted functions of the module, in the order of the text."""
    tree = ast.parse(text)
    untouched = {id(node) for node in types_in(tree)}
    places = dict(functions(tree))
    patterns = dict(cases(tree))
    for node in list(ast.walk(tree)):
        function = places.get(id(node), "")
        if id(node) in untouched or not wanted(f"{module}.{function or '<module>'}"):
            continue
        for mutated in list(changed_nodes(node)):
            change = f"{told(node)} -> {told(mutated)}"
            text = unparsed(tree, node, mutated)
            yield Mutant(module, function, change, line_of(node), text, patterns.get(id(node), ""))


def unparsed(tree: ast.Module, node: ast.AST, mutated: ast.AST) -> str:
    """Return the text of the tree with one of its nodes changed; the tree is as it was after."""
    kept = dict(ast.iter_fields(node))
    vars(node).update(ast.iter_fields(mutated))
    try:
        return ast.unparse(tree)
    finally:
        vars(node).update(kept)


def told(node: ast.AST) -> str:
    """Return a node as text, a branch by its condition alone."""
    match node:
        case ast.If(test=test):
            return f"if {ast.unparse(test)}"
        case ast.match_case(pattern=pattern, guard=ast.expr() as guard):
            return f"case {ast.unparse(pattern)} if {ast.unparse(guard)}"
        case _:
            return ast.unparse(node).strip()


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


def cases(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield, for every node inside a case of a match, the pattern; of an inner case last."""
    for case in ast.walk(tree):
        if isinstance(case, ast.match_case):
            pattern = ast.unparse(case.pattern)
            yield from ((id(node), pattern) for node in ast.walk(case))


def types_in(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node of an annotation or an alias of types: to change one changes no decision."""
    for node in ast.walk(tree):
        for field in ("annotation", "returns"):
            if isinstance(kind := getattr(node, field, None), ast.AST):
                yield from ast.walk(kind)
        if isinstance(node, ast.Assign) and is_alias(node.value):
            yield from ast.walk(node.value)


def is_alias(value: ast.expr) -> bool:
    """Return whether the value is a union of classes."""
    match value:
        case ast.Name(id=name):
            built_in = isinstance(getattr(builtins, name, None), type)
            return built_in or (name[:1].isupper() and not name.isupper())
        case ast.Subscript(value=of):
            return is_alias(of)
        case ast.Constant(value=None):
            return True
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
        case ast.BoolOp():
            yield from changed_connectives(node)
        case ast.Call(func=ast.Name(id="all" | "any" as name), args=args):
            yield ast.Call(ast.Name("any" if name == "all" else "all"), args, [])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield ast.UnaryOp(ast.Not(), ast.UnaryOp(ast.Not(), operand))
        case ast.BinOp(left=left, op=ast.Add(), right=ast.Constant(value=int()) as right):
            yield ast.BinOp(left, ast.Sub(), right)
        case ast.BinOp(left=left, op=connective, right=right) if type(connective) in SETS:
            yield ast.BinOp(left, SETS[type(connective)](), right)
        case ast.Return(value=ast.Constant(value=bool() as value)):
            yield ast.Return(ast.Constant(not value))
        case _:
            yield from changed_branches(node)


def changed_branches(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the branch taken the other way round, where its condition has nothing to change."""
    match node:
        case ast.If(test=test) | ast.IfExp(test=test) if is_plain(test):
            yield turned(node, "test", test)
        case ast.match_case(guard=ast.expr() as guard) if is_plain(guard):
            yield turned(node, "guard", guard)
        case _:
            return


def is_plain(test: ast.expr) -> bool:
    """Return whether a condition has no operator of its own that could be changed."""
    return isinstance(test, ast.Call | ast.Name | ast.Attribute)


def turned(node: ast.AST, field: str, test: ast.expr) -> ast.AST:
    """Return the node with its condition turned round."""
    twin = copy.copy(node)
    setattr(twin, field, ast.UnaryOp(ast.Not(), test))
    return twin


def changed_connectives(node: ast.BoolOp) -> Iterator[ast.AST]:
    """Yield the other connective, and the conditions without each of them."""
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for index in range(len(node.values)):
        rest = [*node.values[:index], *node.values[index + 1 :]]
        yield ast.BoolOp(node.op, rest)


def changed_comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    """Yield the chain of comparisons with one of them changed."""
    for index, operator in enumerate(node.ops):
        for other in COMPARISONS[type(operator)]:
            changed = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            yield ast.Compare(node.left, changed, node.comparators)


def changed_filters(node: ast.comprehension) -> Iterator[ast.AST]:
    """Yield the part of a comprehension with one of its plain conditions turned round."""
    for index, test in enumerate(node.ifs):
        if is_plain(test):
            rest = [*node.ifs[:index], ast.UnaryOp(ast.Not(), test), *node.ifs[index + 1 :]]
            yield ast.comprehension(node.target, node.iter, rest, node.is_async)
