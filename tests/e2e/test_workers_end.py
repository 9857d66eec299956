"""Workers that end: told to, killed, without a parent, or at every start."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from grantproof.cli.server import SHUTDOWN_SECONDS_MAX
from grantproof.cli.supervisor import TRIES_MAX
from tests.api.service import READ_DOCS
from tests.e2e.several import (
    PATIENCE_SECONDS,
    REQUESTS,
    becomes,
    is_alive,
    serving,
    stopped,
)
from tests.e2e.test_stopping import ANSWERED_MIN, answered, connected, load
from tests.processes import PROGRAM, bare, free_port


@pytest.mark.parametrize("drain", [0, 1])
def test_no_request_is_lost_by_stopping(tmp_path: Path, drain: int) -> None:
    """Clients that keep their connections, decisions and changes, SIGTERM in the middle.

    To every process at once, as some init systems send it.
    """
    with serving(tmp_path, GRANTPROOF_DRAIN_SECONDS=str(drain)) as service:
        group = service.process.pid
        ended = load(service.port, stop=lambda: os.killpg(group, signal.SIGTERM), drain=drain / 2)
        assert service.process.wait(PATIENCE_SECONDS) == 0
        assert set(ended) == {200, 201}, ended
        assert ended[200] > ANSWERED_MIN < ended[201]
        assert list(service.temporary.iterdir()) == []
    assert [line["event"] for line in service.lines if line["level"] != "info"] == []
    assert service.others == []


def test_every_worker_is_told_before_anything_ends(tmp_path: Path) -> None:
    """Not ready at once, still answering; a second signal ends it sooner, and SIGHUP nothing."""
    with serving(tmp_path, GRANTPROOF_DRAIN_SECONDS="3000") as service, ExitStack() as open_now:
        both = [open_now.enter_context(closing(service.connection(one))) for one in (0, 1)]
        # A terminal tells every process; only the parent listens to it.
        os.killpg(service.process.pid, signal.SIGHUP)
        for pid in service.pids().values():
            os.kill(pid, signal.SIGINT)
        time.sleep(0.3)
        for one in both:
            assert answered(one, "GET", "/readyz") == (200, False)
        service.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        for one in both:
            assert answered(one, "GET", "/readyz") == (503, True)
        with closing(connected(service.port)) as fresh:
            assert answered(fresh, "POST", "/evaluate", READ_DOCS) == (200, True)
        began = time.monotonic()
        os.killpg(service.process.pid, signal.SIGINT)
        assert service.process.wait(PATIENCE_SECONDS) == 0
        assert time.monotonic() - began < SHUTDOWN_SECONDS_MAX / 2


@pytest.mark.parametrize("drain", [0, 3000])
def test_a_parent_that_is_killed_leaves_nobody_behind(tmp_path: Path, drain: int) -> None:
    """Also while all are draining: the port is free soon, and so is the temporary folder."""
    with serving(tmp_path, GRANTPROOF_DRAIN_SECONDS=str(drain)) as service:
        pids = service.pids().values()
        assert becomes(lambda: list(service.temporary.glob("grantproof-*/*.prom")) != [])
        if drain > 0:
            service.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
        assert all(map(is_alive, pids))
        service.process.kill()
        service.process.wait()
        assert becomes(lambda: not any(map(is_alive, pids)), seconds=SHUTDOWN_SECONDS_MAX)
        assert becomes(lambda: list(service.temporary.glob("grantproof-*")) == [], seconds=1)
        with pytest.raises(ConnectionRefusedError):
            connected(service.port).connect()
    assert service.others == []


@pytest.mark.skipif(sys.platform != "linux", reason="only the parent makes them there")
def test_workers_are_replaced_when_what_makes_them_is_killed(tmp_path: Path) -> None:
    """The parent cannot see them any more, so they end and others begin; metrics too go on."""
    with serving(tmp_path) as service:
        pids = service.pids()
        (maker,) = {Path(f"/proc/{pid}/stat").read_text().split()[3] for pid in pids.values()}
        os.kill(int(maker), signal.SIGKILL)
        assert becomes(lambda: set(service.pids().values()).isdisjoint(pids.values()))
        assert becomes(lambda: not any(map(is_alive, pids.values())))
        with closing(service.connection(0)) as first, closing(service.connection(1)) as second:
            for connection in (first, second):
                assert answered(connection, "POST", "/evaluate", READ_DOCS) == (200, False)

            def counted() -> dict[str, float]:
                return service.counted(first, REQUESTS, route="/evaluate", status="200")

            assert becomes(lambda: counted() == {"0": 1, "1": 1}, seconds=5)
        assert stopped(service) == 0
        assert list(service.temporary.glob("grantproof-*")) == []


def test_a_worker_that_ends_at_every_start_ends_the_service(tmp_path: Path) -> None:
    """After some tries, each with a line of the log; exit code 3 and one line that says why."""
    log = tmp_path / "decisions"
    with serving(tmp_path, GRANTPROOF_DECISION_LOG=str(log)) as service:
        for path in log.iterdir():
            path.unlink()
        log.rmdir()
        log.write_text("no folder")
        os.kill(service.pids()[1], signal.SIGKILL)
        assert service.process.wait(PATIENCE_SECONDS) == 3
        assert becomes(lambda: len(service.others) == 1, seconds=5)
        lines = service.events("worker ended, another is started")
        assert len(lines) == TRIES_MAX - 1
        pauses = [line["pause"] for line in lines]
        assert pauses[0] == 0 < pauses[-1] <= 2
    why = f"worker 1 could not start, {TRIES_MAX} times in a row: the folder `{log}` of the"
    assert service.others[0].startswith(why)


def test_what_no_worker_can_start_with_ends_the_start(tmp_path: Path) -> None:
    """At once, as with one process: the reason on one line, exit code 3."""
    log = tmp_path / "decisions"
    log.write_text("no folder")
    done = subprocess.run(
        [PROGRAM, "serve", "--demo", "--port", str(free_port()), "--workers", "2"],
        cwd=tmp_path,
        env=bare(GRANTPROOF_DECISION_LOG=str(log)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].startswith(f"the folder `{log}` of the decision log")
    assert "another is started" not in done.stderr
