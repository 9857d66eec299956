"""Which definition belongs to which function, under which property."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import FunctionType
from typing import Any, Final, TypeVar, cast, get_type_hints

from specs.kernel.shapes import located
from specs.kernel.values import Clause
from specs.kernel.view import View

Clauses = Callable[..., list[Clause]]
Definition = TypeVar("Definition", bound=Callable[..., Any])


@dataclass(frozen=True)
class Defined:
    """A production function, the property it serves, and what it means.

    `meaning` takes the function's arguments. With `relational` it takes the result first and says
    which results are right; with `refusing` it says of which arguments the function makes nothing,
    but raises; otherwise it gives the result. `summary` gives, for callers, the result
    of a relational one where there is only one. `requires` gives what a caller owes,
    `promises`, of the result and the arguments, what follows and a caller may use.
    """

    function: FunctionType
    property_id: str
    meaning: Callable[..., Any]
    relational: bool = False
    refusing: bool = False
    summary: Callable[..., Any] | None = None
    symbol: Callable[..., Any] | None = None
    requires: Clauses | None = None
    promises: Clauses | None = None

    @property
    def called(self) -> Callable[..., Any]:
        """What a caller sees: the symbol where there is one."""
        return self.symbol or self.meaning

    @property
    def name(self) -> str:
        """The function's dotted name."""
        return f"{self.function.__module__}.{self.function.__qualname__}"


REGISTRY: Final[dict[str, Defined]] = {}


def defines(
    function: Callable[..., Any],
    property_id: str,
    *,
    opaque: bool = False,
    requires: Clauses | None = None,
    promises: Clauses | None = None,
) -> Callable[[Definition], Callable[..., Any]]:
    """Register the decorated definition: it gives what the function gives.

    Called by name, an `opaque` one is only a symbol: what it means matters where it is proved and
    where `.unfolded` is asked for, and nowhere else, which keeps every other proof small.
    """

    def keep(meaning: Definition) -> Callable[..., Any]:
        symbol = _symbol(function, meaning) if opaque else None
        entry = Defined(cast(FunctionType, function), property_id, meaning, symbol=symbol)
        _keep(replace(entry, requires=requires, promises=promises))
        return symbol or meaning

    return keep


def _symbol(function: Callable[..., Any], meaning: Callable[..., Any]) -> Callable[..., Any]:
    kind = get_type_hints(function)["return"]

    def stands(*arguments: Any) -> Any:
        return located(f"={function.__name__}", tuple(View(one)() for one in arguments), kind)

    setattr(stands, "unfolded", meaning)  # noqa: B010 - of a function, which has no such field
    return stands


def describes(
    function: Callable[..., Any],
    property_id: str,
    *,
    summary: Callable[..., Any] | None = None,
    requires: Clauses | None = None,
    promises: Clauses | None = None,
) -> Callable[[Definition], Definition]:
    """Register the decorated definition: it says of a result whether it is right."""

    def keep(meaning: Definition) -> Definition:
        entry = Defined(cast(FunctionType, function), property_id, meaning, relational=True)
        _keep(replace(entry, summary=summary, requires=requires, promises=promises))
        return meaning

    return keep


def refuses(function: Callable[..., Any], property_id: str) -> Callable[[Definition], Definition]:
    """Register the decorated definition: it says of which arguments the function raises."""

    def keep(meaning: Definition) -> Definition:
        _keep(Defined(cast(FunctionType, function), property_id, meaning, refusing=True))
        return meaning

    return keep


def _keep(entry: Defined) -> None:
    REGISTRY[entry.name] = entry
