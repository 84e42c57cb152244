"""The demo: sixty days of a home-lending operation, simulated through the engine's own commands.

Deterministic by seed and ``now`` (ids of tasks and events apart). Cases arrive, the engine routes their
tasks, and the people who got them work on them in office hours, instant by instant over all cases. Everything
is one transaction: an interrupted demo leaves nothing, and a sweep that runs meanwhile sees nothing of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from importlib import resources
from uuid import UUID, uuid5

from gndp.core.errors import NotFound
from gndp.core.templates import Template, parse_template
from gndp.core.values import require_aware
from gndp.demo.accounts import DemoAccounts, open_accounts
from gndp.demo.people import OFFICE, Staff
from gndp.demo.promises import policies
from gndp.demo.simulation import Case, Simulation
from gndp.workbench import Workbench

__all__ = ["DAYS", "DemoAccounts", "fill", "is_empty", "open_accounts"]

DAYS = 60
"""How far back the demo goes."""

_NAMESPACE = UUID("6c1d9f0e-52f3-4f7c-9a55-6d1f0b8f7a11")
_DEFINITIONS = {"purchase_loan": 0.6, "document_approval": 0.2, "customer_onboarding": 0.2}
_PER_WORKING_DAY = 9
_SWEEPS = timedelta(hours=3)


def is_empty(workbench: Workbench) -> bool:
    """Whether the database has no process, team or person yet, so that the demo may fill it."""
    directory = workbench.directory
    return workbench.processes.list(limit=1).total == 0 and not directory.teams() and not directory.people()


def fill(
    workbench: Workbench,
    *,
    seed: int = 7,
    now: datetime | None = None,
    days: int = DAYS,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Simulate the last ``days`` up to ``now`` (aware; the workbench's clock by default).

    The answer is how many processes there are. Running it again with the same seed, days and ``now`` adds
    nothing. ``progress`` is told how many processes of how many have arrived.

    Raises Conflict, having changed nothing, when its teams or people are there already: see ``is_empty``.
    """
    clock = workbench.clock
    until = require_aware(now or clock(), "now")
    begin = until - timedelta(days=days)
    chance = random.Random(seed)
    arrivals = _arrivals(chance, begin, until)
    ids = [uuid5(_NAMESPACE, f"{seed}/{number}/{at.isoformat()}") for number, at in enumerate(arrivals)]
    if _is_there(workbench, ids[0]):
        return len(arrivals)
    simulation = Simulation(workbench, chance, Staff(chance, begin, until), begin)
    workbench.clock = lambda: simulation.now
    try:
        with workbench.transaction():
            _set_up(simulation)
            templates = _publish(workbench)
            for number, (id, at) in enumerate(zip(ids, arrivals, strict=True), start=1):
                simulation.at(at, _arrival(simulation, templates, id, number, len(ids), progress))
            simulation.run(until)
        workbench.sla.sweep()
    finally:
        workbench.clock = clock
    return len(arrivals)


def _is_there(workbench: Workbench, process_id: UUID) -> bool:
    try:
        workbench.processes.get(process_id)
    except NotFound:
        return False
    return True


def _arrivals(chance: random.Random, begin: datetime, until: datetime) -> list[datetime]:
    """When the cases arrive: so many on each day that the office is open, in its hours."""
    return sorted(
        at
        for day in OFFICE.periods(begin, until + timedelta(days=1))
        for _ in range(_PER_WORKING_DAY)
        if (at := day.begin + (day.end - day.begin) * chance.random()) < until
    )


def _set_up(simulation: Simulation) -> None:
    """People, promises, absences, and the sweep that tells what time brings."""
    workbench = simulation.workbench
    simulation.staff.hire(workbench)
    for policy in policies():
        workbench.sla.publish(policy, user_id=simulation.staff.manager)
    for absence in simulation.staff.absences:
        simulation.at(absence.begins, partial(simulation.send_away, absence))
    simulation.every(_SWEEPS, workbench.sla.sweep)


def _publish(workbench: Workbench) -> dict[str, Template]:
    folder = resources.files("gndp").joinpath("definitions")
    templates = {
        name: parse_template(folder.joinpath(f"{name}.yaml").read_text("utf-8")) for name in _DEFINITIONS
    }
    for template in templates.values():
        workbench.definitions.publish(template, user_id="admin")
    return templates


def _arrival(
    simulation: Simulation,
    templates: Mapping[str, Template],
    id: UUID,
    number: int,
    total: int,
    progress: Callable[[int, int], None] | None,
) -> Callable[[], None]:
    def arrive() -> None:
        name = simulation.chance.choices(list(_DEFINITIONS), list(_DEFINITIONS.values()))[0]
        Case(simulation, templates[name], id).arrive()
        if progress is not None:
            progress(number, total)

    return arrive
