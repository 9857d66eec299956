"""The production modules once more, with patches: a second namespace beside the first.

While `tampered` is open, `grantproof` and the small organizations are imported afresh, the patched
modules from the given texts. What was imported before is as it was when it closes.
"""

import importlib.abc
import importlib.util
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Final

from typing_extensions import override

AFRESH: Final = ("grantproof", "specs.faults.small", "tests")


@contextmanager
def tampered(texts: Mapping[str, str]) -> Iterator[None]:
    """Import the production modules afresh inside, the named ones from the given texts."""
    kept = {name: module for name, module in sys.modules.items() if is_afresh(name)}
    finder = Finder(texts)
    _forget()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        _forget()
        sys.modules.update(kept)
        _rebind(kept)


def is_afresh(name: str) -> bool:
    """Return whether the module belongs to a namespace of its own."""
    return any(name == top or name.startswith(f"{top}.") for top in AFRESH)


def _forget() -> None:
    for name in [name for name in sys.modules if is_afresh(name)]:
        del sys.modules[name]


def _rebind(kept: Mapping[str, ModuleType]) -> None:
    """Let the packages that were not imported afresh name what they named before."""
    for name, module in kept.items():
        package, _, last = name.rpartition(".")
        if package in sys.modules and not is_afresh(package):
            setattr(sys.modules[package], last, module)


class Finder(importlib.abc.MetaPathFinder):
    """Finds what is imported afresh, and no others: the named modules in the given texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    @override
    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if not is_afresh(fullname):
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path, target)
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


@cache
def _compiled(path: str, text: bytes) -> CodeType:
    """Return the code of a text, compiled once for all the faults of this process."""
    return compile(text, path, "exec", dont_inherit=True)
