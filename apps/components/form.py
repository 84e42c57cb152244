"""A form in the browser: its inputs, what is wrong with them, and what was put into them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import param
from panel.custom import JSComponent

from ..forms import Form, Reading
from .colours import SHARED_CSS


class FormInput(JSComponent):
    """Shows a form and checks it as people type.

    ``show`` gives it another form. What is typed stays in ``draft`` and in the browser: nothing but ``show``
    touches the inputs. ``submitted`` is called with the data once they fit, ``changed`` with each draft.
    """

    asked = param.Dict({}, doc="What the browser draws: the fields and the draft that they begin with.")
    verdict = param.Dict({}, doc="What is wrong with which draft, by key, and how often it was refused.")

    _esm = Path(__file__).with_name("form.js")
    _stylesheets: ClassVar[list[str]] = [
        SHARED_CSS,
        Path(__file__).with_name("form.css").read_text(encoding="utf-8"),
    ]

    def __init__(
        self,
        submitted: Callable[[dict[str, Any]], None],
        changed: Callable[[Reading], None] = lambda _: None,
        cancelled: Callable[[], None] = lambda: None,
        **given: Any,
    ) -> None:
        super().__init__(sizing_mode="stretch_width", margin=(5, 10), **given)
        self._submitted = submitted
        self._changed = changed
        self._cancelled = cancelled
        self._form: Form | None = None
        self._serial = 0
        self._turn = Lock()
        self.draft: Any = {}

    def show(
        self,
        form: Form,
        label: str,
        submit: str,
        *,
        draft: Any = None,
        cancel: str = "",
        is_focused: bool = False,
    ) -> None:
        """Show a form with nothing in it, or with a draft of it. ``label`` says what it is for."""
        with self._turn:
            self._form, self._serial = form, 0
            self.draft = form.root.start if draft is None else draft
            number = self.asked.get("number", 0) + 1
            problems = self._read().problems
            verdict = {"number": number, "serial": 0, "problems": problems, "refusals": 0}
            asked = {
                "number": number,
                "root": form.root.described(),
                "draft": self.draft,
                "label": label,
                "submit": submit,
                "cancel": cancel,
                "is_focused": is_focused,
            }
            self.param.update(asked=asked, verdict=verdict)

    def focus(self) -> None:
        """Let the person type into the first field."""
        self._send_msg({"focus": True})

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong with the draft, by key."""
        found: dict[str, str] = self.verdict.get("problems", {})
        return found

    def fill(self, draft: Any) -> None:
        """Take a draft from the browser, and say what is wrong with it."""
        with self._turn:
            self.draft = draft
            reading = self._read()
            self._tell(reading, 0)
        self._changed(reading)

    def submit(self) -> None:
        """Hand the data on if they fit; else show everything that is wrong."""
        with self._turn:
            reading = self._read()
            self._tell(reading, 1 if reading.problems else 0)
        if not reading.problems:
            self._submitted(reading.data)

    def _handle_msg(self, message: Any) -> None:
        if not isinstance(message, dict) or message.get("number") != self.asked.get("number"):
            return
        if message.get("what") == "cancel":
            self._cancelled()
            return
        # Messages are handled in several threads: an older draft never takes the place of a newer one.
        serial = int(message.get("serial", 0))
        if serial >= self._serial:
            self._serial = serial
            self.fill(message.get("draft"))
        if message.get("what") == "submit":
            self.submit()

    def _read(self) -> Reading:
        assert self._form is not None
        return self._form.read(self.draft)

    def _tell(self, reading: Reading, refusals: int) -> None:
        told = self.verdict["refusals"] + refusals
        verdict = {"serial": self._serial, "problems": reading.problems, "refusals": told}
        verdict = {**self.verdict, **verdict}
        if verdict != self.verdict:
            self.verdict = verdict
