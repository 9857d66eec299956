"""A mistyped setting is told, with what was probably meant; it changes nothing else."""

from pathlib import Path

import pytest

from grantproof.cli.unknown_settings import unknown_settings
from grantproof.settings import Settings
from tests.unit.cli.conftest import Run


def test_what_is_a_setting_is_not_told() -> None:
    """In either case, as settings are read; nor what commands take, nor what others put there."""
    known = [f"GRANTPROOF_{name}" for name in Settings.model_fields]
    commands = ["GRANTPROOF_ORG", "GRANTPROOF_SERVER", "GRANTPROOF_KEY", "GRANTPROOF_KEY_FILE"]
    links = [
        "GRANTPROOF_SERVICE_HOST",
        "GRANTPROOF_SERVICE_PORT_HTTP",
        "GRANTPROOF_PORT_9090_TCP_ADDR",
    ]
    others = ["HOME", "MY_GRANTPROOF_PORT"]
    names = [*known, *map(str.upper, known), *commands, *links, *others]
    assert list(unknown_settings(dict.fromkeys(names, "x"))) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("GRANTPROOF_DATABSE_URL", "did you mean `GRANTPROOF_DATABASE_URL`?"),
        ("GRANTPROOF_PROT", "did you mean `GRANTPROOF_PORT`?"),
        ("grantproof_hots", "did you mean `GRANTPROOF_HOST`?"),
        ("GRANTPROOF_QQQ", "`grantproof serve --print-config` lists them"),
    ],
)
def test_what_is_none_is_told(name: str, meant: str) -> None:
    """By its name; what it was set to may be a secret."""
    (line,) = unknown_settings({name: "secret"})
    assert line == f"`{name}` in the environment is no setting, and does nothing: {meant}"


def test_every_command_on_a_database_tells_it_once(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Beside what it answers; so does `serve`, before it starts."""
    monkeypatch.setenv("GRANTPROOF_TIPO", "1")
    told = "`GRANTPROOF_TIPO` in the environment is no setting, and does nothing: "
    ended = run("org", "list", "--json")
    assert (ended.code, ended.err.count("\n")) == (0, 1)
    assert ended.err.startswith(told)
    assert ended.json[0]["id"] == "acme"
    shown = run("serve", "--print-config", "--database", str(tmp_path / "none.db"))
    assert (shown.code, shown.err.startswith(told)) == (0, True)
