"""Settings: the environment read once, and a wrong one named with its rule."""

import re

import pytest
from pydantic import ValidationError

from grantproof.cli.exits import Stop
from grantproof.cli.local import LocalOperator
from grantproof.settings import JWT_ALGORITHMS, SHARED, Settings

ISSUER = {"jwt_issuer": "https://issuer.example", "jwt_audience": "grantproof"}
URL = {**ISSUER, "jwt_jwks_url": "https://issuer.example/keys.json"}


def test_without_an_issuer_no_tokens_are_read() -> None:
    """That is the default, and complete."""
    settings = Settings()
    assert settings.jwt_issuer is None
    assert settings.jwt_algorithms_pinned == frozenset(JWT_ALGORITHMS)


@pytest.mark.parametrize(
    "source",
    [
        {"jwt_jwks_url": "https://issuer.example/keys"},
        {"jwt_jwks_url": "https://issuer.example:8443/a/keys?version=1"},
        {"jwt_jwks_url": "http://127.0.0.1:8000/keys"},
        {"jwt_jwks_url": "http://localhost/keys"},
        {"jwt_jwks_url": "http://[::1]:1/keys"},
        {"jwt_jwks_file": "/etc/keys.json"},
    ],
)
def test_an_issuer_has_one_source_of_keys(source: dict[str, str]) -> None:
    """An address by https, one on this machine, or a file."""
    assert Settings.model_validate({**ISSUER, **source}).jwt_issuer == ISSUER["jwt_issuer"]


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"jwt_issuer": "i"}, "GRANTPROOF_JWT_AUDIENCE is required with GRANTPROOF_JWT_ISSUER"),
        (ISSUER, "GRANTPROOF_JWT_JWKS_FILE is required with GRANTPROOF_JWT_ISSUER, or"),
        ({"jwt_audience": "a"}, "GRANTPROOF_JWT_AUDIENCE does nothing without GRANTPROOF_JWT_ISS"),
        ({"jwt_jwks_file": "f"}, "GRANTPROOF_JWT_JWKS_FILE does nothing without GRANTPROOF_JWT_I"),
        ({**URL, "jwt_jwks_file": "f"}, "GRANTPROOF_JWT_JWKS_FILE must not come together with"),
        ({**URL, "jwt_issuer": ""}, "GRANTPROOF_JWT_ISSUER must"),
        ({"max_staleness": 0}, "GRANTPROOF_MAX_STALENESS must be greater than or equal to 0.1"),
        ({"max_staleness": 301}, "GRANTPROOF_MAX_STALENESS must be less than or equal to 300"),
        ({"contracts_shadow": 1.5}, "GRANTPROOF_CONTRACTS_SHADOW must be less than or equal to 1"),
        ({"contracts_changes": -1}, "GRANTPROOF_CONTRACTS_CHANGES must be greater than or equal"),
        ({"contracts_state_seconds": "x"}, "GRANTPROOF_CONTRACTS_STATE_SECONDS must be a valid"),
        ({"workers": 0}, "GRANTPROOF_WORKERS must be greater than or equal to 1"),
        ({"workers": 65}, "GRANTPROOF_WORKERS must be less than or equal to 64"),
        ({"solver_seconds_max": 0.09}, "GRANTPROOF_SOLVER_SECONDS_MAX must be greater than or eq"),
        ({"solver_seconds_max": 3601}, "GRANTPROOF_SOLVER_SECONDS_MAX must be less than or equal"),
        ({"solver_memory_mib_max": 63}, "GRANTPROOF_SOLVER_MEMORY_MIB_MAX must be greater than"),
        ({"solver_memory_mib_max": 1.5}, "GRANTPROOF_SOLVER_MEMORY_MIB_MAX must be a valid int"),
        ({"solvers_max": 0}, "GRANTPROOF_SOLVERS_MAX must be greater than or equal to 1"),
        ({"solvers_max": 65}, "GRANTPROOF_SOLVERS_MAX must be less than or equal to 64"),
        ({"cases_max": 0}, "GRANTPROOF_CASES_MAX must be greater than or equal to 1"),
        ({"max_staleness": "soon"}, "GRANTPROOF_MAX_STALENESS must be a valid number"),
    ],
)
def test_what_does_not_fit_is_one_line(given: dict[str, object], line: str) -> None:
    """The setting and its rule."""
    with (
        LocalOperator(None, None, json=False) as operator,
        pytest.raises(Stop, match=re.escape(f"the setting {line}")),
    ):
        operator.settings_with(given)


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.example/keys",
        "http://127.0.0.1.evil.example/keys",
        "http://localhost.evil.example/keys",
        "https://user:secret@issuer.example/keys",
        "https://issuer.example/keys#part",
        "https:///keys",
        "https://issuer.example:port/keys",
        "https://issuer.example/a b",
        "https://issuer.example/\r\nHost: other",
        "file:///etc/passwd",
        "ftp://issuer.example/keys",
        "issuer.example/keys",
        "",
    ],
)
def test_an_address_that_cannot_be_trusted_is_refused(url: str) -> None:
    """Keys that anybody on the way may exchange are no keys."""
    with pytest.raises(ValidationError, match="must be an https address without user, or http on"):
        Settings.model_validate({**ISSUER, "jwt_jwks_url": url})


@pytest.mark.parametrize(
    "algorithms", ["none", "HS256", "ES256 HS256", "RS256,ES256", "es256", "", " ", "PS256", "any"]
)
def test_only_asymmetric_algorithms_are_pinned(algorithms: str) -> None:
    """No `none`, nothing symmetric, nothing unknown."""
    with pytest.raises(ValidationError, match="must be some of EdDSA, ES256, RS256, separated by"):
        Settings.model_validate({**URL, "jwt_algorithms": algorithms})


def test_algorithms_can_be_fewer() -> None:
    """As many as the issuer uses."""
    settings = Settings.model_validate({**URL, "jwt_algorithms": "RS256  ES256"})
    assert settings.jwt_algorithms_pinned == {"RS256", "ES256"}


def test_callers_are_trusted_by_their_scope_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting that trusted everybody is gone; what it was set to changes nothing."""
    monkeypatch.setenv("GRANTPROOF_TRUST_CONTEXT", "true")
    assert [name for name in Settings.model_fields if "context" in name] == []


@pytest.mark.parametrize("workers", [1, 2, 3, 7, 64])
def test_workers_share_what_the_service_has(workers: int) -> None:
    """Together never more than the setting, nothing else is changed, and nobody has nothing."""
    whole = Settings(
        workers=workers,
        connections_max=1_000,
        attempts_per_minute=120,
        attempts_burst=64,
        rate_limit=10.5,
        decision_log_queue=64,
        solvers_max=64,
    )
    one = whole.of_one_worker()
    for name in SHARED:
        assert 0 < getattr(one, name) * workers <= getattr(whole, name), name
    assert one.rate_limit == 10.5 / workers
    assert one.workers == 1
    assert one.model_copy(update={name: getattr(whole, name) for name in (*SHARED, "workers")}) == (
        whole
    )


def test_a_share_is_never_no_limit_and_no_limit_is_never_a_share() -> None:
    """0 says that there is none; fewer than there are workers leave each of them one."""
    few = Settings(workers=8, connections_max=3, attempts_per_minute=3, attempts_burst=1)
    one = few.of_one_worker()
    assert (one.connections_max, one.attempts_per_minute, one.attempts_burst) == (1, 1, 1)
    none = Settings(workers=8, attempts_per_minute=0, rate_limit=0).of_one_worker()
    assert (none.attempts_per_minute, none.rate_limit) == (0, 0)
