"""Settings that have a form of their own: rates and origins."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from gndp.settings import Settings


@pytest.mark.parametrize("rate", ["off", "6000/minute", "30 per hour", "1/day"])
def test_rates(rate: str) -> None:
    assert Settings(rate_limit=rate, sign_in_rate_limit=rate).rate_limit == rate


@pytest.mark.parametrize("rate", ["", "often", "10", "ten/minute", "10/fortnight"])
def test_what_is_no_rate_is_refused(rate: str) -> None:
    with pytest.raises(ValidationError):
        Settings(rate_limit=rate)


def test_origins_are_listed_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().cors_origins == ()
    monkeypatch.setenv("GNDP_CORS_ORIGINS", "https://a.example, http://localhost:3000,")
    assert Settings().cors_origins == ("https://a.example", "http://localhost:3000")


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "a.example",
        "https://*.example",
        "https://a.example/",
        "https://a.example/x",
        "ftp://a.example",
    ],
)
def test_what_is_no_exact_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValidationError):
        Settings(cors_origins=origin)
