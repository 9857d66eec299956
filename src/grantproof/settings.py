"""The environment, read once into one frozen value: every setting is `GRANTPROOF_` and its name."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from grantproof.core.limits import BODY_BYTES_MAX


class Settings(BaseSettings):
    """How this process runs. A wrong value stops the start with the setting's name and the rule."""

    model_config = SettingsConfigDict(env_prefix="GRANTPROOF_", frozen=True, extra="ignore")

    database_url: str = Field(
        default="sqlite:///grantproof.db",
        description="where the organizations are stored; a path is a SQLite file",
        min_length=1,
    )
    audit_key_file: Path | None = Field(
        default=None,
        description="the file with the key that seals events; beside a SQLite file by default",
    )
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=9090, ge=1, le=65_535, description="the port to listen on")
    demo: bool = Field(default=False, description="serve the organization `acme`, loopback only")
    trust_context: bool = Field(
        default=False,
        description="let callers supply hour, weekday, usage and rate; the demo does",
    )
    follow_seconds: float = Field(
        default=0.25, gt=0, le=60, description="how often other writers' changes are looked for"
    )
    body_bytes_max: int = Field(
        default=BODY_BYTES_MAX, ge=1_024, description="the largest request body accepted"
    )
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="how much is logged"
    )
