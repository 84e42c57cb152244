"""A secret that is told once: shown, copied, gone."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS

_FOLDER = Path(__file__).parent


class Secret(JSComponent):
    """Shows ``text`` with a button that copies it; nothing while it is empty.

    A text that begins with ``/`` is a path here: it is shown as the whole address.
    """

    text = param.String("")
    label = param.String("Secret")

    _esm = _FOLDER / "secret.js"
    _stylesheets: ClassVar[list[str]] = [SHARED_CSS, (_FOLDER / "secret.css").read_text(encoding="utf-8")]
