"""What a page has of the person in front of it: their workbench, their address bar, a word to say to them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlencode

from gndp.core.errors import GndpError, Unauthenticated

from .components.navigation import Navigation
from .components.notice import Notice
from .stores.live import Listening, Live

if TYPE_CHECKING:
    from gndp.core.records import Event
    from gndp.workbench import Workbench

Answer = TypeVar("Answer")

_LOOK_AGAIN = 5.0
"""Seconds after which the session and the rights of whoever is in front of a page are looked up again."""

SIGN_IN = "/sign-in"


class Desk:
    """A browser session of one person.

    ``opened`` gives the workbench that is bound to them, and raises Unauthenticated when they have signed
    out; ``closed`` signs them out.
    Where nobody has to sign in ``acting_as`` says in whose name commands are given. ``drafts`` is what was
    typed into forms and not sent yet, which a look at another page does not lose.
    """

    def __init__(
        self,
        opened: Callable[[], Workbench],
        live: Live | None = None,
        url: str = "/",
        closed: Callable[[], None] = lambda: None,
    ) -> None:
        self._opened = opened
        self._closed = closed
        self._live = live
        self._workbench = opened()
        self._looked_at = time.monotonic()
        self.navigation = Navigation(url=url, sizing_mode="stretch_width")
        self.acting_as: str | None = None
        self.drafts: dict[Any, Any] = {}
        self.message = Notice("", severity="info", visible=False, closeable=True)

    @property
    def workbench(self) -> Workbench:
        """The workbench with the rights that the person has now; whoever has signed out is led away."""
        if time.monotonic() - self._looked_at > _LOOK_AGAIN:
            try:
                self._workbench = self._opened()
            except Unauthenticated:
                self.navigation.left_for = SIGN_IN
                raise
            self._looked_at = time.monotonic()
        return self._workbench

    @property
    def user_id(self) -> str | None:
        """Who is in front of the page; None if nobody has to say so and nobody was chosen."""
        return self._workbench.acting_user or self.acting_as

    @property
    def query(self) -> dict[str, str]:
        """What the address says behind its question mark."""
        _, _, query = self.navigation.url.partition("?")
        return {name: values[-1] for name, values in parse_qs(query).items()}

    def say_in_address(self, **query: Any) -> None:
        """Keep what a page shows in its address, so that it can be kept and sent to others."""
        path = self.navigation.url.partition("?")[0]
        said = urlencode({name: value for name, value in query.items() if value not in (None, "", 0)})
        self.navigation.said = f"{path}?{said}" if said else path

    def go(self, url: str) -> None:
        """Show another page."""
        self.navigation.url = url

    def say(self, text: str, severity: str = "success") -> None:
        """Tell the person something at the top of the page."""
        self.message.param.update(object=text, severity=severity, visible=True)

    def do(self, command: Callable[[Workbench], Answer], done: str = "") -> Answer | None:
        """Give a command; its refusal is told, and None is the answer then."""
        try:
            answer = command(self.workbench)
        except GndpError as refusal:
            self.say(str(refusal), "error")
            return None
        if done:
            self.say(done)
        return answer

    def sign_out(self) -> None:
        """End the session, and show the sign-in."""
        self._closed()
        self.navigation.left_for = SIGN_IN

    def listen(
        self, refresh: Callable[[], None], concerns: Callable[[Event], bool] = lambda _: True
    ) -> Listening | None:
        """Call ``refresh`` after each event that it ``concerns``; without live pages nothing is heard."""
        return None if self._live is None else self._live.listen(refresh, concerns)
