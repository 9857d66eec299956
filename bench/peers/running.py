"""The peer servers that can be run here: installed, started on loopback, given the workload."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

from bench.http_client import Unexpected
from bench.peers.install import MADE, Absent
from bench.peers.libraries import About
from bench.peers.served.casbin import CachedCasbin, Casbin
from bench.peers.served.cerbos import Cerbos
from bench.peers.served.opa import Opa
from bench.peers.served.openfga import OpenFga
from bench.peers.served.shape import Served
from bench.peers.served.spicedb import SpiceDb
from bench.servers import NotServing, Server, free_port, running
from bench.workload import Workload

SERVED: Final[tuple[type[Served], ...]] = (Opa, Cerbos, OpenFga, SpiceDb, Casbin, CachedCasbin)
ONE_PROCESSOR: Final = {"GOMAXPROCS": "1"}
"""Our server is one worker, which has one processor: a Go program would take all there are."""

UNCONSTRAINED: Final = "it is compared without constraints only"


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """A peer that listens and has the workload."""

    served: Served
    server: Server
    about: About


@contextmanager
def peer_servers(load: Workload) -> Iterator[tuple[dict[str, RunningPeer], dict[str, str]]]:
    """Start every server that can be had here; those that cannot are told with the reason."""
    found: dict[str, RunningPeer] = {}
    absent: dict[str, str] = {}
    with ExitStack() as all_of_them:
        for each in SERVED:
            size = load.tables.size.name
            if load.constrained and not each.constrained:
                absent[each.name] = UNCONSTRAINED
                continue
            if each.sizes is not None and size not in each.sizes:
                absent[each.name] = each.why
                continue
            program = each.program()
            if isinstance(program, Absent):
                absent[each.name] = program.reason
                continue
            try:
                found[each.name] = all_of_them.enter_context(_running(each(), program, load))
            except (NotServing, Unexpected, OSError) as why:
                absent[each.name] = str(why)[:300]
        yield found, absent


@contextmanager
def _running(served: Served, program: Path, load: Workload) -> Iterator[RunningPeer]:
    folder = MADE / "served" / served.name.replace(" ", "-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    started = perf_counter()
    served.prepare(load, folder)
    port = free_port()
    command = served.command(program, port, folder)
    with running(command, ONE_PROCESSOR, port=port, log=folder / "log") as process:
        served.fill(load, port)
        about = About(served.version(), served.path, perf_counter() - started)
        yield RunningPeer(served, Server(port, process.pid, served.credential()), about)
