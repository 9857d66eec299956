"""What TLC prints, read: how many states, which property fell, and the behaviour that shows it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from specs.tlc.values import Value, read_value

STATES: Final = re.compile(r"([\d,]+) distinct states found")
GENERATED: Final = re.compile(r"([\d,]+) states generated")
DEPTH: Final = re.compile(r"The depth of the complete state graph search is (\d+)")
VIOLATED: Final = re.compile(
    r"^Error: (?:Invariant|Action property) (\w+) is violated", re.MULTILINE
)
TEMPORAL: Final = "Temporal properties were violated"
COMPLETED: Final = "Model checking completed. No error has been found."
STEP: Final = re.compile(
    r"^(?:State \d+: <(?P<action>\w+).*>\n(?P<state>(?:.+\n)*)"
    r"|Back to state (?P<back>\d+)"
    r"|State \d+: (?P<stuttering>Stuttering))",
    re.MULTILINE,
)
VARIABLE: Final = re.compile(r"^/\\ (\w+) = ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """The action that leads to a state, and the state: the value of every variable."""

    action: str
    state: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A counterexample. `back_to` is the step that follows the last one, for ever; from 1.

    It is the last step itself when nothing more happens, and nothing when the last step is enough.
    """

    steps: tuple[Step, ...]
    back_to: int | None


@dataclass(frozen=True, slots=True)
class Output:
    """What TLC said. `temporal`: the property that fell is not named, for it is a temporal one."""

    completed: bool
    states: int | None
    violated: str | None
    temporal: bool
    first_error: str | None
    generated: int | None = None
    depth: int | None = None


def read_output(text: str) -> Output:
    """Return what TLC said, but for the behaviour."""
    violated = VIOLATED.search(text)
    errors = re.findall(r"^Error: (.+)", text, re.MULTILINE)
    return Output(
        completed=COMPLETED in text,
        states=_last(STATES, text),
        violated=violated[1] if violated else None,
        temporal=TEMPORAL in text,
        first_error=errors[0] if errors else None,
        generated=_last(GENERATED, text),
        depth=_last(DEPTH, text),
    )


def _last(count: re.Pattern[str], text: str) -> int | None:
    """Return the last of the numbers that the pattern finds."""
    found = count.findall(text)
    return int(found[-1].replace(",", "")) if found else None


def read_behaviour(text: str) -> Behaviour:
    """Return the counterexample that TLC printed; no steps if none. Raises `Unreadable`."""
    steps: list[Step] = []
    back_to: int | None = None
    for found in STEP.finditer(text):
        if found["back"] is not None:
            back_to = int(found["back"])
        elif found["stuttering"] is not None:
            back_to = len(steps)
        else:
            steps.append(Step(_action(found["action"]), _state(found["state"])))
    return Behaviour(tuple(steps), back_to)


def _action(printed: str) -> str:
    return "Init" if printed == "Initial" else printed


def _state(text: str) -> dict[str, Value]:
    _, *parts = VARIABLE.split(text)
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {name: read_value(value) for name, value in pairs}
