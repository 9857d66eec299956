"""`grantproof serve --print-config`: every setting and where it comes from, and no secret."""

from pathlib import Path

import pytest

from grantproof.settings import Settings
from tests.unit.cli.conftest import Run

SECRET = "open-sesame"  # noqa: S105 - what must not be shown
ISSUER = {"GRANTPROOF_JWT_ISSUER": "https://issuer.example", "GRANTPROOF_JWT_AUDIENCE": "us"}
NAMES = [f"GRANTPROOF_{name.upper()}" for name in Settings.model_fields]


def test_every_setting_is_told_with_its_origin(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Flags before the environment before the default; nothing is started or made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRANTPROOF_PORT", "9191")
    monkeypatch.setenv("GRANTPROOF_MAX_STALENESS", "7")
    place = tmp_path / "nowhere.db"
    ended = run("serve", "--print-config", "--port", "9292", "--demo", "--database", str(place))
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert [line.partition("=")[0] for line in lines] == NAMES
    for line in (
        f"GRANTPROOF_DATABASE_URL={place}  # flag",
        "GRANTPROOF_PORT=9292  # flag",
        "GRANTPROOF_DEMO=true  # flag",
        "GRANTPROOF_MAX_STALENESS=7.0  # environment",
        "GRANTPROOF_HOST=127.0.0.1  # default",
        "GRANTPROOF_CASES=  # default",
    ):
        assert line in lines
    assert list(tmp_path.glob("nowhere*")) == []


def test_programs_get_json(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same by name."""
    monkeypatch.setenv("GRANTPROOF_PORT", "9191")
    told = run("serve", "--print-config", "--json").json
    assert list(told) == NAMES
    assert told["GRANTPROOF_PORT"] == {"value": "9191", "from": "environment"}
    assert told["GRANTPROOF_HOST"]["from"] == "default"


@pytest.mark.parametrize(
    "settings",
    [
        {"GRANTPROOF_DATABASE_URL": f"postgresql://ann:{SECRET}@db.example/acme"},
        {"GRANTPROOF_DATABASE_URL": f"postgresql://db.example/acme?password={SECRET}&user=ann"},
        {"GRANTPROOF_DATABASE_URL": f"postgresql://db.example/acme?sslpassword={SECRET}"},
        {"GRANTPROOF_DATABASE_URL": f"postgresql://ann:p@{SECRET}@db.example/acme"},
        {"GRANTPROOF_DATABASE_URL": f"mysql://ann:{SECRET}@db.example/acme"},
        {"GRANTPROOF_DATABASE_URL": f"postgresql://ann:{SECRET}@db.example:port/acme"},
        {**ISSUER, "GRANTPROOF_JWT_JWKS_URL": f"https://issuer.example/keys?token={SECRET}"},
    ],
)
def test_no_secret_is_printed(
    run: Run, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    """A password in any place where one can be, in an address that is none too."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for options in ((), ("--json",)):
        ended = run("serve", "--print-config", *options)
        assert ended.code == 0
        assert SECRET not in ended.out + ended.err
        assert "example" in ended.out or "***" in ended.out


def test_a_wrong_setting_is_one_line_here_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, as without the option; its value is not repeated."""
    monkeypatch.setenv("GRANTPROOF_TRUSTED_PROXIES", SECRET)
    ended = run("serve", "--print-config")
    assert ended.code == 2
    assert ended.line.startswith("the setting GRANTPROOF_TRUSTED_PROXIES must be addresses or")
    assert SECRET not in ended.line
