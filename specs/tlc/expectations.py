"""What TLC must say of each configuration: the table `tla/expectations.toml`, parsed strictly."""

import re
import tomllib
from pathlib import Path
from typing import Final, Literal

import msgspec

MODELS: Final = Path(__file__).resolve().parents[2] / "tla"
TABLE: Final = MODELS / "expectations.toml"
HOLDS: Final = 0
DEEP: Final = "deep/"
"""Models too large for the gate: run only when they are asked for."""

# The sections of a .cfg file, and those that list what TLC is to check.
SECTION: Final = re.compile(
    r"\b(SPECIFICATION|CONSTANTS?|INVARIANTS?|PROPERT(?:Y|IES)|SYMMETRY|VIEW|CONSTRAINTS?)\b"
)
CHECKING: Final = ("INVARIANT", "PROPERT")


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One configuration and its verdict.

    `name` is the path below `tla` without its suffix, `property` the ids of `docs/properties.md`,
    `checks` the invariants and properties that it lists, `states` how many distinct ones TLC finds.
    """

    name: str
    module: str
    property: str
    checks: tuple[str, ...]
    exit_code: Literal[0, 12, 13]
    states: int


def expected_verdict(expectation: Expectation) -> Literal["holds", "refuted"]:
    """Return what the exit code means."""
    return "holds" if expectation.exit_code == HOLDS else "refuted"


def is_deep(name: str) -> bool:
    """Return whether the configuration is too large for the gate."""
    return name.startswith(DEEP)


def read_expectations(table: str) -> tuple[Expectation, ...]:
    """Return the rows of the table. Raises `ValueError` on a bad one."""
    return tuple(_row(name, row) for name, row in tomllib.loads(table).items())


def _row(name: str, row: dict[str, object]) -> Expectation:
    try:
        expectation = msgspec.convert({**row, "name": name}, Expectation)
    except msgspec.ValidationError as error:
        raise ValueError(f"`{name}`: {error}") from error
    if len(expectation.checks) == 0:
        raise ValueError(f"`{name}` checks nothing")
    if expectation.exit_code != HOLDS and len(expectation.checks) > 1:
        raise ValueError(f"`{name}` is to be refuted in one property, not in several")
    return expectation


def checks_of(configuration: str) -> tuple[str, ...]:
    """Return the invariants and properties that the text of a .cfg file lists, in its order."""
    uncommented = re.sub(r"\\\*.*", "", configuration)
    _, *parts = SECTION.split(uncommented)
    sections = zip(parts[::2], parts[1::2], strict=True)
    return tuple(
        name for title, body in sections if title.startswith(CHECKING) for name in body.split()
    )


def configurations() -> tuple[str, ...]:
    """Return the names of all configurations there are, sorted; not of traces: `specs.traces`."""
    return tuple(
        sorted(
            path.relative_to(MODELS).with_suffix("").as_posix()
            for path in MODELS.rglob("*.cfg")
            if not path.name.startswith("Trace")
        )
    )
