"""The production modules once more, with patches: a second namespace beside the first.

While `tampered` is open, the patched modules are imported from the given texts, and whatever of
`grantproof`, of the small organizations and of the tests imports one of them, directly or not, is
imported afresh. What imports none of them is the same in both. What was imported before is as it
was when it closes.
"""

import ast
import importlib.abc
import importlib.util
import pkgutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from typing_extensions import override

AFRESH: Final = ("grantproof", "specs.faults.small", "tests")
BY_NAME: Final = "import_module"
"""Who imports what only it knows, by a name: a package its own modules, others anything."""
TOGETHER: Final = ("grantproof.adapters.sql",)
"""Packages whose modules make themselves known to each other, as tables do: afresh all or none."""


@contextmanager
def tampered(texts: Mapping[str, str]) -> Iterator[None]:
    """Import the named modules from the given texts inside, and afresh what imports them."""
    kept = {name: module for name, module in sys.modules.items() if is_afresh(name)}
    named = {name: named_by_its_package(name) for name in kept}
    finder = Finder(texts)
    for name, module in kept.items():
        if finder.reaches(name):
            del sys.modules[name]
            if named[name] is module:
                _forget(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if is_afresh(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
        # A package may name something else as it does a module: a function that it takes from it.
        for name, meant in named.items():
            package, _, last = name.rpartition(".")
            if meant is not None:
                setattr(sys.modules[package], last, meant)


def is_afresh(name: str) -> bool:
    """Return whether the module may belong to a namespace of its own."""
    return any(name == top or name.startswith(f"{top}.") for top in AFRESH)


def _forget(name: str) -> None:
    """Let the package of a module not name it: who takes it from there is to import it."""
    package, _, last = name.rpartition(".")
    if package in sys.modules:
        vars(sys.modules[package]).pop(last, None)


def named_by_its_package(name: str) -> object:
    """Return what the package of a module has under the module's name, or nothing."""
    package, _, last = name.rpartition(".")
    return getattr(sys.modules.get(package), last, None)


class Finder(importlib.abc.MetaPathFinder):
    """Finds what is imported afresh, and no others: the named modules in the given texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def reaches(self, name: str) -> bool:
        """Return whether the module is a patched one, or imports one, directly or not."""
        return not reached(name).isdisjoint((*self._texts, BY_NAME))

    @override
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if not (is_afresh(fullname) and self.reaches(fullname)):
            return None
        found = PathFinder.find_spec(fullname, path, target)
        if found is None or found.origin is None:
            return found
        loader = _Loader(fullname, found.origin, self._texts.get(fullname))
        return importlib.util.spec_from_file_location(
            fullname,
            found.origin,
            loader=loader,
            submodule_search_locations=found.submodule_search_locations,
        )


class _Loader(SourceFileLoader):
    """Loads the text given, or what the file has where none is."""

    def __init__(self, fullname: str, path: str, text: str | None) -> None:
        super().__init__(fullname, path)
        self._text = text

    @override
    def get_code(self, fullname: str) -> CodeType:
        # Never from a cache of compiled files, and never into one.
        if self._text is None:
            return _compiled(self.path, self.get_data(self.path))
        return compile(self._text, f"{self.path} (patched)", "exec", dont_inherit=True)

    @override
    def exec_module(self, module: ModuleType) -> None:
        # What is the same in both namespaces is not imported again: its package has to name it.
        for name, known in list(sys.modules.items()):
            package, _, last = name.rpartition(".")
            if package == module.__name__:
                setattr(module, last, known)
        super().exec_module(module)


@cache
def _compiled(path: str, text: bytes) -> CodeType:
    """Return the code of a text, compiled once for all the faults of this process."""
    return compile(text, path, "exec", dont_inherit=True)


@cache
def reached(name: str) -> frozenset[str]:
    """Return the module and what it imports, directly or not, of what may be imported afresh."""
    met, waiting = {name}, [name]
    while waiting:
        further = imports(waiting.pop()) - met
        met |= further
        waiting += further
    return frozenset(met)


@cache
def imports(name: str) -> frozenset[str]:
    """Return what a module imports anywhere in its text, of what may be imported afresh.

    Packages that only lead to what is imported are not meant, for nothing is taken from them.
    """
    found = _located(name)
    if found is None or found.origin is None:
        return frozenset()
    named = set[str]()
    for node in ast.walk(ast.parse(Path(found.origin).read_bytes())):
        if isinstance(node, ast.ImportFrom):
            named |= {node.module or "", *(f"{node.module}.{one.name}" for one in node.names)}
        elif isinstance(node, ast.Import):
            named |= {one.name for one in node.names}
        elif BY_NAME in (getattr(node, "id", None), getattr(node, "attr", None)):
            named.add(BY_NAME)
    if BY_NAME in named and found.submodule_search_locations is not None:
        named = {*named - {BY_NAME}, *within(name)}
    for package in TOGETHER:
        named |= set(within(package)) if name.startswith(f"{package}.") else set()
    return frozenset(one for one in named if one == BY_NAME or _is_there(one))


def within(package: str) -> Iterator[str]:
    """Yield the modules of a package, and those of the packages in it."""
    found = _located(package)
    places = None if found is None else found.submodule_search_locations
    for one in pkgutil.iter_modules(places or ()):
        yield f"{package}.{one.name}"
        if one.ispkg:
            yield from within(f"{package}.{one.name}")


def _is_there(name: str) -> bool:
    return is_afresh(name) and _located(name) is not None


@cache
def _located(name: str) -> ModuleSpec | None:
    """Return where a module is, without importing anything."""
    package, _, _ = name.rpartition(".")
    if package == "":
        return PathFinder.find_spec(name)
    inside = _located(package)
    if inside is None or inside.submodule_search_locations is None:
        return None
    return PathFinder.find_spec(name, list(inside.submodule_search_locations))
