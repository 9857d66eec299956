"""The workload as a file, which is all that a peer is given: no expected answers are in it."""

import hashlib
import json
from pathlib import Path
from typing import Any

from bench.workload import Grant, Workload


def content(load: Workload) -> bytes:
    """Return tables and questions as JSON; the same bytes for the same seed, on any machine."""
    tables = load.tables
    told = {
        "actions": tables.actions,
        "resources": tables.resources,
        "roles": tables.parents,
        "principals": tables.assigned,
        "grants": [_grant(grant) for grant in tables.grants],
        "questions": load.questions,
    }
    return json.dumps(told, separators=(",", ":")).encode()


def digest(load: Workload) -> str:
    """Return the SHA-256 of tables and questions, to tell whether two runs asked the same."""
    return hashlib.sha256(content(load)).hexdigest()


def write(load: Workload, path: Path) -> None:
    """Write the workload for peers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content(load))


def _grant(grant: Grant) -> list[Any]:
    if grant.condition is None:
        return [*grant[:3], None]
    start, end, regions, limit = grant.condition
    return [*grant[:3], [start, end, sorted(regions), limit]]
