"""The parent of workers: how long it waits before another is started, and when it gives up."""

import os
import signal
import socket
from pathlib import Path

import pytest

from grantproof.adapters.workers import Worker
from grantproof.cli import supervisor
from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.supervisor import (
    PAUSE_SECONDS_MAX,
    RECENT_SECONDS,
    TRIES_MAX,
    Place,
    Supervisor,
    hearing,
)
from grantproof.settings import Settings


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Where nothing runs yet."""
    return Place(Worker(0, tmp_path, prepared=True))


def test_the_first_end_is_mended_at_once(place: Place) -> None:
    """The next ones within a minute after longer and longer, up to a bound; then at once again."""
    pauses = [place.ended(1_000.0 + number) for number in range(TRIES_MAX)]
    assert pauses[0] == 0
    assert place.due == 1_000.0 + TRIES_MAX - 1 + pauses[-1]
    for number, pause in enumerate(pauses[1:]):
        assert 0.125 * 2**number <= pause <= min(0.25 * 2**number, PAUSE_SECONDS_MAX)
    later = 1_000.0 + TRIES_MAX + RECENT_SECONDS
    assert [place.ended(later + number) > 0 for number in range(2)] == [False, True]
    assert max(place.ended(later) for _ in range(50)) <= PAUSE_SECONDS_MAX


def test_a_system_without_room_for_a_process_ends_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After as many tries, with one line; nobody listens any more, signals are as before."""
    handlers = [signal.getsignal(number) for number in supervisor.HEARD]
    tried: list[Worker] = []

    def full(one: Place, _: socket.socket) -> None:
        tried.append(one.worker)
        raise BlockingIOError(11, "no room")

    monkeypatch.setattr(Place, "begin", full)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.001)
    worker = Worker(0, tmp_path, prepared=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = Supervisor(listener, Settings(), [worker])
        with pytest.raises(Stop, match=r"could not start, 5 times in a row: .*no room") as ended:
            one.run()
        assert listener.fileno() == -1
    assert ended.value.code == ExitCode.UNDETERMINED
    assert tried == [worker] * TRIES_MAX
    assert capsys.readouterr().out.count("another is started") == TRIES_MAX - 1
    assert [signal.getsignal(number) for number in supervisor.HEARD] == handlers


def test_signals_are_heard_and_do_nothing_else() -> None:
    """Each by its number, and what was done about them before is done again after."""
    before = signal.getsignal(signal.SIGHUP)
    with hearing() as heard:
        heard.settimeout(10)
        for number in (signal.SIGHUP, signal.SIGTERM):
            os.kill(os.getpid(), number)
            assert heard.recv(1) == bytes([number])
    assert signal.getsignal(signal.SIGHUP) == before
