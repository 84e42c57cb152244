"""The demo's simulation: an agenda of instants, and cases that put onto it what their people do next.

What the engine decides, who gets a task for instance, is asked of the engine; only what people decide, when
they begin and how long it takes, is left to chance.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import NamedTuple
from uuid import UUID

from gndp.core.templates import Step, Template
from gndp.demo.forms import filled
from gndp.demo.people import FIRST_NAMES, LAST_NAMES, OFFICE, SERVICES, Absence, Staff
from gndp.workbench import Workbench

_DOCUMENTS = (
    "Fraud policy",
    "Rate sheet",
    "Privacy notice",
    "Appraisal guide",
    "Servicing manual",
    "Fee list",
)
_FAILURES = ("the county recorder's system was down", "the file was incomplete", "two figures did not agree")
_WAITS = ("customer", "appraiser", "employer")
_SUSPENSIONS = ("the applicant asked to wait", "the seller is reconsidering", "a document is being contested")
_AUTOMATED = ("automated", "notification")
_MINUTES_TO_BEGIN = {"critical": 100, "high": 180, "medium": 260, "low": 330}
"""How many minutes in the office a task lies until somebody begins, on average; by its process's priority."""


class Simulation:
    """Does what is on the agenda, instant by instant; ``now`` is the clock of the workbench meanwhile."""

    def __init__(self, workbench: Workbench, chance: random.Random, staff: Staff, begin: datetime) -> None:
        self.workbench = workbench
        self.chance = chance
        self.staff = staff
        self.now = begin
        self._agenda: list[tuple[datetime, int, Callable[[], object]]] = []
        self._entries = 0

    def at(self, instant: datetime, do: Callable[[], object]) -> None:
        """Put something onto the agenda; of what has the same instant the first comes first."""
        self._entries += 1
        heappush(self._agenda, (instant, self._entries, do))

    def run(self, until: datetime) -> None:
        """Do everything that comes before an instant, which is now afterwards."""
        while self._agenda and self._agenda[0][0] < until:
            self.now, _, do = heappop(self._agenda)
            do()
        self.now = until

    def every(self, interval: timedelta, do: Callable[[], object]) -> None:
        """Do something again and again."""

        def once() -> None:
            do()
            self.at(self.now + interval, once)

        self.at(self.now + interval, once)

    def send_away(self, absence: Absence) -> None:
        """Put an absence into the directory."""
        self.workbench.directory.set_out_of_office(absence.person, absence.ends, absence.substitute)

    def in_days(self, least: float, most: float) -> datetime:
        """Some instant in the office, so many days from now."""
        return OFFICE.next_opening(self.now + timedelta(days=self.chance.uniform(least, most)))


class _Hold(NamedTuple):
    """Nothing goes on in a case from one instant to another."""

    begins: datetime
    ends: datetime


class Case:
    """One process, from its arrival on: its people work on what is ready, wait, fail, give up."""

    def __init__(self, simulation: Simulation, template: Template, process_id: UUID) -> None:
        self._simulation = simulation
        self._workbench = simulation.workbench
        self._chance = simulation.chance
        self._staff = simulation.staff
        self._template = template
        self._id = process_id
        self._owner = self._chance.choice(self._staff.teams[template.steps[0].team or ""])
        self._priority = self._chance.choices(("low", "medium", "high", "critical"), (15, 60, 20, 5))[0]
        self._tasks: dict[str, UUID] = {}
        self._performers: dict[str, str] = {}
        self._done: set[str] = set()
        self._hold: _Hold | None = None
        self._is_over = self._fails_next = False

    def arrive(self) -> None:
        """The process starts."""
        chance = self._chance
        subject = _subject(self._template, chance)
        self._workbench.processes.start(
            id=self._id,
            process_definition_id=self._template.id,
            process_name=f"{self._template.name}: {subject}",
            process_type=self._template.process_type,
            initiated_by=self._owner,
            assigned_to=self._owner,
            priority=self._priority,
            business_context={"subject": subject, "channel": chance.choice(("branch", "broker", "online"))},
        )
        listed = self._workbench.tasks.list(process_id=self._id, limit=100).tasks
        self._tasks = {row.task.task_definition_id: row.task.id for row in listed}
        self._meet_fate()
        self._look_at_ready()

    def _meet_fate(self) -> None:
        """Most cases go well; some are suspended for a while, fail, or are called off."""
        fate = self._chance.random()
        at = self._simulation.in_days(0.5, 12)
        if fate < 0.10:
            self._simulation.at(at, self._suspend)
        elif fate < 0.18:
            self._simulation.at(at, self._let_fail)
        elif fate < 0.20:
            self._simulation.at(at, self._call_off)

    def _later(self, at: datetime, do: Callable[[], None]) -> None:
        """Do something in the case; what comes while it is held waits as long as the hold lasts."""

        def unless_held() -> None:
            now = self._simulation.now
            if self._is_over:
                return
            if self._hold is None or now >= self._hold.ends:
                do()
            else:
                self._later(OFFICE.next_opening(self._hold.ends + (now - self._hold.begins)), do)

        self._simulation.at(at, unless_held)

    def _look_at_ready(self) -> None:
        for step in self._template.steps:
            if step.id not in self._performers and self._done.issuperset(step.depends_on):
                self._performers[step.id] = ""
                self._look_at(step)

    def _look_at(self, step: Step) -> None:
        """A step is ready: whoever has it begins when there is time; nobody, and its lead gives it out."""
        now = self._simulation.now
        task = self._workbench.tasks.get(self._tasks[step.id])
        if step.type in _AUTOMATED:
            service = self._chance.choice(SERVICES)
            minutes = (step.estimated_minutes or 5) * self._chance.lognormvariate(0, 0.5)
            self._later(now + timedelta(minutes=1), lambda: self._begin(step, service, minutes))
        elif task.assigned_to is not None:
            self._take(step, task.assigned_to)
        else:
            self._later(OFFICE.next_opening(now + timedelta(hours=1)), lambda: self._give_out(step))

    def _give_out(self, step: Step) -> None:
        able = self._staff.able(step, self._kept_apart(step), self._simulation.now)
        if not able:
            self._later(self._simulation.in_days(1, 1), lambda: self._give_out(step))
            return
        lead = self._staff.lead(step.team or "")
        self._workbench.tasks.assign(self._tasks[step.id], assigned_to=able[0], user_id=lead)
        self._take(step, able[0])

    def _take(self, step: Step, person: str) -> None:
        """Somebody will begin as soon as they get to it."""
        self._performers[step.id] = person
        minutes = (step.estimated_minutes or 30) * self._chance.lognormvariate(0, 0.5)
        lies = timedelta(minutes=self._chance.expovariate(1 / _MINUTES_TO_BEGIN[self._priority]))
        begins = self._staff.book(person, OFFICE.add_working_time(self._simulation.now, lies), minutes)
        self._later(begins, lambda: self._begin(step, person, minutes))

    def _begin(self, step: Step, person: str, minutes: float) -> None:
        absence = self._staff.absence(person, self._simulation.now)
        if absence is not None:
            self._hand_over(step, absence, minutes)
            return
        self._workbench.tasks.start(self._tasks[step.id], user_id=person)
        self._performers[step.id] = person
        self._go_on(step, person, minutes)

    def _hand_over(self, step: Step, absence: Absence, minutes: float) -> None:
        """The substitute does it, unless that would be somebody to be kept apart: then it waits."""
        if absence.substitute in self._kept_apart(step):
            begins = OFFICE.next_opening(absence.ends)
            self._later(begins, lambda: self._begin(step, absence.person, minutes))
            return
        self._workbench.tasks.reassign(
            self._tasks[step.id],
            new_assignee=absence.substitute,
            reassigned_by=self._staff.lead(step.team or ""),
            reason=f"{absence.person} is out of office",
        )
        self._take(step, absence.substitute)

    def _go_on(self, step: Step, person: str, minutes: float) -> None:
        """The work goes on to its end, or is interrupted in the middle."""
        roll = self._chance.random()
        middle, end = (self._after(step, minutes * part) for part in (0.5, 1.0))
        if roll < 0.12 and step.type not in _AUTOMATED:
            self._later(middle, lambda: self._wait(step, person, minutes / 2))
        elif roll < 0.18:
            self._later(middle, lambda: self._stumble(step, person, minutes))
        else:
            self._later(end, lambda: self._finish(step, person))

    def _wait(self, step: Step, person: str, minutes: float) -> None:
        task, tasks = self._tasks[step.id], self._workbench.tasks
        resumes = self._simulation.in_days(0.2, 3)
        tasks.wait(task, user_id=person, reason=self._chance.choice(_WAITS), until=resumes)

        def resume() -> None:
            tasks.resume(task, user_id=person)
            self._later(self._after(step, minutes), lambda: self._finish(step, person))

        self._later(resumes, resume)

    def _stumble(self, step: Step, person: str, minutes: float) -> None:
        """It fails, and is tried again within the hour."""
        task, tasks = self._tasks[step.id], self._workbench.tasks
        tasks.fail(task, user_id=person, error_message=self._chance.choice(_FAILURES))

        def again() -> None:
            tasks.start(task, user_id=person)
            self._later(self._after(step, minutes), lambda: self._finish(step, person))

        self._later(self._after(step, self._chance.uniform(2, 60)), again)

    def _finish(self, step: Step, person: str) -> None:
        task, tasks = self._tasks[step.id], self._workbench.tasks
        if self._fails_next:
            self._fail_for_good(step, person)
            return
        output = filled(step.form, self._chance, self._simulation.now) if step.form else {"note": "done"}
        tasks.complete(task, user_id=person, output_data=output)
        self._done.add(step.id)
        self._is_over = len(self._done) == len(self._template.steps)
        self._look_at_ready()

    def _fail_for_good(self, step: Step, person: str) -> None:
        """The process fails with its task; its owner tries again after some days, or gives it up."""
        message = self._chance.choice(_FAILURES)
        self._workbench.tasks.fail(self._tasks[step.id], user_id=person, error_message=message, final=True)
        at = self._simulation.in_days(2, 10)
        self._hold = _Hold(self._simulation.now, at)
        if self._chance.random() < 0.7:
            self._simulation.at(at, lambda: self._retry(step))
        else:
            self._simulation.at(at, self._call_off)

    def _retry(self, step: Step) -> None:
        self._fails_next = False
        self._workbench.processes.retry(self._id, user_id=self._owner)
        self._look_at(step)

    def _let_fail(self) -> None:
        self._fails_next = True

    def _suspend(self) -> None:
        if self._is_over or self._hold is not None:
            return
        reason = self._chance.choice(_SUSPENSIONS)
        self._workbench.processes.suspend(self._id, user_id=self._owner, reason=reason)
        ends = self._simulation.in_days(1, 15)
        self._hold = _Hold(self._simulation.now, ends)
        self._simulation.at(ends, lambda: self._workbench.processes.resume(self._id, user_id=self._owner))

    def _call_off(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._workbench.processes.cancel(self._id, user_id=self._owner, reason="the applicant withdrew")

    def _kept_apart(self, step: Step) -> set[str]:
        return {self._performers.get(other, "") for other in self._template.people_apart(step.id)}

    def _after(self, step: Step, minutes: float) -> datetime:
        """When so many minutes of work are over: programs work day and night."""
        work = timedelta(minutes=minutes)
        now = self._simulation.now
        return now + work if step.type in _AUTOMATED else OFFICE.add_working_time(now, work)


def _subject(template: Template, chance: random.Random) -> str:
    if template.id == "document_approval":
        return f"{chance.choice(_DOCUMENTS)} {chance.randrange(2, 30)}"
    return f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
