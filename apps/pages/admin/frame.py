"""What the pages of the administration share: their frame, their forms, and what they say to others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import panel as pn
import panel_material_ui as pmui

from gndp.core.calendars import known_time_zones
from gndp.core.documents import MAX_BYTES
from gndp.core.errors import GndpError, Invalid, Problem

from ...components.documents import DOCUMENT_CSS, drawn
from ...components.download import Download
from ...components.html import heading
from ...components.notice import Notice
from .. import in_turn

if TYPE_CHECKING:
    from gndp.core.records import Event
    from gndp.workbench import Workbench

    from ...desk import Desk
    from ...stores.reading import Store

NONE = "—"
"""What a choice says where nothing is chosen."""


class AdminView:
    """A page with a heading, a way back if it shows one thing of many, and what there is to see.

    Nothing here is an event of a process, so nothing is heard of it: it is read anew after each command, and
    every 30 seconds.
    """

    def __init__(
        self, desk: Desk, store: Store, title: str, parts: Sequence[Any], back: tuple[str, str] | None = None
    ) -> None:
        self.desk = desk
        self.store: Any = store
        self.problem = Notice("", severity="error", visible=False)
        self.retry = pmui.Button(label="Try again", visible=False, on_click=lambda _: self.refresh())
        self.panel = pn.Column(
            *([link(*back)] if back else []),
            heading(title),
            self.problem,
            self.retry,
            *parts,
            sizing_mode="stretch_width",
        )

    @in_turn
    def refresh(self) -> None:
        """Read anew what is shown."""
        self.store.refresh()
        problem = self.store.problem
        self.problem.param.update(
            object=f"This cannot be read now: {problem}" if problem else "", visible=problem is not None
        )
        self.retry.visible = problem is not None
        self.show()

    def show(self) -> None:
        """Show what was read."""
        raise NotImplementedError

    def concerns(self, event: Event) -> bool:
        """No event of a process changes what the administration shows."""
        return False


class Refused:
    """A page for those who may not see it."""

    def __init__(self, label: str, meant_for: str) -> None:
        self.panel = pn.Column(
            heading(label),
            Notice(
                f"This page is for {meant_for}. Ask one of them if you need something from it.",
                severity="warning",
            ),
            link("/", "Go to the overview"),
            sizing_mode="stretch_width",
        )

    def refresh(self) -> None:
        """There is nothing to read."""

    def concerns(self, event: Event) -> bool:
        """Nothing changes here."""
        return False


class Form:
    """Fields with a button that gives a command; what is refused is told below them, each problem with its
    place.

    Fields belong to whoever types: a refresh leaves them alone. ``done`` is called with the command's answer.
    """

    def __init__(
        self,
        desk: Desk,
        fields: Sequence[Any],
        label: str,
        command: Callable[[Workbench], Any],
        done: Callable[[Any], None],
        others: Sequence[Any] = (),
    ) -> None:
        self._desk = desk
        self._command = command
        self._done = done
        self.fields = fields
        self.send = pmui.Button(label=label, color="primary", on_click=lambda _: self.submit())
        self.refusal = document("")
        self.panel = pn.Column(
            *fields, self.refusal, row(self.send, *others), sizing_mode="stretch_width", margin=0
        )

    def submit(self) -> None:
        """Give the command."""
        self.send.loading = True
        try:
            answer = self._command(self._desk.workbench)
        except Invalid as refused:
            self._refuse(refused.problems)
        except GndpError as refused:
            self._refuse([Problem("", str(refused))])
        else:
            self._refuse([])
            self._done(answer)
        finally:
            self.send.loading = False

    def _refuse(self, problems: Sequence[Problem]) -> None:
        self.refusal.object = drawn("problems", problems=problems, title="This was not accepted:")


class FormDialog:
    """A form in a dialog."""

    def __init__(self, title: str, form: Form) -> None:
        self.form = form
        close = pmui.Button(label="Cancel", variant="text", on_click=lambda _: self.close())
        form.panel[-1].append(close)
        self.dialog = pmui.Dialog(
            form.panel, title=title, open=False, sizing_mode="stretch_width", title_variant="h6"
        )

    def open(self) -> None:
        """Show the dialog."""
        self.dialog.open = True

    def close(self) -> None:
        """Leave the dialog."""
        self.dialog.open = False


def row(*parts: Any) -> pn.Row:
    """Parts beside each other, and below each other where there is no room; buttons in the middle."""
    for part in parts:
        if isinstance(part, pmui.Button | pmui.Switch | pmui.FileInput | Download):
            part.align = "center"
    return pn.Row(
        *parts,
        styles={"flex-wrap": "wrap"},
        sizing_mode="stretch_width",
        margin=0,
    )


def document(html: str) -> pn.pane.HTML:
    """A month, problems, or text as a pane."""
    return pn.pane.HTML(html, stylesheets=[DOCUMENT_CSS], sizing_mode="stretch_width")


def link(href: str, text: str) -> pn.pane.HTML:
    """A link to another page."""
    return pn.pane.HTML(drawn("link", href=href, text=text), stylesheets=[DOCUMENT_CSS])


def editor(label: str, text: str = "", rows: int = 18) -> Any:
    """A field for a document."""
    return pmui.TextAreaInput(
        label=label,
        value=text,
        rows=rows,
        max_length=MAX_BYTES,
        max_rows=40,
        auto_grow=True,
        sizing_mode="stretch_width",
        sx={"& textarea": {"fontFamily": "ui-monospace, monospace", "fontSize": "13px"}},
    )


def choice(label: str, options: Sequence[str], value: str | None, **given: Any) -> Any:
    """A choice of one of several, or of none."""
    names = [NONE, *options]
    if value is not None and value not in names:
        names.append(value)
    return pmui.Select(label=label, options=names, value=value or NONE, **given)


def chosen(field: Any) -> str | None:
    """What a choice or a text says; None where it says nothing."""
    value = (field.value or "").strip()
    return None if value in ("", NONE) else value


def number(field: Any) -> int | str | None:
    """The whole number in a text field; the text itself where it is none, which commands refuse."""
    text = chosen(field)
    return int(text) if text is not None and text.lstrip("-").isdecimal() else text


def instant_of(desk: Desk, value: datetime | None) -> datetime | None:
    """The instant that a clock of the viewer's time zone shows."""
    zone = desk.navigation.zone
    return (
        None
        if value is None
        else value.replace(tzinfo=ZoneInfo(zone if zone in known_time_zones() else "UTC"))
    )


def address(path: str, **query: str) -> str:
    """The address of a page of the administration."""
    return f"/admin/{path}?{urlencode(query)}" if query else f"/admin/{path}"
