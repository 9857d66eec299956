"""What drives peers: a real process by lines, a real server that stalls, a page of what came out.

No peer is installed here: a program of a few lines stands for one, and lies when it is told to.
"""

import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench.__main__ import disagreeing
from bench.engines import ENGINE, FLOOR, Disagreement
from bench.in_process import Comparison, Measured
from bench.markdown import markdown
from bench.measure import Latency, Rates, Ratio, summed_up
from bench.open_loop import post_on_schedule
from bench.page import page
from bench.peers.catalogue import Environment, Library
from bench.peers.install import Installed
from bench.peers.libraries import DISAGREES, About, check, libraries
from bench.peers.process import Peer, PeerFailed, started
from bench.report import Report
from bench.workload import SIZES, Workload, workload

PEER = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "load":
        told = {"version": "1.2", "seconds": 0.5}
    elif asked["do"] == "answer":
        told = {"answers": [True] * (asked["count"] - LACKING)}
    elif asked["do"] == "run":
        told = {"cpu_ns": asked["count"] * 1000, "wall_ns": 0}
    else:
        sys.exit(1)
    print(json.dumps(told), flush=True)
"""
HOST = "127.0.0.1"
STALL_SECONDS = 0.4
STALLS_AT = 50
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def load() -> Workload:
    """A workload of which the first question is denied, and others are allowed."""
    return workload(SIZES["S"], constrained=False, count=20)


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    """A peer that allows everything."""
    command = (sys.executable, "-c", PEER.replace("LACKING", "0"))
    with started(command, folder=tmp_path, log=tmp_path / "log") as running:
        yield running


@pytest.fixture
def stalling_port() -> Iterator[int]:
    """A server that answers at once, but once, after some requests, nobody for a while."""
    listener = socket.create_server((HOST, 0))
    one_at_a_time = threading.Lock()
    requests = 0

    def answer(connection: socket.socket) -> None:
        nonlocal requests
        with connection:
            while connection.recv(65_536):
                with one_at_a_time:
                    requests += 1
                    if requests == STALLS_AT:
                        time.sleep(STALL_SECONDS)
                connection.sendall(ANSWER)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    # Who waits for a connection is not woken by a mere close.
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def test_a_peer_is_driven_line_by_line(peer: Peer, tmp_path: Path) -> None:
    """It loads, answers, and tells its own time, of which rates and counts are made."""
    assert peer.load(tmp_path / "any").version == "1.2"
    assert peer.answers(3) == [True, True, True]
    assert peer.run(500) == 1_000_000
    assert peer.count_for(0.001, most=10_000) == 1_000
    assert peer.count_for(2.0, most=400) == 400


def test_a_peer_that_ends_is_told_apart(peer: Peer) -> None:
    """What it was asked when it ended is in the message, and it stays ended."""
    with pytest.raises(PeerFailed, match="asked to time"):
        peer.nanoseconds(1)
    with pytest.raises(PeerFailed):
        peer.answers(1)


def test_a_missing_answer_is_noticed(tmp_path: Path) -> None:
    """Fewer answers than questions are no answers."""
    command = (sys.executable, "-c", PEER.replace("LACKING", "1"))
    with (
        started(command, folder=tmp_path, log=tmp_path / "log") as running,
        pytest.raises(PeerFailed, match="2 answers to 3 questions"),
    ):
        running.answers(3)


def test_a_disagreement_is_an_error(load: Workload) -> None:
    """A peer that allows what is denied is not timed; one that is right is."""
    check("right", load, list(load.expected))
    with pytest.raises(Disagreement, match="liar does not answer"):
        check("liar", load, [True] * len(load.questions))


@pytest.fixture
def liar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The only library there is: it allows everything."""
    program = tmp_path / "liar.py"
    program.write_text(PEER.replace("LACKING", "0"), encoding="utf-8")
    one = Library("liar", Environment.PYTHON, "liar", "it says yes", leaves_out={})
    there = Installed((sys.executable, str(tmp_path / "MODULE.py")), tmp_path)
    monkeypatch.setattr("bench.peers.libraries.libraries_for", lambda _size: (one,))
    monkeypatch.setattr("bench.peers.libraries.left_out", lambda _size: {})
    monkeypatch.setattr("bench.peers.libraries.installed", lambda _environment: there)
    monkeypatch.setattr("bench.peers.libraries.MADE", tmp_path)
    return one.name


def test_a_library_that_disagrees_is_not_compared_and_fails_the_run(
    load: Workload, liar: str, report: Report
) -> None:
    """It is in no table, it is told with the reason, and the run ends as failed."""
    with libraries(load) as (found, absent):
        assert found == {}
        assert absent[liar].startswith(DISAGREES)
    assert list(disagreeing(report)) == []
    failed = replace(report.in_process[0], absent=absent)
    assert list(disagreeing(replace(report, in_process=[failed]))) == [liar]


def test_a_server_that_stalls_once_shows_it(stalling_port: int) -> None:
    """Its p99 is about as long as the stall: who was due meanwhile has waited, sent or not."""
    taken = post_on_schedule(stalling_port, "/", [b"{}"] * 300, per_second=500)
    assert len(taken) == 300
    assert summed_up(taken).p99 > 0.8 * STALL_SECONDS * 1e9
    assert sum(each > 0.2 * STALL_SECONDS * 1e9 for each in taken) > 100


def measured(rate: float) -> Measured:
    """An engine of that rate, exactly, in every run."""
    ratio = Ratio(1_000 / rate, 900 / rate, 1_100 / rate)
    return Measured(Rates((rate,)), Ratio(1.0, 1.0, 1.0), ratio, Latency(1, 2, 3), questions=10)


@pytest.fixture
def report() -> Report:
    """A run in which one peer was compared and another could not be had."""
    comparison = Comparison(
        "S",
        constrained=False,
        questions=10,
        digest="0",
        engines={FLOOR: measured(2_000), ENGINE: measured(1_000), "peer<1>": measured(100)},
        peers={"peer<1>": About("1.2", "its best path", 0.5)},
        absent={"other": "`npm` is not installed"},
    )
    machine = {"python": "3.11", "cores": 2}
    return Report(machine, "python -m bench", quick=False, peers=True, in_process=[comparison])


def test_the_page_tells_who_was_compared_and_who_was_not(report: Report) -> None:
    """Ratios with their spread, versions, best paths and reasons; a plot; nothing to fetch."""
    written = page(report)
    for told in (
        "peer&lt;1&gt;",
        "10x [9.00 to 11]",
        "peer&lt;1&gt; 1.2: its best path; 10 questions, loaded in 0.5 s",
        "other: not compared, `npm` is not installed",
        "python 3.11, cores 2",
        '<tr class="ours"><td>engine</td>',
        "<svg ",
        "currentColor",
    ):
        assert told in written, told
    assert "Peers were not asked for" not in written
    assert "Peers were not asked for" in page(replace(report, peers=False))
    assert " src=" not in written
    assert 'href="http' not in written


def test_markdown_has_the_command_and_the_tables(report: Report) -> None:
    """What goes into the documentation says how it was made."""
    first, *tables = markdown(report)
    assert first == "`python -m bench`: python 3.11, cores 2"
    assert "| peer<1> | 10x [9.00 to 11] |" in tables[0]
    assert "| engine | 1,000 | 0% |" in tables[1]
