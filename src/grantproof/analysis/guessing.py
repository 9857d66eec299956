"""A context in which a formula is true, found by trying likely ones: most need no solver.

What is guessed is put to the test by the core's own predicates, so a guess is never wrong; that no
guess is right says nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import Any, Final, TypeVar

from grantproof.analysis.formulas import (
    AllOf,
    AnyOf,
    AtLeast,
    Comparison,
    Condition,
    Formula,
    Not,
    true_in,
)
from grantproof.core.attributes import Literal, Operator, Path, Root, Value
from grantproof.core.constraints import (
    DAYS_PER_WEEK,
    HOURS_PER_DAY,
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import Region
from grantproof.core.limits import INTEGER_MAX, INTEGER_MIN

GUESSES_MAX: Final = 64
REGIONS_TRIED_MAX: Final = 8
NOON: Final = Context(instant=0, hour=12, weekday=0, year=2026)
ELSEWHERE: Final = Region("other")
STRANGERS: Final = ("other", "another")

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True)
class Choices:
    """What is worth trying for each part of a context, the likeliest first."""

    hours: dict[int, None] = field(default_factory=dict)
    weekdays: dict[int, None] = field(default_factory=dict)
    regions: dict[Region | None, None] = field(default_factory=dict)
    positions: dict[Position | None, None] = field(default_factory=dict)
    usages: dict[int | None, None] = field(default_factory=dict)
    rates: dict[int | None, None] = field(default_factory=dict)
    values: dict[Path, dict[Value | None, None]] = field(default_factory=dict)


def guess(formula: Formula) -> Context | None:
    """Return a context in which the formula is true, or nothing where no likely one is it."""
    return next((one for one in _likely(_choices(formula)) if true_in(formula, one)), None)


def _choices(formula: Formula) -> Choices:
    choices = Choices()
    wanted: list[Condition] = []
    unwanted: list[Condition] = []
    _sort(formula, wanted, unwanted)
    for condition in wanted:
        _meet(condition, choices)
    for condition in unwanted:
        _miss(condition, choices)
    return choices


def _sort(formula: Formula, wanted: list[Condition], unwanted: list[Condition]) -> None:
    """Sort the conditions into those that had better hold and those that had better not."""
    match formula:
        case Not(part):
            _sort(part, unwanted, wanted)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                _sort(part, wanted, unwanted)
        case AtLeast(_, weighted):
            for _, part in weighted:
                _sort(part, wanted, unwanted)
        case _:
            wanted.append(formula)


def _meet(condition: Condition, choices: Choices) -> None:
    match condition:
        case TimeWindow(start, end, weekdays):
            _add(choices.hours, (start, end - 1, max((start, *choices.hours))))
            _add(choices.weekdays, sorted(weekdays)[:1])
        case GeoFence(regions):
            _add(choices.regions, sorted(regions)[:REGIONS_TRIED_MAX])
        case GeoRadius(centre):
            _add(choices.positions, (centre,))
        case MaxUsage():
            _add(choices.usages, (0,))
        case RateLimit():
            _add(choices.rates, (0,))
        case Comparison():
            _compare(condition, choices)


def _miss(condition: Condition, choices: Choices) -> None:
    match condition:
        case TimeWindow(start, end, weekdays):
            _add(choices.hours, (end % HOURS_PER_DAY, (start - 1) % HOURS_PER_DAY))
            _add(choices.weekdays, sorted(set(range(DAYS_PER_WEEK)) - weekdays)[:1])
        case GeoFence():
            _add(choices.regions, (ELSEWHERE,))
        case GeoRadius(centre):
            _add(choices.positions, (Position(-centre.latitude, _opposite(centre.longitude)),))
        case MaxUsage(limit):
            _add(choices.usages, (limit,))
        case RateLimit(per_minute):
            _add(choices.rates, (per_minute,))
        case Comparison():
            _compare(condition, choices)


def _compare(comparison: Comparison, choices: Choices) -> None:
    for path, other in (
        (comparison.left, comparison.right),
        (comparison.right, comparison.left),
    ):
        if isinstance(path, Path):
            fitting = _near(other.value if isinstance(other, Literal) else NOON.year)
            if comparison.operator in {Operator.NE, Operator.LT, Operator.GT}:
                fitting = (*fitting[1:], *fitting[:1])
            _add(choices.values.setdefault(path, {}), fitting)


def _near(value: Value) -> tuple[Value, ...]:
    """Return the value and what is next to it."""
    match value:
        case bool():
            return (value, not value)
        case int():
            return tuple(
                near for near in (value, value + 1, value - 1) if INTEGER_MIN <= near <= INTEGER_MAX
            )
        case str():
            return (value, frozenset({value}), STRANGERS[value == STRANGERS[0]])
        case _:
            return (value, *sorted(value)[:1], STRANGERS[0])


def _likely(choices: Choices) -> Iterator[Context]:
    """Yield the likeliest context, those that differ from it in one part, then any others."""
    dimensions: list[list[tuple[object, object]]] = [
        _listed("hour", choices.hours, NOON.hour),
        _listed("weekday", choices.weekdays, NOON.weekday),
        _listed("region", choices.regions, None),
        _listed("position", choices.positions, None),
        _listed("usage", choices.usages, None),
        _listed("rate", choices.rates, None),
        *(_listed(path, values, None) for path, values in choices.values.items()),
    ]
    first = [dimension[0] for dimension in dimensions]
    yield _context(first)
    for place, dimension in enumerate(dimensions):
        for other in dimension[1:]:
            yield _context([*first[:place], other, *first[place + 1 :]])
    narrowed = [dimension for dimension in dimensions if len(dimension) > 1]
    fixed = [dimension[0] for dimension in dimensions if len(dimension) == 1]
    for chosen in islice(product(*narrowed), GUESSES_MAX):
        yield _context([*fixed, *chosen])


def _listed(
    name: object, tried: Iterable[object], otherwise: object
) -> list[tuple[object, object]]:
    return [(name, one) for one in dict.fromkeys((*tried, otherwise))]


def _context(chosen: Iterable[tuple[object, object]]) -> Context:
    plain: dict[str, Any] = {}
    held = {Root.CONTEXT: NOON.attributes, Root.ACTION: NOON.action_properties}
    for name, value in chosen:
        if not isinstance(name, Path):
            plain[str(name)] = value
        elif isinstance(value, bool | int | str | frozenset):
            held[name.root] = held[name.root].set(name.name, value)
    return replace(
        NOON, attributes=held[Root.CONTEXT], action_properties=held[Root.ACTION], **plain
    )


def _add(into: dict[Choice, None], some: Iterable[Choice]) -> None:
    into.update(dict.fromkeys(some))


def _opposite(longitude: int) -> int:
    half = 180_000_000
    return longitude - half if longitude > 0 else longitude + half
