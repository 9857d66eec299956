"""What is measured in process: each engine with the questions in the form that it takes them.

`agree` is called before anything is timed: the speed of a wrong answer means nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bench.floors import bit_masks, conditioned_bit_masks, conditioned_walk, role_sets, walk
from bench.measure import Work
from bench.workload import Question, Workload, context_of, organization, request_of
from grantproof.client import Engine as Embedded
from grantproof.core.index import Index
from grantproof.core.model import Claim
from grantproof.core.policy import Allow, evaluate

FLOOR: Final = "floor, bit masks"
SET_FLOOR: Final = "floor, role sets"
WALK: Final = "walk, no index"
ENGINE: Final = "engine"
ENGINE_ROWS: Final = "engine, 1,000 rows at once"
INDEX: Final = "index"
INDEX_BUILDING: Final = "index, request built"
INDEX_CERTIFYING: Final = "index, certificate"
REFERENCE: Final = "reference"

ROWS_AT_ONCE: Final = 1_000
SLOW_QUESTIONS_MAX: Final = 300
"""The reference, and the index with certificates, answer only the first of the questions."""

Row = tuple[Any, ...]
"""The arguments of one call; what they are is the engine's own business."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A function, the arguments of each call of it, and whether what it returns is an Allow."""

    name: str
    call: Callable[..., object]
    rows: list[Row]
    allows: Callable[[object], bool]
    loop: Callable[[Callable[..., object], list[Row]], int] | None = None
    """What calls it otherwise than by position."""

    @property
    def work(self) -> Work:
        """Every call once, in the plainest loop that the number of arguments permits."""
        by_position = {1: _loop_1, 2: _loop_2, 3: _loop_3, 6: _loop_6}
        return partial(self.loop or by_position[len(self.rows[0])], self.call, self.rows)


class Disagreement(Exception):
    """An engine answers a question otherwise than expected."""


def agree(load: Workload, engine: Engine) -> None:
    """Raise `Disagreement` unless the engine gives every question its expected answer."""
    for row, question, expected in zip(engine.rows, load.questions, load.expected, strict=False):
        if engine.allows(engine.call(*row)) != expected:
            message = f"{engine.name} does not answer {expected} to {question}"
            raise Disagreement(message)


def engines(load: Workload) -> list[Engine]:
    """Return every engine for the workload, the floor first."""
    return [*_floors(load), *_ours(load)]


def _floors(load: Workload) -> list[Engine]:
    tables = load.tables
    if load.constrained:
        rows: list[Row] = [tuple(question) for question in load.questions]
        return [
            Engine(FLOOR, conditioned_bit_masks(tables), rows, bool),
            Engine(WALK, conditioned_walk(tables), rows, bool),
        ]
    rows = [question[:3] for question in load.questions]
    return [
        Engine(FLOOR, bit_masks(tables), rows, bool),
        Engine(SET_FLOOR, role_sets(tables), rows, bool),
        Engine(WALK, walk(tables), rows, bool),
    ]


def _ours(load: Workload) -> list[Engine]:
    state = organization(load.tables)
    index = Index(state)
    rows: list[Row] = [(request_of(question), context_of(question)) for question in load.questions]
    few = rows[:SLOW_QUESTIONS_MAX]

    def build_and_ask(question: Question) -> object:
        return index.ask(request_of(question), context_of(question))

    embedded = Embedded(lambda: state)
    told: list[Row] = [tuple(question) for question in load.questions]
    if not load.constrained:
        told = [question[:3] for question in load.questions]

    return [
        Engine(
            ENGINE,
            partial(_by_name, embedded.decide) if load.constrained else embedded.decide,
            told,
            _is_allowed,
            partial(_loop_by_name, embedded.decide) if load.constrained else None,
        ),
        Engine(
            ENGINE_ROWS,
            partial(_one_row, embedded.decide_rows),
            [_row(question, constrained=load.constrained) for question in load.questions],
            _is_allowed,
            partial(_loop_by_rows, embedded.decide_rows),
        ),
        Engine(INDEX, index.ask, rows, _granted),
        Engine(INDEX_BUILDING, build_and_ask, [(each,) for each in load.questions], _granted),
        Engine(INDEX_CERTIFYING, index.decide, few, _allowed),
        Engine(REFERENCE, partial(evaluate, state), few, _allowed),
    ]


def _by_name(decide: Callable[..., object], *question: Any) -> object:
    principal, action, resource, hour, region, usage = question
    return decide(principal, action, resource, hour=hour, region=region, usage=usage)


def _loop_by_name(decide: Callable[..., object], _call: object, rows: list[Row]) -> int:
    for principal, action, resource, hour, region, usage in rows:
        decide(principal, action, resource, hour=hour, region=region, usage=usage)
    return len(rows)


def _row(question: Question, *, constrained: bool) -> Row:
    told = (question.region, question.hour, question.usage) if constrained else (None, None, None)
    return (*question[:3], *told, None)


def _one_row(decide_rows: Callable[..., Any], *row: Any) -> object:
    return decide_rows([row])[0]


def _loop_by_rows(decide_rows: Callable[..., Any], _call: object, rows: list[Row]) -> int:
    """Ask all, so many at once, and of each whether it is allowed."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        decide_rows(rows[start : start + ROWS_AT_ONCE]).allowed  # noqa: B018 - it is told
    return len(rows)


def _is_allowed(decision: Any) -> bool:
    return bool(decision.allowed)


def _granted(verdict: Any) -> bool:
    return isinstance(verdict.answer, Claim)


def _allowed(decision: object) -> bool:
    return isinstance(decision, Allow)


def _loop_1(call: Callable[..., object], rows: list[Row]) -> int:
    for (one,) in rows:
        call(one)
    return len(rows)


def _loop_2(call: Callable[..., object], rows: list[Row]) -> int:
    for one, two in rows:
        call(one, two)
    return len(rows)


def _loop_3(call: Callable[..., object], rows: list[Row]) -> int:
    for one, two, three in rows:
        call(one, two, three)
    return len(rows)


def _loop_6(call: Callable[..., object], rows: list[Row]) -> int:
    for one, two, three, four, five, six in rows:
        call(one, two, three, four, five, six)
    return len(rows)
