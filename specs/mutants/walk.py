"""Which mutants there are to walk: all of the core; and which theorems read what each changes."""

import importlib
import pkgutil
import re
from functools import cache
from typing import Final

import grantproof.core
from specs.kernel.source import Source
from specs.mutants.changes import Mutant, mutants
from specs.theorems import readers, statements

CORE: Final = grantproof.core.__name__


def modules() -> list[str]:
    """Return every module of the core."""
    path = importlib.import_module(CORE).__path__
    return [one.name for one in pkgutil.walk_packages(path, f"{CORE}.")]


@cache
def all_mutants() -> tuple[Mutant, ...]:
    """Return every mutant of the core."""
    return tuple(
        mutant for module in modules() for mutant in mutants(module, Source().text(module))
    )


def theorems_about(mutant: Mutant) -> tuple[str, ...]:
    """Return the theorems that read the function: its own, then of the command, the smallest."""
    function = mutant.place

    def rank(name: str) -> tuple[bool, bool, int, str]:
        return name != function, not is_near(mutant, name), sizes()[name], name

    own = {function} & set(statements())
    return tuple(sorted({*own, *readers().get(function, ())}, key=rank))


def is_near(mutant: Mutant, theorem: str) -> bool:
    """Return whether the theorem is the function's own, or about a command that is named there."""
    words = re.findall(r"\w+", f"{mutant.case} {mutant.change}")
    return theorem == mutant.place or theorem.rpartition(".")[2] in words


@cache
def sizes() -> dict[str, int]:
    """Return of how many functions each theorem reads the source."""
    found: dict[str, int] = {}
    for theorems in readers().values():
        for name in theorems:
            found[name] = found.get(name, 0) + 1
    return found
