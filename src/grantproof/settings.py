"""The environment, read once into one frozen value: every setting is `GRANTPROOF_` and its name."""

import ipaddress
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from grantproof.core.errors import Illegal
from grantproof.core.limits import BODY_BYTES_MAX
from grantproof.service.authzen import SubjectTypes, Trusted
from grantproof.service.decision_log import Overflow, Redaction

WORKERS_MAX: Final = 64
SHARED: Final = (
    "decision_log_queue",
    "connections_max",
    "attempts_per_minute",
    "attempts_burst",
    "rate_limit",
    "solvers_max",
)
"""What is said of the service, and kept by each of its processes for itself."""

JWT_ALGORITHMS: Final = ("EdDSA", "ES256", "RS256")
"""Asymmetric ones only: whoever checks a token must not be able to make one."""


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How lines of the log are written; `auto` goes by whether a terminal reads them."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class Settings(BaseSettings):
    """How this process runs. A wrong value stops the start with the setting's name and the rule."""

    model_config = SettingsConfigDict(
        env_prefix="GRANTPROOF_", frozen=True, extra="ignore", validate_default=True
    )

    database_url: str = Field(
        default="sqlite:///grantproof.db",
        description=(
            "where the organizations are stored: the path of a SQLite file,"
            " or `postgresql://user@host/database`"
        ),
        min_length=1,
        # It may hold a password.
        repr=False,
    )
    audit_key_file: Path | None = Field(
        default=None,
        description="the file with the key that seals events; beside a SQLite file by default",
    )
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=9090, ge=1, le=65_535, description="the port to listen on")
    workers: int = Field(
        default=1,
        ge=1,
        le=WORKERS_MAX,
        description="how many processes serve, behind the one address and on the one database",
    )
    demo: bool = Field(default=False, description="serve the organization `acme`, loopback only")
    follow_seconds: float = Field(
        default=0.25, gt=0, le=60, description="how often other writers' changes are looked for"
    )
    max_staleness: float = Field(
        default=5.0,
        ge=0.1,
        le=300,
        description="seconds until a change made elsewhere counts at the latest: what was not"
        " confirmed for longer, keys and organizations, is not answered from",
    )
    jwt_issuer: str | None = Field(
        default=None, min_length=1, description="who issues the tokens: their claim `iss`"
    )
    jwt_audience: str | None = Field(
        default=None, min_length=1, description="for whom tokens are: one of their claim `aud`"
    )
    jwt_jwks_url: str | None = Field(
        default=None, description="where the issuer publishes its keys, by https"
    )
    jwt_jwks_file: Path | None = Field(
        default=None, description="a file with the issuer's keys, instead of an address"
    )
    jwt_algorithms: str = Field(
        default=" ".join(JWT_ALGORITHMS),
        description="the algorithms that tokens may be signed by, separated by spaces",
    )
    body_bytes_max: int = Field(
        default=BODY_BYTES_MAX, ge=1_024, description="the largest request body accepted"
    )
    decision_log: Path | None = Field(
        default=None, description="the folder of the decision log; none is kept without"
    )
    decision_log_share: float = Field(
        default=1.0, ge=0, le=1, description="the share of requests whose decisions are logged"
    )
    decision_log_redact: str = Field(
        default="asked.position",
        description="what is not written, separated by spaces, such as `asked.principal_id claim`",
    )
    decision_log_overflow: Overflow = Field(
        default=Overflow.WAIT,
        description="what happens to requests while the queue is full: wait, drop, or refuse",
    )
    decision_log_queue: int = Field(
        default=10_000, ge=1, le=1_000_000, description="how many decisions may wait to be written"
    )
    decision_log_days: int = Field(
        default=30, ge=1, le=36_500, description="the days after which logged decisions are deleted"
    )
    contracts_changes: float = Field(
        default=1.0, ge=0, le=1, description="the share of changes that are checked before commit"
    )
    contracts_certificates: float = Field(
        default=0.001, ge=0, le=1, description="the share of decisions whose certificate is checked"
    )
    contracts_shadow: float = Field(
        default=0.001, ge=0, le=1, description="the share of decisions that are made twice"
    )
    contracts_state_seconds: float = Field(
        default=3_600,
        ge=0,
        le=31_536_000,
        description="how often whole organizations are checked while served; 0 for never",
    )
    contracts_state_seconds_max: float = Field(
        default=3_600,
        ge=0.1,
        le=31_536_000,
        description="how long the check of a whole organization may take before it is ended",
    )
    cases: Path | None = Field(
        default=None, description="the folder of cases, what was found wrong; none is kept without"
    )
    cases_max: int = Field(
        default=100, ge=1, le=10_000, description="how many cases the folder may hold"
    )
    snapshots: Path | None = Field(
        default=None,
        description="the folder of snapshot files, from which a service starts faster; none are"
        " kept without",
    )
    snapshots_seconds: float = Field(
        default=300,
        gt=0,
        le=31_536_000,
        description="how often the files of organizations that have moved are written while served",
    )
    solver_seconds_max: float = Field(
        default=10,
        ge=0.1,
        le=3_600,
        description="how long the solver may take for a question before that is undetermined",
    )
    solver_memory_mib_max: int = Field(
        default=1_024,
        ge=64,
        le=1_048_576,
        description="how much memory it may take for that, on Linux, in MiB",
    )
    solvers_max: int = Field(
        default=2,
        ge=1,
        le=64,
        description="how many questions the solver works on at once, each in a process of its own",
    )
    verification_report: Path | None = Field(
        default=None,
        description="the `report.json` of `make verify` about what runs, if there is one",
    )
    log_level: LogLevel = Field(default=LogLevel.INFO, description="how much is logged")
    log_format: LogFormat = Field(
        default=LogFormat.AUTO,
        description="how it is written: `json`, `console`, or by whether it is a terminal: `auto`",
    )
    drain_seconds: float = Field(
        default=0,
        ge=0,
        le=3_600,
        description="how long a service that was told to stop goes on answering, while `/readyz`"
        " says that it stops",
    )
    connections_max: int = Field(
        default=10_000, ge=1, le=1_000_000, description="how many connections are open at once"
    )
    attempts_per_minute: int = Field(
        default=120,
        ge=0,
        le=1_000_000,
        description="how many credentials that are not known here an address may present in a"
        " minute; 0 for no limit",
    )
    attempts_burst: int = Field(
        default=60,
        ge=1,
        le=1_000_000,
        description="how many of them it may present at once",
    )
    rate_limit: float = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="how many requests a second each credential may make; 0 for no limit",
    )
    trusted_proxies: str = Field(
        default="",
        description="the addresses or networks, separated by spaces, whose `X-Forwarded-For` is"
        " believed",
    )

    public_url: str | None = Field(
        default=None,
        description="where clients reach this service, such as `https://pdp.example.com`: published"
        " by AuthZEN's metadata, which there is none of without",
    )
    authzen_subject_types: str = Field(
        default="user",
        description="the types of AuthZEN subjects that are principals, separated by spaces;"
        " `TYPE=GROUP` those of a group",
    )
    authzen_trusted: str = Field(
        default="",
        description="the properties of AuthZEN requests that count, separated by spaces, such as"
        " `subject.role context.region`",
    )

    @field_validator("jwt_audience")
    @classmethod
    def _comes_with_issuer(cls, audience: str | None, info: ValidationInfo) -> str | None:
        _check_together(audience, info)
        return audience

    @field_validator("jwt_jwks_url")
    @classmethod
    def _is_secure(cls, url: str | None) -> str | None:
        if url is not None and not _may_be_trusted(url):
            rule = "must be an https address without user, or http on this machine"
            raise PydanticCustomError("address", rule)
        return url

    @field_validator("jwt_jwks_file")
    @classmethod
    def _is_one_source(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        if "jwt_jwks_url" not in info.data:
            return file
        url = info.data["jwt_jwks_url"]
        if file is not None and url is not None:
            rule = "must not come together with GRANTPROOF_JWT_JWKS_URL"
            raise PydanticCustomError("sources", rule)
        _check_together(file or url, info, otherwise=", or GRANTPROOF_JWT_JWKS_URL")
        return file

    @field_validator("jwt_algorithms")
    @classmethod
    def _are_pinned(cls, algorithms: str) -> str:
        named = algorithms.split()
        if len(named) == 0 or not set(named) <= set(JWT_ALGORITHMS):
            rule = f"must be some of {', '.join(JWT_ALGORITHMS)}, separated by spaces"
            raise PydanticCustomError("algorithms", "{rule}", {"rule": rule})
        return algorithms

    @field_validator("decision_log_redact")
    @classmethod
    def _is_redactable(cls, fields: str) -> str:
        try:
            Redaction(frozenset(fields.split()))
        except Illegal as broken:
            raise PydanticCustomError("redact", "{rule}", {"rule": broken.rule}) from None
        return fields

    @field_validator("public_url")
    @classmethod
    def _is_an_origin(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not _may_be_trusted(url) or url != "{0.scheme}://{0.netloc}".format(urlsplit(url)):
            rule = "must be an https address without user and path, or http on this machine"
            raise PydanticCustomError("origin", rule)
        return url

    @field_validator("authzen_subject_types")
    @classmethod
    def _are_types(cls, types: str) -> str:
        try:
            SubjectTypes.read(types)
        except Illegal as broken:
            rule = f"{broken.field} {broken.rule}"
            raise PydanticCustomError("types", "{rule}", {"rule": rule}) from None
        return types

    @field_validator("authzen_trusted")
    @classmethod
    def _are_properties(cls, names: str) -> str:
        try:
            Trusted.read(names)
        except Illegal as broken:
            rule = f"{broken.field} {broken.rule}"
            raise PydanticCustomError("properties", "{rule}", {"rule": rule}) from None
        return names

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, proxies: str) -> str:
        for proxy in proxies.split():
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                rule = "must be addresses or networks such as `10.0.0.0/8`, separated by spaces"
                raise PydanticCustomError("proxies", "{rule}", {"rule": rule}) from None
        return proxies

    def of_one_worker(self) -> "Settings":
        """Return how one of the workers runs: with its share of what they have together.

        Shares are rounded down, so that together they are never more, but to no less than one where
        the whole is a number of whole things; what has no limit has none in any of them.
        """
        whole = {name: getattr(self, name) for name in SHARED}
        shares = {name: _share(value, self.workers) for name, value in whole.items()}
        return self.model_copy(update={"workers": 1, **shares})

    @property
    def database_is_served(self) -> bool:
        """Whether the database is one of a server, which may come up later than this process."""
        return self.database_url.startswith(("postgres://", "postgresql://", "postgresql+"))

    @property
    def decision_log_redaction(self) -> Redaction:
        """What the decision log does not write."""
        return Redaction(frozenset(self.decision_log_redact.split()))

    @property
    def jwt_algorithms_pinned(self) -> frozenset[str]:
        """The algorithms that tokens may be signed by."""
        return frozenset(self.jwt_algorithms.split())


def _share(value: float, workers: int) -> float:
    if isinstance(value, int):
        return max(1, value // workers) if value > 0 else 0
    return value / workers


def written_as(value: object) -> str:
    """Return the value of a setting as it stands in the environment."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def without_query(url: str | None) -> str:
    """Return an address as it may be printed: what follows `?` may be a secret."""
    address, mark, _ = (url or "").partition("?")
    return f"{address}{mark}***" if mark else address


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach the address."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _check_together(value: object, info: ValidationInfo, *, otherwise: str = "") -> None:
    """Refuse a setting for tokens without their issuer, and an issuer without it."""
    if "jwt_issuer" not in info.data or (value is None) == (info.data["jwt_issuer"] is None):
        return
    if value is None:
        rule = f"is required with GRANTPROOF_JWT_ISSUER{otherwise}"
    else:
        rule = "does nothing without GRANTPROOF_JWT_ISSUER: set that too"
    raise PydanticCustomError("together", "{rule}", {"rule": rule})


def _may_be_trusted(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, user = parts.hostname or "", parts.username
        _ = parts.port
    except ValueError:
        return False
    if host == "" or user is not None or parts.fragment or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
