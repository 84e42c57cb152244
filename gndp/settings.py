"""Settings from the environment (``GNDP_…``) and a ``.env`` file; read by workbench and faces only."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from limits import parse
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_ORIGIN = re.compile(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?")


def _rate(text: str) -> str:
    if text != "off":
        parse(text)
    return text


def _listed(given: object) -> object:
    return tuple(filter(None, given.replace(",", " ").split())) if isinstance(given, str) else given


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise ValueError("takes exact origins such as https://reports.example.com, separated by commas")
    return text


Rate = Annotated[str, AfterValidator(_rate)]
Origin = Annotated[str, AfterValidator(_origin)]


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
    rate_limit: Rate = Field(
        default="6000/minute",
        description="how often each user may call the API, or each address that says no user; off for no "
        "limit. With GNDP_AUTH=off an address may a hundred times as often",
    )
    sign_in_rate_limit: Rate = Field(
        default="30/minute",
        description="how often each address may try a password or a link; off for no limit",
    )
    body_timeout_seconds: float = Field(
        default=30, gt=0, description="how long the body of a request may take to arrive"
    )
    statement_timeout_seconds: float = Field(
        default=30, gt=0, description="how long the database may take over a statement of a request"
    )
    require_if_match: Literal["on", "off"] = Field(
        default="off",
        description="whether what changes an item must come with If-Match or an Idempotency-Key",
    )
    cors_origins: Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_listed)] = Field(
        default=(), description="origins of other sites whose pages may call the API, separated by commas"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning",
        description="what the server writes to its log; at info and below, each request and event",
    )
    log_format: Literal["json", "text"] | None = Field(
        default=None, description="how the log is written; without it, as text on a terminal, else as JSON"
    )
