"""A button that downloads a file made on the server."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import param
from panel.custom import JSComponent

from .colours import SHARED_CSS


class File(NamedTuple):
    """A file to be downloaded."""

    name: str
    content: bytes


class Download(JSComponent):
    """A button; ``made`` makes the file when it is pressed, or gives None when it cannot."""

    label = param.String("Download")
    file = param.Dict({})
    is_busy = param.Boolean(False)

    _esm = Path(__file__).with_name("download.js")
    _stylesheets: ClassVar[list[str]] = [SHARED_CSS, "button { font-size: 14px; padding: 8px 15px; }"]

    def __init__(self, made: Callable[[], File | None], **given: Any) -> None:
        super().__init__(**given)
        self._made = made

    def _handle_msg(self, message: Any) -> None:
        if message != "make" or self.is_busy:
            return
        self.is_busy = True
        try:
            made = self._made()
            if made is not None:
                self.file = {"name": made.name, "base64": b64encode(made.content).decode()}
                self.file = {}
        finally:
            self.is_busy = False
