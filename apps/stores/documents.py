"""Documents as people edit them: YAML text, and what changed from one version to the next."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff
from typing import Any

import yaml


def as_text(document: Mapping[str, Any]) -> str:
    """A document as YAML, its keys in their order."""
    text: str = yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=100)
    return text


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The lines of the one that are not in the other, with ``-`` or ``+``, and some lines around them."""
    lines = unified_diff(as_text(before).splitlines(), as_text(after).splitlines(), lineterm="", n=2)
    return list(lines)[2:]
