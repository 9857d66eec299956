"""The page of the client: what applications import, as its source declares it.

Read off the source, because what a running Python says of a signature changes with its version.
"""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Final

from tests.repository.checkout import ROOT
from tests.repository.reference.markdown import fenced, page

INTRODUCTION: Final = """
What an application imports, as the code declares it. How it is used, with examples that run, is
told in [asking from an application](../clients.md).
"""
CLIENT: Final = "grantproof.client"
GUARDS: Final = tuple(f"{CLIENT}.{name}" for name in ("fastapi", "asgi", "wsgi", "routes"))
"""What guards applications, and their table of routes; each is imported by who needs it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def written() -> str:
    """The page."""
    parts = [INTRODUCTION, f"## {CLIENT}", inspect.getdoc(import_module(CLIENT)) or ""]
    for name in public_names():
        parts += list(_told(name, *found(name)))
    for module in GUARDS:
        tree = source(module)
        parts += [f"## {module}", ast.get_docstring(tree) or ""]
        for name, one in declared(tree).items():
            is_value = isinstance(one, ast.Assign | ast.AnnAssign)
            if not is_value and name in offered(module):
                parts += list(_told(f"{module.rpartition('.')[2]}.{name}", one, tree))
    return page("The Python client", *parts)


def public_names() -> list[str]:
    """What `from grantproof.client import *` brings."""
    names: list[str] = import_module(CLIENT).__all__
    return names


def offered(module: str) -> list[str]:
    """What an application imports from a module: what that says, or all that is not private."""
    names: list[str] = getattr(import_module(module), "__all__", list(declared(source(module))))
    return [name for name in names if not name.startswith("_")]


@cache
def source(module: str) -> ast.Module:
    """The syntax of a module of the client."""
    path = (ROOT / "src").joinpath(*module.split(".")).with_suffix(".py")
    return ast.parse(path.read_text("utf-8"))


def declared(tree: ast.Module) -> dict[str, ast.stmt]:
    """What a module declares at its top, by name."""
    names: dict[str, ast.stmt] = {}
    for one in tree.body:
        match one:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                names[name] = one
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                names[name] = one
            case _:
                continue
    return names


def found(name: str) -> tuple[ast.stmt, ast.Module]:
    """The declaration of a public name, and the module it is in."""
    for path in sorted((ROOT / "src" / "grantproof" / "client").glob("*.py")):
        if path.stem != "__init__":
            tree = source(f"{CLIENT}.{path.stem}")
            if name in declared(tree):
                return declared(tree)[name], tree
    raise KeyError(name)


def _told(title: str, one: ast.stmt, tree: ast.Module) -> Iterator[str]:
    yield f"### {title}"
    match one:
        case ast.ClassDef():
            yield fenced("python", _class_line(one))
            yield ast.get_docstring(one) or ""
            yield "\n".join(_members(one, tree))
        case ast.FunctionDef():
            yield fenced("python", f"def {one.name}{_signature(one)}")
            yield ast.get_docstring(one) or ""
        case _:
            yield fenced("python", ast.unparse(one))
            after = tree.body[tree.body.index(one) + 1 :][:1]
            if after and isinstance(after[0], ast.Expr):
                yield inspect.cleandoc(ast.literal_eval(after[0].value))


def _class_line(one: ast.ClassDef) -> str:
    made = next((part for part in _functions(one) if part.name == "__init__"), None)
    named = [ast.unparse(base) for base in one.bases]
    bases = ", ".join(base for base in named if not base.startswith("_"))
    line = f"class {one.name}{f'({bases})' if bases else ''}:"
    if made is not None:
        return f"{line}\n    def __init__{_signature(made)}"
    fields = [part for part in one.body if isinstance(part, ast.AnnAssign)]
    told = [one for one in map(ast.unparse, fields) if not one.startswith("_")]
    return "\n    ".join([line, *told]) if told else line.rstrip(":")


def _members(one: ast.ClassDef, tree: ast.Module) -> Iterator[str]:
    for part in _functions(one):
        if part.name.startswith("_"):
            continue
        kind = "async " if isinstance(part, ast.AsyncFunctionDef) else ""
        is_property = any(ast.unparse(mark) == "property" for mark in part.decorator_list)
        shown = part.name if is_property else f"{kind}{part.name}{_signature(part)}"
        told = (ast.get_docstring(part) or "").replace("\n", "\n  ").replace("\n  \n", "\n\n")
        yield f"- `{shown}`: {told}"
    for base in one.bases:
        inherited = declared(tree).get(ast.unparse(base))
        if isinstance(inherited, ast.ClassDef):
            yield from _members(inherited, tree)


def _functions(one: ast.ClassDef) -> Iterator[Function]:
    yield from (part for part in one.body if isinstance(part, Function))


def _signature(one: Function) -> str:
    given = ast.unparse(one.args).removeprefix("self").removeprefix("cls").removeprefix(", ")
    returned = "" if one.returns is None else f" -> {ast.unparse(one.returns)}"
    return f"({given}){returned}"
