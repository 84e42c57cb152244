"""The steps of a definition as a drawing, from left to right in layers."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS

_FOLDER = Path(__file__).parent


class Layers(JSComponent):
    """Draws ``nodes`` (dicts with id, name, note, layer and row) and ``edges`` (pairs of ids)."""

    nodes = param.List([])
    edges = param.List([])
    label = param.String("")

    _esm = _FOLDER / "layers.js"
    _stylesheets: ClassVar[list[str]] = [SHARED_CSS, (_FOLDER / "layers.css").read_text(encoding="utf-8")]
