"""Settings from the environment (``GNDP_…``) and a ``.env`` file; read by workbench and faces only."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What can be set; each field is the environment variable ``GNDP_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="GNDP_", env_file=".env", extra="ignore")

    database_url: SecretStr | None = Field(
        default=None, description="a PostgreSQL server (15–18); without it an embedded one runs"
    )
    data_dir: Path | None = Field(default=None, description="where the embedded PostgreSQL keeps its data")
    host: str = Field(default="127.0.0.1", description="the address that the server listens on")
    port: int = Field(default=8000, ge=0, le=65535, description="the port that the server listens on")
    auth: Literal["on", "off"] = Field(
        default="on",
        description="whether callers must say who they are; off is allowed on loopback only",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="what servers sign with, at least 32 characters; without it the database keeps a key",
    )
    pool_min_size: int = Field(default=2, ge=1, description="connections kept open")
    pool_max_size: int = Field(default=20, ge=1, description="connections at most")
    jobs: Literal["on", "off"] = Field(default="on", description="whether the server runs the scheduled jobs")
    retention_days: int | None = Field(
        default=None,
        ge=1,
        description="days after which finished processes are deleted; without it they are kept",
    )
    sla_sweep_seconds: int = Field(
        default=300, ge=2, description="how often the SLA sweep runs, if nothing is due earlier"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning",
        description="what the server writes to its log; at info and below, each request and event",
    )
    log_format: Literal["json", "text"] | None = Field(
        default=None, description="how the log is written; without it, as text on a terminal, else as JSON"
    )
