"""The rights of one principal, as commands and reads ask for them."""

from __future__ import annotations

from gndp.access import policy
from gndp.access.policy import Reach
from gndp.access.principals import Principal
from gndp.core.errors import Forbidden
from gndp.core.people import Person
from gndp.core.records import Process, Task


class Rights:
    """What a principal may do."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal

    def reach(self, action: str) -> Reach:
        """How far the principal reaches with a command or read."""
        return policy.reach(self.principal, action)

    def allows(
        self,
        action: str,
        process: Process | None = None,
        task: Task | None = None,
        person: Person | None = None,
    ) -> bool:
        """Whether the principal may do this: to this task of this process, to this process, to this person,
        or (with none given) to everything."""
        over = self.reach(action)
        if person is not None:
            return policy.reaches_person(self.principal, over, person)
        if task is not None and process is not None:
            return policy.reaches_task(self.principal, over, task, process)
        if process is not None:
            return policy.reaches_process(self.principal, over, process)
        return over == Reach.ALL

    def require(self, action: str, process: Process | None = None, task: Task | None = None) -> None:
        """Raise Forbidden unless the principal may do this, as ``allows`` says."""
        if not self.allows(action, process, task):
            raise self.refusal(action)

    def refusal(self, action: str) -> Forbidden:
        """The refusal of a command or read."""
        permission = policy.POLICY.get(action)
        what = permission.meaning if permission is not None else action
        principal = self.principal
        return Forbidden(f"{principal.user_id}, as {principal.role}, may not {what} here")

    def actor(self, named: str | None) -> str:
        """Who does it: the principal, or the one named instead if the principal may act for others."""
        if named is None or named == self.principal.user_id:
            return self.principal.user_id
        if self.reach("others.act_for") != Reach.ALL:
            raise Forbidden(f"{self.principal.user_id} may not act for {named}")
        return named
