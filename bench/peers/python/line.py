"""What every peer in Python shares: the line protocol that `bench.peers.process` speaks.

A line in is a JSON object with `do`, a line out its answer: `load` a workload, `answer` the first
questions, `run` them once for their time, `time` them one by one. Only the standard library is
here. A peer gives a function, and the arguments of each call of it.
"""

import gc
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, perf_counter_ns, process_time_ns
from typing import Any

Tables = dict[str, Any]
"""The file that `bench.peers.files` writes, as it was parsed."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Ready:
    """A loaded peer: what to call, with what for each question, and whether the result allows."""

    call: Callable[..., object]
    rows: list[Row]
    allows: Callable[[Any], bool] = bool


def serve(load: Callable[[Tables], Ready], package: str) -> None:
    """Answer lines until there are no more."""
    # What an engine prints must not come between the answers.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    ready = Ready(bool, [])
    for line in sys.stdin:
        asked = json.loads(line)
        match asked["do"]:
            case "load":
                started = perf_counter()
                gc.disable()
                ready = load(json.loads(Path(asked["file"]).read_text(encoding="utf-8")))
                gc.enable()
                gc.collect()
                gc.freeze()
                told: dict[str, Any] = {
                    "version": version(package),
                    "seconds": perf_counter() - started,
                }
            case "answer":
                some = ready.rows[: asked["count"]]
                told = {"answers": [ready.allows(ready.call(*row)) for row in some]}
            case "run":
                told = _run(ready.call, ready.rows[: asked["count"]])
            case _:
                told = {"nanoseconds": _times(ready.call, ready.rows[: asked["count"]])}
        print(json.dumps(told), file=out, flush=True)


def granting_roles(tables: Tables) -> dict[tuple[str, str], list[str]]:
    """Return, for each target of a grant, every role that has it by its own grant or an ancestor's.

    This is the closure that an application makes when an engine has no role graph of its own.
    """
    children: dict[str, list[str]] = {role: [] for role in tables["roles"]}
    for role, parents in tables["roles"].items():
        for parent in parents:
            children[parent].append(role)
    granting: dict[tuple[str, str], dict[str, None]] = {}
    for role, action, resource, _ in tables["grants"]:
        found = granting.setdefault((action, resource), {})
        work = [role]
        while work:
            below = work.pop()
            if below not in found:
                found[below] = None
                work.extend(children[below])
    return {target: list(roles) for target, roles in granting.items()}


def effective_roles(tables: Tables, principal: str) -> list[str]:
    """Return the roles of the principal and all that they inherit from."""
    found = dict.fromkeys(tables["principals"][principal])
    work = list(found)
    while work:
        for parent in tables["roles"][work.pop()]:
            if parent not in found:
                found[parent] = None
                work.append(parent)
    return list(found)


def _run(call: Callable[..., object], rows: list[Row]) -> Tables:
    wall, cpu = perf_counter_ns(), process_time_ns()
    if len(rows[0]) == 1:
        for (one,) in rows:
            call(one)
    else:
        for one, two, three in rows:
            call(one, two, three)
    return {"cpu_ns": process_time_ns() - cpu, "wall_ns": perf_counter_ns() - wall}


def _times(call: Callable[..., object], rows: list[Row]) -> list[int]:
    taken = []
    for row in rows:
        started = perf_counter_ns()
        call(*row)
        taken.append(perf_counter_ns() - started)
    return taken
