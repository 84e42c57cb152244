"""The shell: which page a URL shows, inside the common frame."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import escape

from gndp.core.errors import GndpError

from .components.notice import Notice
from .desk import Desk
from .pages import Following, Place, View
from .pages.admin import ADMIN_PLACES
from .pages.lists import ProcessesView, TasksView
from .pages.overview import OverviewView
from .pages.process import ProcessView
from .pages.start import StartView
from .pages.work import WorkView
from .pages.workload import WorkloadView
from .sessions import begin_anywhere
from .stores.live import Listening, Live
from .turns import InTurn

if TYPE_CHECKING:
    from gndp.workbench import Workbench

__all__ = ["PLACES", "TITLE", "Shell", "begin_anywhere", "pages"]

_THEME = {
    "light": {"palette": {"primary": {"main": "#00568a"}}},
    "dark": {"palette": {"primary": {"main": "#4791db"}}},
}
"""Blue on which white, and the light grey of buttons in the bar, can be read."""

_log = logging.getLogger(__name__)

TITLE = "GNDP operations workbench"

_THREADS = 4
"""How many browser sessions are answered at a time."""

PLACES = (
    Place("/work", "My work", "", "", WorkView),
    Place("/start", "Start a process", "", "processes.start", StartView),
    Place("/", "Overview", "Monitoring", "", OverviewView),
    Place("/processes", "Processes", "Monitoring", "", ProcessesView),
    Place("/tasks", "Tasks", "Monitoring", "", TasksView),
    Place("/workload", "Workload", "Monitoring", "figures.see", WorkloadView),
    Place("/process", "", "", "", ProcessView),
    *ADMIN_PLACES,
)


def pages(
    workbench_of: Callable[[Mapping[str, str]], Workbench],
    leave: Callable[[Mapping[str, str]], None],
    workbench: Workbench,
) -> dict[str, Callable[[], Any]]:
    """The pages by path; each builds itself for a browser session, whose cookies say whose it is.

    ``leave`` signs out whoever has such cookies; ``workbench`` is the server's own, which hears every event.
    """
    pn.config.nthreads = _THREADS
    pn.state._thread_pool = InTurn(_THREADS)
    pn.config.reconnect = True
    live = Live(workbench)

    def page(path: str) -> Callable[[], Any]:
        def build() -> Any:
            cookies = dict(pn.state.cookies)
            query = pn.state.location.search if pn.state.location else ""
            try:
                return Shell(
                    Desk(lambda: workbench_of(cookies), live, f"{path}{query}", lambda: leave(cookies))
                ).page
            except GndpError as error:
                return Notice(f"The workbench cannot be shown now: {error}", severity="error")
            except Exception:  # Panel would show the stack to the viewer
                _log.exception("the page %s could not be built", path)
                return Notice("This page could not be shown; the server's log says why.", severity="error")

        return build

    return {place.path: page(place.path) for place in PLACES}


class Shell:
    """The frame of one browser session: the pages as links, and the view of the one that is asked for."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.view: View | None = None
        self._place: Place | None = None
        self._listening: Listening | None = None
        self._is_shown = False
        self._by_path = {place.path: place for place in PLACES}
        self._content = pn.Column(sizing_mode="stretch_width")
        desk.navigation.param.update(groups=self._groups(), paths=list(self._by_path))
        desk.navigation.param.watch(lambda _: self.show(), "url")
        self.page = pmui.Page(
            title=TITLE,
            header=self._header(),
            sidebar=[desk.navigation],
            sidebar_width=220,
            main=[
                pn.Column(
                    desk.message,
                    self._content,
                    sizing_mode="stretch_width",
                    styles={"max-width": "1440px", "width": "calc(100% - 32px)", "margin": "12px auto"},
                )
            ],
            theme_toggle=True,
            busy_indicator="linear",
            sidebar_resizable=False,
            theme_config=_THEME,
        )
        if pn.state.curdoc and pn.state.curdoc.session_context:
            pn.state.on_session_destroyed(lambda _: self.close())
        self.show()

    def show(self) -> None:
        """Show the page that the address asks for."""
        path = self.desk.navigation.url.partition("?")[0]
        place = self._by_path.get(path, self._by_path["/"])
        if place is self._place and isinstance(self.view, Following) and self.view.follow():
            return
        self.close()
        self._place, self.view = place, place.build(self.desk)
        # Where the document is held: what a refresh changes while a view is still made would be lost.
        pn.state.execute(partial(self._place_view, self.view), schedule=self._is_shown)
        self._is_shown = True

    def _place_view(self, view: View) -> None:
        if view is not self.view:  # it was left meanwhile
            return
        self._content[:] = [view.panel]
        self._listening = self.desk.listen(view.refresh, view.concerns)
        pn.state.onload(view.refresh)

    def close(self) -> None:
        """Leave the page that is shown."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None

    def _groups(self) -> list[Any]:
        groups: dict[str, list[tuple[str, str]]] = {}
        for place in PLACES:
            if place.label and (not place.action or self.desk.workbench.may(place.action)):
                groups.setdefault(place.group, []).append((place.path, place.label))
        return [list(group) for group in groups.items()]

    def _header(self) -> list[Any]:
        who = self.desk.user_id
        if who is None:
            return []
        name = pn.pane.HTML(str(escape(who)), styles={"color": "inherit"}, margin=(10, 10))
        leave = pmui.Button(label="Sign out", variant="text", color="light", size="small")
        leave.on_click(lambda _: self.desk.sign_out())
        return [pn.HSpacer(), name, leave]
