"""Which mutants there are to walk: of what a theorem reads, and of what tests are to hold."""

import importlib
import pkgutil
from functools import cache
from typing import Final

import grantproof.core
from specs.kernel.source import Source
from specs.mutants import suites
from specs.mutants.changes import Mutant, mutants
from specs.theorems import readers, statements

CORE: Final = grantproof.core.__name__
NOT_WALKED: Final[dict[str, str]] = {
    f"{CORE}.commands.refusal": "read by every theorem about commands; not walked to its end yet",
}
"""The modules that proofs read and whose mutants are not walked, each with the reason."""


def modules() -> list[str]:
    """Return every module of the core that is walked."""
    path = importlib.import_module(CORE).__path__
    names = [one.name for one in pkgutil.walk_packages(path, f"{CORE}.")]
    return [name for name in names if name not in NOT_WALKED]


@cache
def all_mutants() -> tuple[Mutant, ...]:
    """Return every mutant of every function that some theorem reads, or that is held to tests."""
    return tuple(
        mutant
        for module in modules()
        for mutant in mutants(module, Source().text(module), is_walked)
    )


def is_walked(place: str) -> bool:
    """Return whether the mutants there are walked; what stands in no function is not."""
    return place in read() or (
        not place.endswith(".") and any(place.startswith(f"{one}.") for one in suites.UNREAD)
    )


def read() -> set[str]:
    """Return the functions whose source some theorem reads."""
    return {*readers(), *statements()}


def theorems_about(function: str) -> tuple[str, ...]:
    """Return the theorems that read the function, first its own, then the smallest."""
    own = (function,) if function in statements() else ()
    others = set(readers().get(function, ())) - set(own)
    return (*own, *sorted(others, key=lambda name: (sizes()[name], name)))


@cache
def sizes() -> dict[str, int]:
    """Return of how many functions each theorem reads the source."""
    found: dict[str, int] = {}
    for theorems in readers().values():
        for name in theorems:
            found[name] = found.get(name, 0) + 1
    return found
