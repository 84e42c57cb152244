"""environment.yml says to conda what pyproject.toml says to pip."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

OTHER_NAMES = {
    "prometheus-client": {"prometheus_client"},
    "psycopg": {"psycopg", "psycopg-c"},
    "tzdata": {"python-tzdata"},
}
"""What conda-forge calls a package, where the name is another; psycopg-c is the extra ``binary``."""

EXTRAS = {("psycopg", "pool"): "psycopg-pool"}
"""Extras that are packages of their own on conda-forge, with versions of their own."""

TOOLS = {"python", "pip"}
"""What brings the project in, beside what it needs."""

Versions = dict[str, SpecifierSet]


def of_pip(lines: list[str]) -> Versions:
    requirements = [Requirement(line) for line in lines]
    return {requirement.name: requirement.specifier for requirement in requirements}


def of_conda() -> Versions:
    entries = [entry.partition(" ") for entry in ENVIRONMENT["dependencies"] if isinstance(entry, str)]
    return {name: SpecifierSet(versions) for name, _, versions in entries}


def wanted() -> list[str]:
    return PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]


def through_pip() -> list[str]:
    found: list[Any] = [entry["pip"] for entry in ENVIRONMENT["dependencies"] if isinstance(entry, dict)]
    return found[0]


def test_both_name_the_same_packages_at_the_same_versions() -> None:
    by_pip = of_pip(through_pip())
    expected: Versions = {}
    for name, versions in of_pip(wanted()).items():
        if name in by_pip:
            assert by_pip[name] == versions, name
        else:
            expected |= dict.fromkeys(OTHER_NAMES.get(name, {name}), versions)
    for requirement in map(Requirement, wanted()):
        packages = [
            EXTRAS[requirement.name, extra]
            for extra in requirement.extras
            if (requirement.name, extra) in EXTRAS
        ]
        expected |= dict.fromkeys(packages, SpecifierSet())
    found = of_conda()
    assert {name: found[name] for name in found.keys() - TOOLS} == expected
    assert by_pip.keys() <= of_pip(wanted()).keys()


def test_both_want_the_same_python_and_build_backend() -> None:
    assert of_conda()["python"] == SpecifierSet(PROJECT["project"]["requires-python"])
    assert of_conda()["hatchling"] == of_pip(PROJECT["build-system"]["requires"])["hatchling"]
