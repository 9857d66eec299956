"""The production source, read from its files, with patches laid over it for the refuted twins."""

import ast
import importlib
import inspect
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

from specs.kernel.sorts import Unsupported


@dataclass
class Source:
    """The text of the modules; `patches` maps a module's name to the text that replaces it."""

    patches: dict[str, str] = field(default_factory=dict)
    _trees: dict[str, ast.Module] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def module(self, name: str) -> ModuleType:
        """Return the imported module, for what its names mean; never for a function's body."""
        return importlib.import_module(name)

    def text(self, name: str) -> str:
        """Return the module's text, patched where it is to be."""
        if name in self.patches:
            return self.patches[name]
        path = inspect.getsourcefile(self.module(name))
        if path is None:
            message = f"no source of {name}"
            raise Unsupported(message)
        return Path(path).read_text(encoding="utf-8")

    def function(self, module: str, qualified: str) -> ast.FunctionDef:
        """Return the definition of a function or method by its dotted name in the module."""
        if module not in self._trees:
            self._trees[module] = parsed(self.text(module))
        scope: list[ast.stmt] = self._trees[module].body
        found: ast.stmt | None = None
        for part in qualified.split("."):
            found = next(
                (
                    node
                    for node in scope
                    if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part
                ),
                None,
            )
            scope = found.body if isinstance(found, ast.ClassDef) else []
        if not isinstance(found, ast.FunctionDef):
            message = f"no function {module}.{qualified}"
            raise Unsupported(message)
        return found


@cache
def parsed(text: str) -> ast.Module:
    """Return the syntax tree of a module's text, which nobody changes."""
    return ast.parse(text)
