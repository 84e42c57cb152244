"""Durable subscriptions, and the events that their handlers could not handle."""

from __future__ import annotations

from threading import Timer
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui

from gndp.core.states import DeliveryStatus

from ...components.facts import Facts
from ...components.html import heading
from ...components.notice import Notice
from ...components.rows import Rows
from ...components.table import Column, instant
from ...stores.documents import as_text
from ...stores.notebooks import notebook_cell
from ...stores.subscriptions import Subscriptions, id_of
from .frame import AdminView, Form, FormDialog, row

if TYPE_CHECKING:
    from gndp.core.records import Delivery, Subscription
    from gndp.workbench import Workbench

    from ...desk import Desk

_SUBSCRIPTIONS = (
    Column("name", "Subscription", sort="name"),
    Column("pattern", "Events", sort="pattern"),
    Column("consumer", "Read by"),
    Column("waiting", "Waiting", "number", "waiting"),
    Column("oldest_waiting", "Oldest of them", "instant", "oldest_waiting"),
    Column("passed", "Passed", "number", "passed"),
    Column("retrying", "Retrying", "number", "retrying"),
    Column("behind", "Behind them", "number", "behind"),
    Column("dead", "Dead", "number", "dead"),
)
_PARKED = (
    Column("event", "Event", "link", "event"),
    Column("subscription", "Subscription", sort="subscription"),
    Column("status", "Is", "badge", "status"),
    Column("attempts", "Attempts", "number", "attempts"),
    Column("error", "Error"),
    Column("parked_at", "Parked", "instant", "parked_at"),
)
_ALL = "all"
_TIME_TO_HANDLE = 2.0
"""Seconds after which most handlers have come to an end; no event says so."""


class EventsView(AdminView):
    """Subscriptions and dead letters."""

    def __init__(self, desk: Desk) -> None:
        asked = desk.query.get("status", "dead")
        store = Subscriptions(lambda: desk.workbench, None if asked == _ALL else asked)
        self.subscriptions = Rows(
            _SUBSCRIPTIONS,
            label="Subscriptions",
            sort="name",
            empty="No durable subscription yet.",
            notebook_cell=notebook_cell("wb.events.subscriptions()"),
        )
        self.writer = Facts(sizing_mode="stretch_width", margin=(0, 10))
        may_change = desk.workbench.may("subscriptions.change")
        self.parked = Rows(
            _PARKED,
            label="Parked events",
            selectable=True,
            empty="No such event.",
            notebook_cell=notebook_cell("wb.events.parked(limit=1000)"),
        )
        self.parked.param.watch(lambda _: self._inspect(), "selected")
        options = [*map(str, DeliveryStatus), _ALL]
        if asked not in options:
            asked, store.status = "dead", "dead"
        self.status = pmui.Select(label="Those that are", options=options, value=asked, width=160)
        self.status.param.watch(self._choose, "value")
        self.replay = pmui.Button(label="Replay", on_click=lambda _: self._replay(), disabled=True)
        self.discard = pmui.Button(
            label="Discard …", variant="outlined", on_click=lambda _: self.dialog.open(), disabled=True
        )
        warning = "Their handlers will never be given them. This cannot be undone."
        form = Form(
            desk, [Notice(warning, severity="warning")], "Discard them", self._discard, self._discarded
        )
        self.dialog = FormDialog("Discard the selected events", form)
        self.inspected = Facts(sizing_mode="stretch_width", margin=(0, 10))
        self.inspection = pn.Column(
            heading("The selected event", 2), self.inspected, visible=False, sizing_mode="stretch_width"
        )
        offered = [self.replay, self.discard] if may_change else []
        parts = [
            self.subscriptions,
            heading("Events that were not handled", 2),
            row(self.status, *offered),
            self.parked,
            self.inspection,
            heading("Oldest open writer", 2),
            self.writer,
            self.dialog.dialog,
        ]
        super().__init__(desk, store, "Events", parts)

    def show(self) -> None:
        """Show how far subscriptions have come, and what they have parked."""
        self.subscriptions.show(map(_subscription_row, self.store.subscriptions))
        self.parked.show(map(_parked_row, self.store.parked))
        there = set(map(id_of, self.store.parked))
        if not there.issuperset(self.parked.selected):
            self.parked.selected = [id for id in self.parked.selected if id in there]
        writer = self.store.writer
        self.writer.show(
            [("Now", "No transaction is writing for long.")]
            if writer is None
            else [
                ("Began", writer.began_at),
                ("Application", writer.application),
                ("Database", writer.database),
                ("Server process", writer.process_id),
            ]
        )

    def _choose(self, _: Any) -> None:
        self.store.status = None if self.status.value == _ALL else self.status.value
        self.parked.selected = []
        self.desk.say_in_address(status=self.status.value)
        self.refresh()

    def _inspect(self) -> None:
        selected = self.parked.selected
        self.replay.disabled = self.discard.disabled = not self.store.by_subscription(selected)
        delivery = self.store.delivery(selected[0]) if len(selected) == 1 else None
        self.inspection.visible = delivery is not None
        if delivery is not None:
            self.inspected.show(_facts(delivery))

    def _replay(self) -> None:
        wanted = self.store.by_subscription(self.parked.selected)
        count = self.desk.do(lambda wb: sum(wb.events.replay(name, seqs) for name, seqs in wanted.items()))
        if count is not None:
            self.desk.say(f"{_counted(count)} given to {'its' if count == 1 else 'their'} handler again.")
        self.parked.selected = []
        self.refresh()
        Timer(_TIME_TO_HANDLE, self.refresh).start()

    def _discard(self, wb: Workbench) -> int:
        wanted = self.store.by_subscription(self.parked.selected)
        return sum(wb.events.discard(name, seqs) for name, seqs in wanted.items())

    def _discarded(self, count: int) -> None:
        self.dialog.close()
        self.desk.say(f"{_counted(count)} discarded.")
        self.parked.selected = []
        self.refresh()


def _counted(count: int) -> str:
    return f"{count:,} event is" if count == 1 else f"{count:,} events are"


def _subscription_row(subscription: Subscription) -> dict[str, Any]:
    return {
        "id": subscription.name,
        **subscription._asdict(),
        "consumer": subscription.consumer or "nobody now",
        "starts_at": instant(subscription.starts_at),
        "created_at": instant(subscription.created_at),
        "moved_at": instant(subscription.moved_at),
        "oldest_waiting": instant(subscription.oldest_waiting),
    }


def _parked_row(delivery: Delivery) -> dict[str, Any]:
    event = delivery.event
    return {
        "id": id_of(delivery),
        "label": f"{event.event_type} {event.seq} of {delivery.subscription}",
        "event": {
            "text": event.event_type,
            "href": f"/process?id={event.process_instance_id}",
            "note": f"{event.seq}: {event.message}",
        },
        "subscription": delivery.subscription,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "error": delivery.error,
        "parked_at": instant(delivery.parked_at),
    }


def _facts(delivery: Delivery) -> list[Any]:
    event = delivery.event
    return [
        ("Event", event.event_type),
        ("Said", event.message),
        ("When", event.timestamp),
        ("By", event.user_name or event.user_id),
        ("Process", event.process_instance_id),
        ("Task", event.task_id),
        ("Correlation", event.correlation_id),
        ("Attempts", delivery.attempts),
        ("Given again", delivery.due_at),
        ("Error", delivery.error, "code"),
        ("Details", as_text(event.details), "code"),
    ]
