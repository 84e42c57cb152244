"""A field whose text takes effect while it is typed."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import param
from panel.custom import JSComponent


class SearchInput(JSComponent):
    """A text field. ``value`` follows once somebody pauses; nothing typed meanwhile is overwritten."""

    label = param.String("")
    value = param.String("")
    placeholder = param.String("")

    _esm = Path(__file__).with_name("search_input.js")
    _stylesheets: ClassVar[list[str]] = [
        Path(__file__).with_name("search_input.css").read_text(encoding="utf-8")
    ]
