"""Which statements there are besides the meanings of functions, each under its property."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from specs.kernel.proof import Theorem
from specs.kernel.shapes import argument, forget_typing, typing_axioms
from specs.kernel.source import Source
from specs.kernel.values import Clause
from specs.kernel.view import View

Stated = tuple[list[Clause], list[Clause]]
"""Hypotheses, and goals: each proved in turn is a hypothesis of the next."""


@dataclass(frozen=True)
class Statement:
    """A theorem that can be stated about the production source, or about a changed one."""

    property_id: str
    about: Callable[[Source], Theorem]


LEMMAS: Final[dict[str, Statement]] = {}


def states(property_id: str) -> Callable[[Callable[[], Stated]], Callable[[], Stated]]:
    """Register the decorated function: it gives hypotheses over the definitions, and goals."""

    def keep(stating: Callable[[], Stated]) -> Callable[[], Stated]:
        name = f"{stating.__module__.removeprefix('specs.')}.{stating.__name__}"
        LEMMAS[name] = Statement(property_id, partial(_theorem, property_id, name, stating))
        return stating

    return keep


def _theorem(
    property_id: str, name: str, stating: Callable[[], Stated], _source: Source
) -> Theorem:
    forget_typing()
    hypotheses, goals = stating()
    known = (*hypotheses, *typing_axioms())
    return Theorem(property_id, name, known, tuple(goals), stepwise=True)


def some(kind: object, name: str = "x") -> View:
    """Return an arbitrary value of the type."""
    return View(argument(name, kind))
