"""The peers that are libraries, each running with a workload that it answers as expected."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.engines import Disagreement
from bench.peers.catalogue import Environment, Library, left_out, libraries_for
from bench.peers.files import write
from bench.peers.install import MADE, Absent, Installed, installed
from bench.peers.process import RUN_SECONDS_MAX, Peer, PeerFailed, started
from bench.workload import Workload

DISAGREES: Final = "its answers differ: "
"""Begins the reason why a peer was left out that answers otherwise: a run with one has failed."""


@dataclass(frozen=True, slots=True)
class About:
    """What a peer is: its version, its best path, and the seconds that loading took."""

    version: str
    path: str
    load_seconds: float


@dataclass(frozen=True, slots=True)
class Ready:
    """A peer that answered as it should, and how many questions one run of it takes."""

    peer: Peer
    about: About
    count: int

    def run(self) -> float:
        """Let it answer them, and return the decisions a second."""
        return self.peer.run(self.count)


@contextmanager
def libraries(load: Workload) -> Iterator[tuple[dict[str, Ready], dict[str, str]]]:
    """Start every library that can be had here, each with the workload and its answers checked."""
    size = load.tables.size.name
    file = MADE / f"{size}.json"
    write(load, file)
    environments = {each: installed(each) for each in Environment}
    found: dict[str, Ready] = {}
    absent = left_out(size)
    with ExitStack() as running:
        for library in libraries_for(size):
            where = environments[library.environment]
            if isinstance(where, Absent):
                absent[library.name] = where.reason
                continue
            try:
                found[library.name] = running.enter_context(_ready(library, where, load, file=file))
            except PeerFailed as why:
                absent[library.name] = str(why)
            except Disagreement as why:
                absent[library.name] = f"{DISAGREES}{why}"
        yield found, absent


@contextmanager
def _ready(library: Library, where: Installed, load: Workload, *, file: Path) -> Iterator[Ready]:
    log = MADE / f"{library.module}.log"
    with started(where.program(library.module), folder=where.folder, log=log) as peer:
        loaded = peer.load(file)
        count = peer.count_for(RUN_SECONDS_MAX, most=len(load.questions))
        check(library.name, load, peer.answers(count))
        yield Ready(peer, About(loaded.version, library.path, loaded.seconds), count)


def check(name: str, load: Workload, answers: list[bool]) -> None:
    """Raise `Disagreement` unless these are the expected answers to the first questions."""
    for answer, question, expected in zip(answers, load.questions, load.expected, strict=False):
        if answer != expected:
            message = f"{name} does not answer {expected} to {question}"
            raise Disagreement(message)
