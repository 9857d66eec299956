"""`grantproof serve`: what is looked at before the service starts, and what it says."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from grantproof.cli.exits import Stop
from grantproof.cli.serve import (
    announce,
    check_address,
    environment,
    first_check,
    is_loopback,
    listening,
)
from grantproof.settings import Settings
from tests.unit.cli.conftest import Run


@pytest.fixture
def busy_port() -> Iterator[int]:
    """A port on which another program listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        yield int(taken.getsockname()[1])


def test_a_busy_port_is_one_line(run: Run, busy_port: int) -> None:
    """It says what to do, and nothing is announced."""
    ended = run("serve", "--demo", "--port", str(busy_port))
    line = f"port {busy_port} is in use: stop the other program or choose another with --port"
    assert (ended.code, ended.line) == (2, line)


OUTSIDE = ("0.0.0.0", "::", "192.0.2.1", "example.org", "localhost.x")  # noqa: S104  # all refused


@pytest.mark.parametrize("host", OUTSIDE)
def test_an_address_that_others_can_reach_needs_insecure(host: str, run: Run) -> None:
    """The line names the remedy."""
    ended = run("serve", "--host", host)
    assert ended.code == 2
    assert ended.line.startswith(f"there is no authentication yet, and others can reach `{host}`")
    assert "--insecure" in ended.line
    check_address(Settings(host=host), insecure=True)


@pytest.mark.parametrize("insecure", [[], ["--insecure"]])
def test_the_demo_is_for_this_machine_only(insecure: list[str], run: Run) -> None:
    """Nothing can talk it out of that."""
    ended = run("serve", "--demo", "--host", "0.0.0.0", *insecure)  # noqa: S104  # what is refused
    line = "the demo is for this machine only, `0.0.0.0` is not: leave --host out"
    assert (ended.code, ended.line) == (2, line)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_addresses_need_nothing(host: str) -> None:
    """Nobody else can reach them."""
    assert is_loopback(host)
    check_address(Settings(host=host, demo=True), insecure=False)


@pytest.mark.parametrize(
    ("host", "line"),
    [("192.0.2.1", "is not one of this machine"), ("no host", "is not known")],
)
def test_an_address_that_cannot_be_used_is_one_line(host: str, line: str) -> None:
    """The line says to give another."""
    with pytest.raises(Stop, match=f"{line}: give another with --host"):
        listening(host, 0)


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_that_cannot_be_is_one_line(port: str, run: Run) -> None:
    """The setting and its rule are named."""
    ended = run("serve", "--port", port)
    assert ended.code == 2
    assert ended.line.startswith("the setting GRANTPROOF_PORT must be")


def test_a_database_that_cannot_be_used_stops_the_start(run: Run) -> None:
    """One line instead of a log."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    ended = run("serve", "--port", str(port), "--database", "missing/folder/x.db")
    assert (ended.code, ended.line) == (3, "there is no folder `missing/folder`: create it")


def test_settings_reach_the_application_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written into the environment is read back as the same settings."""
    settings = Settings(demo=True, host="::1", port=1, database_url="x.db", follow_seconds=0.5)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_the_demo_is_announced_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    """One loud line, where it listens, and what to paste next."""
    announce(Settings(demo=True, port=9191))
    demo, where, try_next, *pasted = capsys.readouterr().out.splitlines()
    assert demo == (
        "DEMO: loopback only, no authentication, bound to `acme`, callers may supply the context"
    )
    assert "http://127.0.0.1:9191" in where
    assert try_next == "try next:"
    assert tuple(pasted) == first_check("http://127.0.0.1:9191")
    assert pasted[0].strip().startswith("curl -s http://127.0.0.1:9191/evaluate")


def test_other_services_are_announced_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it listens; an address of version 6 stands in brackets."""
    announce(Settings(host="::1", port=9191))
    assert capsys.readouterr().out == (
        "grantproof listens on http://[::1]:9191, stop it with Ctrl-C\n"
    )


def test_an_address_that_others_can_reach_is_announced_loudly(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever insists is told what that means."""
    announce(Settings(host="192.0.2.1"))
    assert capsys.readouterr().out.startswith("INSECURE: others can reach this address")
