"""The workloads of real companies: user-permission matrices of HP Labs, with roles mined of them.

They are read from `../shared/data` where that is there; none of them is in the repository. A
permission is a resource with the one action `use`. Conditions, where asked for, are drawn: none
were published.
"""

import os
import random
from pathlib import Path
from typing import Final

from bench.workload import (
    SEED,
    SIZES,
    Grant,
    Size,
    Tables,
    Workload,
    asked_of,
    draw_condition,
    workload,
)
from tests.differential.role_mining import NAMES, USE, read_decomposition, read_matrix

FOLDER: Final = Path(
    os.environ.get("GRANTPROOF_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)
METHOD: Final = "optimal_cover"
MINED: Final = tuple(f"hp-{name}" for name in NAMES)


def mined_there() -> tuple[str, ...]:
    """Return the names of the real workloads on this machine: all of them, or none."""
    return MINED if (FOLDER / "hp-role-mining").is_dir() else ()


def workload_named(name: str, *, constrained: bool, count: int) -> Workload:
    """Return the drawn workload of a size, or the real one of that name."""
    if name in SIZES:
        return workload(SIZES[name], constrained=constrained, count=count)
    draw = random.Random(f"{SEED}/{name}/{constrained}")
    tables = mined_tables(name, constrained=constrained, draw=draw)
    return asked_of(tables, constrained=constrained, count=count, draw=draw)


def mined_tables(name: str, *, constrained: bool, draw: random.Random) -> Tables:
    """Return a matrix and its published roles as tables; the roles have no parents."""
    folder, published = FOLDER / "hp-role-mining", name.removeprefix("hp-")
    matrix = read_matrix(folder, published)
    roles = read_decomposition(folder, published, METHOD)
    assigned: dict[str, list[str]] = {str(user): [] for user in matrix.users}
    for role in roles:
        for user in role.users:
            assigned[str(user)].append(str(role.id))
    grants = [
        Grant(str(role.id), USE, str(permission), draw_condition(draw) if constrained else None)
        for role in roles
        for permission in role.permissions
    ]
    return Tables(
        Size(name, len(roles), len(assigned), len(matrix.permissions), depth=1, claims_per_role=0),
        tuple(map(str, matrix.permissions)),
        {str(role.id): () for role in roles},
        {user: tuple(held) for user, held in assigned.items()},
        tuple(grants),
        actions=(str(USE),),
    )
