"""Numbers that may only grow: how many obligations, faults, states and properties there are.

`ratchets.toml` pins them, stage by stage. A drop fails, and so does a number nobody reports. A pin
that was left far behind fails, too: as much as it lags could be lost, and nobody would notice.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from specs.gate.report import Row, Stage

TABLE: Final = Path(__file__).with_name("ratchets.toml")
VARYING: Final = frozenset({"events", "lost_races"})
"""What races make differs from run to run: their pins are what every run reaches."""
LAG_MAX: Final = 10
"""A pin may lag by one in so many of what there is."""
Pins = Mapping[str, Mapping[str, int]]


def read_pins(text: str) -> Pins:
    """Return the pinned numbers of each stage. Raises `ValueError`."""
    try:
        return msgspec.convert(tomllib.loads(text), dict[str, dict[str, int]])
    except msgspec.ValidationError as error:
        raise ValueError(f"`{TABLE.name}`: {error}") from error


def held_to(stage: Stage, pins: Pins) -> list[Row]:
    """Return a row for every pinned number of the stage, and one where nothing is pinned."""
    pinned = pins.get(stage.name, {})
    if len(pinned) == 0:
        said = f"{TABLE.name} pins nothing of this stage"
        return [Row("ratchet", stage.name, "unpinned", 0.0, (said,))]
    return [_row(name, stage.numbers.get(name), least) for name, least in pinned.items()]


def _row(name: str, found: int | None, least: int) -> Row:
    if found is None:
        return Row("ratchet", name, "missing", 0.0, (f"{name}: not reported, pinned {least}",))
    if found < least:
        return Row("ratchet", name, "dropped", 0.0, (f"{name}: {found}, pinned {least}",))
    if name not in VARYING and (found - least) * LAG_MAX > found:
        said = f"{name}: {found}, pinned only {least}: raise the pin in {TABLE.name}"
        return Row("ratchet", name, "outgrown", 0.0, (said,))
    return Row("ratchet", f"{name}: {found}, at least {least}", "holds")
