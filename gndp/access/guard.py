"""Services that are no engine commands, with somebody's rights in front of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from gndp.access.policy import Reach, reaches_person
from gndp.access.rights import Rights
from gndp.core.errors import Forbidden
from gndp.directory.table_directory import TableDirectory

Service = TypeVar("Service")

ACTIONS = {
    "directory.people": "directory.see",
    "directory.person": "directory.see",
    "directory.teams": "directory.see",
    "directory.team": "directory.see",
    "directory.add_team": "directory.change",
    "directory.update_team": "directory.change",
    "directory.add_person": "directory.change",
    "directory.update_person": "directory.change",
    "directory.import_csv": "directory.change",
    "directory.set_out_of_office": "directory.be_away",
    "calendars.get": "calendars.see",
    "calendars.list": "calendars.see",
    "calendars.save": "calendars.save",
    "events.subscribe": "events.see",
    "events.subscribe_durable": "events.see",
    "events.live": "events.see",
    "events.history": "events.see",
    "events.publish": "events.publish",
    "events.subscriptions": "subscriptions.see",
    "events.parked": "subscriptions.see",
    "events.dead": "subscriptions.see",
    "events.replay": "subscriptions.change",
    "events.discard": "subscriptions.change",
    "events.unsubscribe": "subscriptions.change",
    "events.oldest_writer": "subscriptions.see",
    "jobs.list": "jobs.see",
    "jobs.runs": "jobs.see",
    "jobs.run": "jobs.run",
    "accounts.list": "accounts.see",
    "accounts.get": "accounts.see",
    "accounts.issue_link": "accounts.change",
    "accounts.sign_out_everywhere": "accounts.change",
    "tokens.list": "accounts.see",
    "tokens.create": "accounts.change",
    "tokens.revoke": "accounts.change",
    "health.figures": "metrics.see",
    "health.pool": "metrics.see",
    "audit.anchor": "audit.see",
    "audit.verify": "audit.see",
}
"""What each method asks for, by its name in the policy table; a method that is missing is nobody's."""


def guarded(service: Service, name: str, rights: Rights) -> Service:
    """The service as somebody with these rights has it: each method asks first, and raises Forbidden."""
    return cast(Service, _Guarded(service, name, rights))


def guarded_events(service: Service, rights: Rights, see: Callable[[Any], Any]) -> Service:
    """The events as somebody with these rights has them. Whoever may not read all of them may follow those of
    a process that ``see`` shows them."""
    return cast(Service, _GuardedEvents(service, rights, see))


class _Guarded:
    def __init__(self, service: Any, name: str, rights: Rights) -> None:
        self._service = service
        self._name = name
        self._rights = rights

    def __getattr__(self, method: str) -> Callable[..., Any]:
        name = f"{self._name}.{method}"
        call = getattr(self._service, method)

        @wraps(call)
        def asked(*given: Any, **named: Any) -> Any:
            if name not in ACTIONS:
                raise Forbidden(f"nothing says who may call {name}")
            if name == "directory.set_out_of_office":
                self._require_over_person(ACTIONS[name], *given[:1], **named)
            else:
                self._rights.require(ACTIONS[name])
            return call(*given, **named)

        return asked

    def _require_over_person(self, action: str, user_id: str, **_: Any) -> None:
        principal, over = self._rights.principal, self._rights.reach(action)
        if over == Reach.ALL or (over != Reach.NONE and user_id == principal.user_id):
            return
        directory: TableDirectory = self._service
        if over == Reach.TEAM and reaches_person(principal, over, directory.person(user_id)):
            return
        raise self._rights.refusal(action)


class _GuardedEvents(_Guarded):
    def __init__(self, service: Any, rights: Rights, see: Callable[[Any], Any]) -> None:
        super().__init__(service, "events", rights)
        self._see = see

    def beginning(self) -> str:
        # A position shows nothing: what is read from there is asked for.
        found: str = self._service.beginning()
        return found

    def live(self, pattern: str = "*", *, process_id: Any = None, after: str | None = None) -> Any:
        self.require_sight(process_id)
        return self._service.live(pattern, process_id=process_id, after=after)

    def require_sight(self, process_id: Any = None) -> None:
        if process_id is None or self._rights.reach(ACTIONS["events.live"]) == Reach.ALL:
            self._rights.require(ACTIONS["events.live"])
        else:
            self._see(process_id)
