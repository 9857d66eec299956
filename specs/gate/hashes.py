"""The sha256 of the source text of a function: by it a reader knows what exactly was proved.

It is of the lines from the first decorator to the end of the function, as they stand in the file.
"""

import hashlib
from collections.abc import Iterable
from functools import cache

from specs.kernel.source import Source


def hashes(functions: Iterable[str], source: Source | None = None) -> dict[str, str]:
    """Return the hash of each function, by its dotted name. Raises `Unsupported`."""
    read = Source() if source is None else source
    return {name: _hash(read, *parts(name)) for name in sorted(functions)}


def _hash(source: Source, module: str, qualified: str) -> str:
    node = source.function(module, qualified)
    first = min((node.lineno, *(one.lineno for one in node.decorator_list)))
    lines = source.text(module).splitlines(keepends=True)[first - 1 : node.end_lineno]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@cache
def parts(function: str) -> tuple[str, str]:
    """Return the module of a dotted name, and what of it is inside; the longest module there is."""
    module, _, name = function.rpartition(".")
    while module:
        try:
            Source().module(module)
        except ModuleNotFoundError:
            module, _, _ = module.rpartition(".")
        else:
            return module, function.removeprefix(f"{module}.")
    return "", name
