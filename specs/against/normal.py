"""What a definition says, whatever its names, comments and annotations: a text to compare.

Two definitions with one text are one program. Nothing is simplified: that is left to the proof.
"""

import ast
import builtins
import hashlib
from collections.abc import Collection, Iterable

from typing_extensions import override

DIGITS = 12


def says(node: ast.AST, globals_: Collection[str], resolved: Iterable[str]) -> str:
    """Return the digest of a definition, and of what the names in it mean."""
    plain = copied(node)
    if isinstance(plain, ast.FunctionDef):
        plain = _Renamed(own_names(plain, globals_)).visit(_Bare().visit(plain))
    elif isinstance(plain, ast.ClassDef):
        plain.body = [one for one in plain.body if not is_text(one) and not is_function(one)]
    told = "\n".join((ast.dump(plain), *sorted(set(resolved))))
    return hashlib.sha256(told.encode()).hexdigest()[:DIGITS]


def copied(node: ast.AST) -> ast.AST:
    """Return a copy of what the syntax says, without its lines and columns: no digest has them."""
    members = [_copied_member(getattr(node, name, None)) for name in node._fields]
    return type(node)(*members)


def _copied_member(member: object) -> object:
    if isinstance(member, ast.AST):
        return copied(member)
    return [_copied_member(one) for one in member] if isinstance(member, list) else member


def is_text(statement: ast.stmt) -> bool:
    """Return whether the statement is a docstring, or another constant that does nothing."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def is_function(statement: ast.stmt) -> bool:
    """Return whether the statement defines a function."""
    return isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)


def own_names(function: ast.FunctionDef, globals_: Collection[str]) -> dict[str, str]:
    """Return a number for each name that only the function itself knows, in order of occurrence.

    Parameters keep theirs, by which callers may give them. Where a function is inside, or a name
    is not the function's own everywhere, nothing is renamed.
    """
    inner = [node for node in ast.walk(function) if node is not function]
    if any(isinstance(node, ast.FunctionDef | ast.Global | ast.Nonlocal) for node in inner):
        return {}
    given = {one.arg for one in _parameters(function.args)}
    own: list[str] = []
    for node in inner:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.MatchStar(name=str(name)):
                own.append(name)
            case ast.MatchAs(name=str(name)):
                own.append(name)
            case ast.Lambda(args=args):
                own += [one.arg for one in _parameters(args)]
            case _:
                continue
    fixed = {*given, *globals_, *dir(builtins)}
    return {name: f"${place}" for place, name in enumerate(dict.fromkeys(own)) if name not in fixed}


def _parameters(args: ast.arguments) -> list[ast.arg]:
    rest = [one for one in (args.vararg, args.kwarg) if one is not None]
    return [*args.posonlyargs, *args.args, *args.kwonlyargs, *rest]


class _Bare(ast.NodeTransformer):
    """Drops docstrings and annotations."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        node.body = [one for one in node.body if not is_text(one)]
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if node.value is None:
            return None
        plain = ast.Assign([node.target], node.value)
        return self.generic_visit(ast.copy_location(plain, node))


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    @override
    def visit(self, node: ast.AST) -> ast.AST:
        match node:
            case ast.Name():
                node.id = self.names.get(node.id, node.id)
            case ast.arg():
                node.arg = self.names.get(node.arg, node.arg)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                node.name = self.names.get(name, name)
            case _:
                pass
        return self.generic_visit(node)
