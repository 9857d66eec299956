"""`grantproof serve`: what is looked at before the service starts, and what it says."""

import gc
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from grantproof.bootstrap import why_read_only
from grantproof.cli import serve, server
from grantproof.cli.exits import Stop
from grantproof.cli.local import LocalOperator
from grantproof.cli.serve import (
    announce,
    check_address,
    environment,
    first_check,
    listening,
)
from grantproof.settings import Settings, is_loopback
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


@pytest.mark.parametrize("text", [None, "{", "{}"])
def test_a_report_that_is_none_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    """Whoever names one wants to know whether what runs is verified: nothing is started."""
    path = tmp_path / "report.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("GRANTPROOF_VERIFICATION_REPORT", str(path))
    ended = run("serve", "--demo", "--port", "1")
    start = f"GRANTPROOF_VERIFICATION_REPORT: `{path}` is no report of `make verify` that can be"
    assert ended.code == 2
    assert ended.line.startswith(start)
    assert not (tmp_path / "grantproof.db").exists()


OUTSIDE = ("0.0.0.0", "::", "192.0.2.1", "example.org", "localhost.x")  # noqa: S104  # others reach


@pytest.mark.parametrize("host", OUTSIDE)
def test_an_address_that_others_can_reach_is_no_place_for_the_demo(host: str) -> None:
    """With credentials it is a place like any other."""
    assert not is_loopback(host)
    with pytest.raises(Stop, match="the demo is for this machine only"):
        check_address(Settings(host=host, demo=True))
    check_address(Settings(host=host))


def test_the_demo_is_for_this_machine_only(run: Run) -> None:
    """One line, and nothing is started."""
    ended = run("serve", "--demo", "--host", "0.0.0.0")  # noqa: S104  # what is refused
    line = "the demo is for this machine only, `0.0.0.0` is not: leave --host out"
    assert (ended.code, ended.line) == (2, line)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_addresses_need_nothing(host: str) -> None:
    """Nobody else can reach them."""
    assert is_loopback(host)
    check_address(Settings(host=host, demo=True))


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
    settings = Settings(
        demo=True,
        host="::1",
        port=1,
        database_url="x.db",
        follow_seconds=0.5,
        jwt_issuer="https://issuer.example",
        jwt_audience="us",
        jwt_jwks_file=Path("keys.json"),
        jwt_algorithms="ES256",
    )
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


def test_the_demo_is_announced_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    """One loud line, where it listens, and what to paste next."""
    announce(Settings(demo=True, port=9191))
    demo, where, try_next, *pasted, console = capsys.readouterr().out.splitlines()
    assert demo == (
        "DEMO: loopback only, everybody has the demo's key, bound to `acme`,"
        " callers may supply the context"
    )
    assert "http://127.0.0.1:9191" in where
    assert try_next == "try next:"
    assert tuple(pasted) == first_check("http://127.0.0.1:9191")
    assert console == "or look at it in a browser: http://127.0.0.1:9191/console"
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
    """A key that travels in clear can be read on its way."""
    announce(Settings(host="192.0.2.1"))
    out = capsys.readouterr().out
    assert out.startswith("others can reach this address: let something in front of it encrypt")


def test_a_database_that_takes_no_changes_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """At the start, and not at the first change: what to do, and what works without it."""
    announce(Settings(), read_only="the database `x` cannot be written: do this")
    assert capsys.readouterr().out.splitlines()[-1] == (
        "the database `x` cannot be written: do this;"
        " until then decisions are made and every change is refused"
    )


@pytest.mark.parametrize("unwritable", ["acme.db", "."])
def test_a_file_or_a_folder_that_cannot_be_written_takes_no_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unwritable: str
) -> None:
    """Either is enough: for a change SQLite makes files beside its own. A server says it itself."""
    database = tmp_path / "acme.db"
    settings = Settings(database_url=str(database))
    database.touch()
    assert why_read_only(settings) is None
    assert why_read_only(Settings(database_url="postgresql://db/x")) is None
    denied = (tmp_path / unwritable).resolve()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != denied)
    assert why_read_only(settings) == (
        f"the database `{database}` cannot be written:"
        " allow this user to write the file and its folder"
    )


def test_a_service_without_keys_says_how_to_make_the_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It starts, so that what made the key is followed, but says that nobody can ask."""
    announce(Settings(), keyless=True)
    assert (
        "`grantproof key create --operator` makes one" in capsys.readouterr().out.splitlines()[-1]
    )


def test_no_garbage_is_looked_for_before_there_is_something_to_serve(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is loaded for it stays; when it is served the collector runs as before."""
    seen: dict[str, bool] = {}

    def noting(what: str, found: object = None) -> Callable[..., object]:
        return lambda *_: (seen.update({what: gc.isenabled()}), found)[1]

    monkeypatch.setattr(gc, "freeze", lambda: None)
    monkeypatch.setattr(LocalOperator, "settings_with", noting("settings", Settings(port=port())))
    monkeypatch.setattr(server, "import_module", noting("application"))
    monkeypatch.setattr(serve, "_is_keyless", noting("database", False))
    monkeypatch.setattr(serve, "environment", lambda _: {})
    monkeypatch.setattr(serve, "_run", noting("served"))
    assert gc.isenabled()
    assert run("serve").code == 0
    assert seen == {"settings": False, "application": False, "database": False, "served": True}


def port() -> int:
    """A port on which nothing listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])
