"""How much each survival test does: one table, a small scale for `make test`, a full one.

GRANTPROOF_SURVIVE=full chooses the full scale, which `make survive` does. The code is the same.
"""

import os
from dataclasses import dataclass
from typing import Final

SETTING: Final = "GRANTPROOF_SURVIVE"


@dataclass(frozen=True, slots=True)
class Scale:
    """The numbers of one scale; times are in seconds."""

    kills: int
    """How often a serving process is killed, on each kind of database."""
    writes: int
    """How many changes are asked for around each of these kills."""
    outages: int
    """How often the PostgreSQL server is taken away."""
    outage_seconds: float
    cuts: int
    """How often a replica is cut off from its database."""
    cut_seconds: float
    racers: int
    """How many administrators race at the same time."""
    racing_seconds: float
    traced_rounds: int
    """How many rounds of the race are recorded for TLC."""
    traced_racers: int
    hostile_requests: int
    hostile_drawn: int
    """How many of them are drawn from the OpenAPI document, each on its own, which takes long."""
    fuzz_runs: int
    """How many inputs each parser is given at most by the coverage-guided fuzzer."""
    fuzz_seconds: int
    """How long it goes on with each parser at most."""
    steps_back: int
    """How often the clock is set back."""
    disk_changes: int
    """How many changes are asked for while the disk is full."""
    checkers_killed: int
    solvers_ended: int
    """How often a solver hangs in each way, is killed, or takes too much memory."""
    soak_seconds: float
    soak_sample_seconds: float


SCALES: Final = {
    "small": Scale(
        kills=2,
        writes=60,
        outages=2,
        outage_seconds=1.6,
        cuts=1,
        cut_seconds=2.5,
        racers=16,
        racing_seconds=3.0,
        traced_rounds=6,
        traced_racers=8,
        hostile_requests=1_000,
        hostile_drawn=124,
        fuzz_runs=4_000,
        fuzz_seconds=20,
        steps_back=2,
        disk_changes=8,
        checkers_killed=1,
        solvers_ended=1,
        soak_seconds=6.0,
        soak_sample_seconds=0.25,
    ),
    "full": Scale(
        kills=10,
        writes=1_000,
        outages=10,
        outage_seconds=4.0,
        cuts=10,
        cut_seconds=6.0,
        racers=64,
        racing_seconds=30.0,
        traced_rounds=40,
        traced_racers=64,
        hostile_requests=100_000,
        hostile_drawn=4_960,
        fuzz_runs=1_000_000,
        fuzz_seconds=120,
        steps_back=10,
        disk_changes=500,
        checkers_killed=20,
        solvers_ended=20,
        soak_seconds=60.0,
        soak_sample_seconds=1.0,
    ),
}


def chosen(name: str) -> Scale:
    """The scale of that name, the small one when none is given; raises for an unknown name."""
    if name not in SCALES and name != "":
        raise ValueError(f"{SETTING} must be one of {', '.join(SCALES)}, not `{name}`")
    return SCALES[name or "small"]


SCALE: Final = chosen(os.environ.get(SETTING, ""))
