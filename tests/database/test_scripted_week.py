"""One week and a half, played step by step: a weekend, the change to summer time, Good Friday, Easter.

Every instant below was worked out on paper, with a calendar of 2026 beside it, before it was compared.

Berlin is UTC+1 until Sunday 29 March 01:00 UTC, then UTC+2. Its office is open 09:00–12:30 and 13:30–17:30,
so 210 + 240 = 450 minutes a day, Monday to Friday:

    until Fri 27 March    08:00–11:30 and 12:30–16:30 UTC
    from Mon 30 March     07:00–10:30 and 11:30–15:30 UTC

Fri 3 April (Good Friday) and Mon 6 April (Easter Monday) are holidays in Germany. New York is UTC-4 all the
time; its office is open 09:00–12:00 and 13:00–17:00: 13:00–16:00 and 17:00–21:00 UTC, 420 minutes a day. The
night desk works in Berlin on every day, 00:00–04:00 and 20:00–24:00, 480 minutes a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import gndp

HOURS = {day: [("09:00", "12:30"), ("13:30", "17:30")] for day in range(5)}
CALENDARS = {
    "berlin": gndp.Calendar(time_zone="Europe/Berlin", hours=HOURS, country="DE"),
    "new-york": gndp.Calendar(
        time_zone="America/New_York",
        hours={day: [("09:00", "12:00"), ("13:00", "17:00")] for day in range(5)},
    ),
    "night": gndp.Calendar(
        time_zone="Europe/Berlin",
        hours={day: [("00:00", "04:00"), ("20:00", "24:00")] for day in range(7)},
    ),
}
POLICIES = """
name: loan-resolution
applies_to: {template: loan}
target_minutes: 1800
calendar: berlin
warnings: [{percent: 50}, {minutes_before: 120}]
escalations:
  - {after_minutes: 0, to: team_lead, action: notify}
  - {after_minutes: 60, to: manager, action: raise_priority}
business_impact: the customer goes elsewhere
---
name: loan-response
objective: response
applies_to: {template: loan}
target_minutes: 120
calendar: berlin
stop: [task.started]
warnings: [{minutes_before: 30}]
---
name: review
item: task
applies_to: {template: loan, steps: [review]}
target_minutes: 600
calendar: berlin
pause: [process.suspended, {event: task.waiting, reasons: [customer]}]
warnings: [{percent: 80}]
escalations:
  - {after_minutes: 0, to: team_lead, action: notify}
  - {after_minutes: -60, to: assignee, action: notify}
  - {after_minutes: 60, to: team_lead, action: raise_priority}
  - {after_minutes: 480, to: manager, action: reassign}
---
name: call
item: task
applies_to: {template: loan, steps: [call]}
target_minutes: 840
calendar: new-york
---
name: call-response
item: task
objective: response
applies_to: {template: loan, steps: [call]}
target_minutes: 870
calendar: night
stop: [task.started]
"""
TEMPLATE = {
    "id": "loan",
    "name": "Loan",
    "steps": [
        {"id": "take", "name": "Take", "team": "credit", "sla_minutes": 60},
        {"id": "review", "name": "Review", "team": "credit", "depends_on": ["take"]},
        {"id": "call", "name": "Call", "team": "credit"},
        {"id": "close", "name": "Close", "team": "credit", "depends_on": ["review", "call"]},
    ],
}
INSTANT = timedelta(microseconds=1)


def utc(text: str) -> datetime:
    """``03-27 13:00`` of 2026, in UTC."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def just_after(text: str) -> datetime:
    return utc(text) + INSTANT


def just_before(text: str) -> datetime:
    return utc(text) - INSTANT


class Week:
    """The workbench, its moving clock, and what is done in the week."""

    def __init__(self, new_workbench: Callable[..., gndp.Workbench]) -> None:
        self.at = utc("03-27 08:00")
        self.wb = new_workbench(clock=lambda: self.at)
        for name, calendar in CALENDARS.items():
            self.wb.calendars.save(name, calendar)
        for person in ("lea", "mia", "bea"):
            self.wb.directory.add_person(person)
        self.wb.directory.add_team("credit", lead="lea", manager="mia")
        self.wb.directory.update_person("bea", team="credit")
        for document in POLICIES.split("---\n"):
            self.wb.sla.publish(document, user_id="ada")
        self.wb.definitions.publish(TEMPLATE, user_id="ada")

    def play(self, sweeps: Iterable[datetime], is_reassigned: bool) -> None:
        """Do everything that is done, and sweep at the given instants; a command comes before a sweep."""
        acts = self.acts("mia" if is_reassigned else "bea", is_reassigned)
        steps = sorted([*acts, *((at, self.wb.sla.sweep) for at in sweeps)], key=lambda step: step[0])
        for self.at, act in steps:
            act()

    def acts(self, finisher: str, is_reassigned: bool) -> list[tuple[datetime, Callable[[], Any]]]:
        tasks, processes = self.wb.tasks, self.wb.processes
        acts: dict[str, Callable[[], Any]] = {
            "03-27 13:00": self.start,
            "03-27 14:45": lambda: tasks.start(self.take, user_id="bea"),
            "03-27 15:30": lambda: tasks.complete(self.take, user_id="bea"),
            "03-30 07:00": lambda: tasks.start(self.review, user_id="bea"),
            "03-30 08:00": lambda: tasks.wait(self.review, user_id="bea", reason="supplier"),
            "03-30 10:00": lambda: tasks.resume(self.review, user_id="bea"),
            "03-30 14:00": lambda: tasks.wait(self.review, user_id="bea", reason="Customer: a payslip"),
            "03-30 20:00": lambda: tasks.start(self.call, user_id="nat"),
            "03-30 21:00": lambda: tasks.complete(self.call, user_id="nat"),
            "03-31 09:00": lambda: processes.suspend(self.process, user_id="ada", reason="audit"),
            "04-01 13:00": lambda: processes.resume(self.process, user_id="ada"),
            "04-01 14:00": lambda: tasks.resume(self.review, user_id="bea"),
            "04-07 12:00": lambda: tasks.complete(self.review, user_id=finisher),
            "04-08 07:00": lambda: tasks.start(self.close, user_id="bea"),
            "04-08 08:00": lambda: tasks.complete(self.close, user_id="bea"),
        }
        if is_reassigned:
            acts["04-07 10:00"] = lambda: tasks.start(self.review, user_id="mia")
        return [(utc(at), act) for at, act in acts.items()]

    def start(self) -> None:
        process = self.wb.processes.start(
            process_definition_id="loan",
            process_name="Loan 1",
            process_type="journey",
            initiated_by="ada",
            assigned_to="bea",
            priority="low",
            sla_target_mins=15_840,
        )
        self.process = process.id
        rows = self.wb.tasks.list(process_id=process.id).tasks
        by_step = {row.task_definition_id: row.id for row in rows}
        self.take, self.review, self.call, self.close = map(by_step.get, ("take", "review", "call", "close"))
        self.names = {None: "Loan 1", **{row.id: row.task_name for row in rows}}

    def told(self) -> list[tuple[datetime, str, str]]:
        """What clocks and escalations told: the instant, the item, what."""
        events = reversed(self.wb.processes.events(self.process, limit=500))
        return [(e.timestamp, self.names[e.task_id], word) for e in events if (word := worded(e)) is not None]


def worded(event: gndp.Event) -> str | None:
    details = event.details
    if event.event_type.startswith("sla."):
        level = f" {details['level']}" if "level" in details else ""
        return f"{event.event_type.removeprefix('sla.')} {details['objective']}{level}"
    if event.event_type == "escalation.triggered":
        return f"escalation {details['level']} {details['action']} {details['to']}"
    if event.event_type == "notification.send":
        return f"tell {details['to']}"
    if event.event_type in ("task.updated", "process.updated"):
        return f"priority {event.new_data['priority']}"
    if event.event_type == "task.reassigned":
        return f"given to {details['to']}"
    return None


# What the week is told when each instant is swept, on the dot.
#
# take, 60 plain minutes from Fri 13:00 UTC: due 14:00; warned 12 minutes (20 % of 60) before: 13:48.
# loan-response, 120 from Fri 14:00 Berlin: due 16:00 = 15:00 UTC; warned 30 before: 14:30 UTC. Somebody
#   starts a task at 14:45: met.
# call-response, 870 of the night desk: Fri 240, Sat 480, so 150 left on Sunday. 00:00–02:00 is 120; then it
#   is 03:00, and 30 more end at 03:30 = 01:30 UTC. Warned 15 before: 03:15 = 01:15 UTC. Started only on
#   Monday 20:00 UTC.
# call, 840 in New York from its opening on Fri: Fri 420, Mon 420, due when it closes: Mon 17:00 = 21:00 UTC;
#   warned 15 before. Completed at that very instant: met.
# review is ready on Fri 16:30 Berlin; 600: Fri 60, Mon 450, Tue 90, due Tue 10:30 = 08:30 UTC. Waiting for
#   the supplier changes nothing. It waits for the customer from Mon 16:00, after 60 + 210 + 150 = 420; the
#   process is suspended on top of that; the customer answers on Wed 16:00. Then 180 are left:
#   80 % = 480, 60 later: Wed 17:00 = 15:00 UTC.
#   60 before due = 540, 120 later: Wed 90, Thu 30: Thu 09:30 = 07:30 UTC.
#   due, 180 later: Wed 90, Thu 90: Thu 10:30 = 08:30 UTC.
#   60 after: Thu 11:30 = 09:30 UTC. 480 after: Thu 120 + 240, then Good Friday, the weekend and Easter
#   Monday, Tue 7 April 120: 11:00 = 09:00 UTC.
# loan-resolution, 1800 from Fri 14:00 Berlin: Fri 210, Mon, Tue and Wed 450 each, Thu 240: due Thu 2 April
#   14:00 = 12:00 UTC. Suspended on Tue 11:00 after 210 + 450 + 120 = 780, resumed on Wed 15:00:
#   50 % = 900, 120 later: Wed 17:00 = 15:00 UTC.
#   due 1020 later: Wed 150, Thu 450, Tue 7 April 420 (210, then 13:30 + 210): 17:00 = 15:00 UTC.
#   120 before that: 13:00 UTC. 60 after it: 30 until 17:30, 30 on Wed 8 April: 09:30 = 07:30 UTC.
# The process's own 15,840 minutes are 11 days: Tue 7 April 13:00 UTC. Suspended for 28 hours: Wed 8 April
#   17:00 UTC. Completed on Wed 8 April 08:00 UTC: met.
TOLD_ON_THE_DOT = [
    (utc("03-27 13:48"), "Take", "at_risk sla_target_mins 1"),
    (just_after("03-27 14:00"), "Take", "breached sla_target_mins"),
    (utc("03-27 14:30"), "Loan 1", "at_risk response 1"),
    (utc("03-27 14:45"), "Loan 1", "met response"),
    (utc("03-29 01:15"), "Call", "at_risk response 1"),
    (just_after("03-29 01:30"), "Call", "breached response"),
    (utc("03-30 20:45"), "Call", "at_risk resolution 1"),
    (utc("03-30 21:00"), "Call", "met resolution"),
    (utc("04-01 15:00"), "Loan 1", "at_risk resolution 1"),
    (utc("04-01 15:00"), "Review", "at_risk resolution 1"),
    (utc("04-02 07:30"), "Review", "escalation 1 notify bea"),
    (utc("04-02 07:30"), "Review", "tell bea"),
    (just_after("04-02 08:30"), "Review", "breached resolution"),
    (just_after("04-02 08:30"), "Review", "escalation 2 notify lea"),
    (just_after("04-02 08:30"), "Review", "tell lea"),
    (utc("04-02 09:30"), "Review", "escalation 3 raise_priority lea"),
    (utc("04-02 09:30"), "Review", "priority medium"),
    (utc("04-07 09:00"), "Review", "escalation 4 reassign mia"),
    (utc("04-07 09:00"), "Review", "given to mia"),
    (utc("04-07 13:00"), "Loan 1", "at_risk resolution 2"),
    (just_after("04-07 15:00"), "Loan 1", "breached resolution"),
    (just_after("04-07 15:00"), "Loan 1", "escalation 1 notify lea"),
    (just_after("04-07 15:00"), "Loan 1", "tell lea"),
    (utc("04-08 07:30"), "Loan 1", "escalation 2 raise_priority mia"),
    (utc("04-08 07:30"), "Loan 1", "priority medium"),
    (utc("04-08 08:00"), "Loan 1", "met sla_target_mins"),
]
SWEPT_ON_THE_DOT = [
    *(just_before("03-27 13:48"), utc("03-27 13:48"), utc("03-27 14:00"), just_after("03-27 14:00")),
    *(just_before("03-27 14:30"), utc("03-27 14:30"), just_after("03-27 15:00")),
    utc("03-28 12:00"),  # a Saturday
    *(just_before("03-29 01:15"), utc("03-29 01:15"), utc("03-29 01:30"), just_after("03-29 01:30")),
    *(utc("03-29 22:00"), utc("03-30 07:00")),  # midnight and opening time in Berlin
    *(just_before("03-30 20:45"), utc("03-30 20:45")),
    just_after("03-31 08:30"),  # review would have been due, but it waits
    *(utc("03-31 12:00"), utc("04-01 10:00")),  # suspended
    *(just_before("04-01 15:00"), utc("04-01 15:00"), utc("04-01 22:00")),
    *(just_before("04-02 07:30"), utc("04-02 07:30"), utc("04-02 08:30"), just_after("04-02 08:30")),
    *(just_before("04-02 09:30"), utc("04-02 09:30"), just_after("04-02 12:00")),
    *(utc("04-03 09:00"), utc("04-04 09:00"), utc("04-05 22:00"), utc("04-06 09:00")),  # Easter
    *(just_before("04-07 09:00"), utc("04-07 09:00"), just_before("04-07 13:00"), utc("04-07 13:00")),
    *(utc("04-07 15:00"), just_after("04-07 15:00"), utc("04-07 22:00")),
    *(just_before("04-08 07:30"), utc("04-08 07:30"), utc("04-09 09:00")),
]

# The same when it is swept every five minutes: what comes between two sweeps is told by the second, also what
# comes a microsecond after the first.
TOLD_EVERY_FIVE_MINUTES = [
    (utc("03-27 13:50"), "Take", "at_risk sla_target_mins 1"),
    (utc("03-27 14:05"), "Take", "breached sla_target_mins"),
    (utc("03-27 14:30"), "Loan 1", "at_risk response 1"),
    (utc("03-27 14:45"), "Loan 1", "met response"),
    (utc("03-29 01:15"), "Call", "at_risk response 1"),
    (utc("03-29 01:35"), "Call", "breached response"),
    (utc("03-30 20:45"), "Call", "at_risk resolution 1"),
    (utc("03-30 21:00"), "Call", "met resolution"),
    (utc("04-01 15:00"), "Loan 1", "at_risk resolution 1"),
    (utc("04-01 15:00"), "Review", "at_risk resolution 1"),
    (utc("04-02 07:30"), "Review", "escalation 1 notify bea"),
    (utc("04-02 07:30"), "Review", "tell bea"),
    (utc("04-02 08:35"), "Review", "breached resolution"),
    (utc("04-02 08:35"), "Review", "escalation 2 notify lea"),
    (utc("04-02 08:35"), "Review", "tell lea"),
    (utc("04-02 09:30"), "Review", "escalation 3 raise_priority lea"),
    (utc("04-02 09:30"), "Review", "priority medium"),
    (utc("04-07 09:00"), "Review", "escalation 4 reassign mia"),
    (utc("04-07 09:00"), "Review", "given to mia"),
    (utc("04-07 13:00"), "Loan 1", "at_risk resolution 2"),
    (utc("04-07 15:05"), "Loan 1", "breached resolution"),
    (utc("04-07 15:05"), "Loan 1", "escalation 1 notify lea"),
    (utc("04-07 15:05"), "Loan 1", "tell lea"),
    (utc("04-08 07:30"), "Loan 1", "escalation 2 raise_priority mia"),
    (utc("04-08 07:30"), "Loan 1", "priority medium"),
    (utc("04-08 08:00"), "Loan 1", "met sla_target_mins"),
]

# And when nobody sweeps: commands tell what has come by then of the items that they touch. Starting take on
# Fri 14:45 tells its breach, and completing close on Wed 8 April that of the process. Nobody is told, and
# nothing is reassigned, for escalating is the sweep's.
TOLD_BY_COMMANDS = [
    (utc("03-27 14:45"), "Loan 1", "met response"),
    (utc("03-27 14:45"), "Take", "breached sla_target_mins"),
    (utc("03-30 20:00"), "Call", "breached response"),
    (utc("03-30 21:00"), "Call", "met resolution"),
    (utc("04-07 12:00"), "Review", "breached resolution"),
    (utc("04-07 12:00"), "Loan 1", "at_risk resolution 1"),
    (utc("04-08 07:00"), "Loan 1", "breached resolution"),
    (utc("04-08 08:00"), "Loan 1", "met sla_target_mins"),
]


def every_five_minutes(days: Sequence[str]) -> list[datetime]:
    """The whole of these days would be many sweeps; the hours in which something comes are enough."""
    hours = [utc(f"{day}:00") for day in days]
    return [hour + timedelta(minutes=minutes) for hour in hours for minutes in range(0, 60, 5)]


NEAR = ("03-27 13", "03-27 14", "03-29 00", "03-29 01", "03-30 20", "03-31 08", "04-01 10", "04-01 15")
NEAR += ("04-02 07", "04-02 08", "04-02 09", "04-02 22", "04-06 22", "04-07 08", "04-07 09", "04-07 12")
NEAR += ("04-07 13", "04-07 15", "04-07 22", "04-08 07")


@pytest.mark.parametrize(
    ("sweeps", "told"),
    [
        (SWEPT_ON_THE_DOT, TOLD_ON_THE_DOT),
        (every_five_minutes(NEAR), TOLD_EVERY_FIVE_MINUTES),
        ([utc("04-08 09:00")], TOLD_BY_COMMANDS),
    ],
    ids=["swept on the dot", "swept every five minutes", "swept when all is over"],
)
def test_the_week_tells_what_was_written_down(
    new_workbench: Callable[..., gndp.Workbench],
    sweeps: list[datetime],
    told: list[tuple[datetime, str, str]],
) -> None:
    week = Week(new_workbench)
    week.play(sweeps, is_reassigned=told is not TOLD_BY_COMMANDS)
    assert week.told() == told
    assert week.wb.check().violations == ()
    assert week.wb.sla.next_due() is None


def test_the_clocks_of_the_week_keep_what_was_written_down(
    new_workbench: Callable[..., gndp.Workbench],
) -> None:
    week = Week(new_workbench)
    week.play(SWEPT_ON_THE_DOT, is_reassigned=True)

    def rows(**item: Any) -> dict[str, tuple[Any, ...]]:
        return {
            clock.objective: (
                *(clock.status, clock.original_due_at, clock.due_at, clock.end_time),
                *(clock.target_duration_mins, clock.actual_duration_mins, clock.breach_amount_mins),
            )
            for clock, _, _ in week.wb.sla.clocks(**item)
        }

    assert rows(process_id=week.process) == {
        # 120 allowed, 45 used.
        "response": ("met", utc("03-27 15:00"), utc("03-27 15:00"), utc("03-27 14:45"), 120, 105, None),
        # 1800, then 30 until closing on Tuesday and 09:00–10:00 on Wednesday.
        "resolution": (
            *("breached", utc("04-02 12:00"), utc("04-07 15:00"), utc("04-08 08:00")),
            *(1800, 1890, 90),
        ),
        # Fri 27 March 13:00 to Wed 8 April 08:00 are 283 hours; 28 of them suspended leaves 255 = 15,300 min.
        "sla_target_mins": (
            *("met", utc("04-07 13:00"), utc("04-08 17:00"), utc("04-08 08:00")),
            *(15_840, 15_300, None),
        ),
    }
    assert rows(task_id=week.take) == {
        "sla_target_mins": (
            *("breached", utc("03-27 14:00"), utc("03-27 14:00"), utc("03-27 15:30")),
            *(60, 150, 90),
        ),
    }
    assert rows(task_id=week.review) == {
        # 600, Thu 120 + 240, Tue 7 April 210 + 30: 1200.
        "resolution": (
            *("breached", utc("03-31 08:30"), utc("04-02 08:30"), utc("04-07 12:00")),
            *(600, 1200, 600),
        ),
    }
    assert rows(task_id=week.call) == {
        "resolution": ("met", utc("03-30 21:00"), utc("03-30 21:00"), utc("03-30 21:00"), 840, 840, None),
        # Fri 240, Sat 480, Sun 180 + 240, Mon 240, and 20:00–22:00 in Berlin: 1500.
        "response": (
            *("breached", utc("03-29 01:30"), utc("03-29 01:30"), utc("03-30 20:00")),
            *(870, 1500, 630),
        ),
    }
    assert rows(task_id=week.close) == {}
    (review,) = week.wb.sla.clocks(task_id=week.review)
    assert (review.clock.escalation_required, review.clock.escalated_to, review.clock.escalated_at) == (
        True,
        "mia",
        utc("04-07 09:00"),
    )
    resolution = {c.clock.objective: c.clock for c in week.wb.sla.clocks(process_id=week.process)}
    assert resolution["resolution"].business_impact == "the customer goes elsewhere"
    assert resolution["sla_target_mins"].business_impact is None


def test_the_row_shows_the_running_clock_that_is_due_first(
    new_workbench: Callable[..., gndp.Workbench],
) -> None:
    week = Week(new_workbench)
    shown = []

    def look(*_: object) -> None:
        row = week.wb.processes.get(week.process)
        shown.append((week.at, row.sla_status, row.due_date, row.sla_breach_time, row.priority))

    acts = week.acts("mia", True)
    sweeps = [(at, week.wb.sla.sweep) for at in SWEPT_ON_THE_DOT]
    looks = [
        *("03-27 13:00", "03-27 14:30", "03-27 14:45", "03-31 12:00", "04-01 13:00", "04-01 15:00"),
        *("04-07 15:00", "04-07 16:00", "04-08 07:30", "04-08 08:00"),
    ]
    steps = [*acts, *sweeps, *((utc(at), look) for at in looks)]
    for week.at, act in sorted(steps, key=lambda step: step[0]):
        act()

    assert shown == [
        (utc("03-27 13:00"), "on_track", utc("03-27 15:00"), None, "low"),  # response
        (utc("03-27 14:30"), "at_risk", utc("03-27 15:00"), None, "low"),
        (utc("03-27 14:45"), "on_track", utc("04-02 12:00"), None, "low"),  # resolution
        (utc("03-31 12:00"), "on_track", utc("04-02 12:00"), None, "low"),  # paused: as it was
        (utc("04-01 13:00"), "on_track", utc("04-07 15:00"), None, "low"),
        (utc("04-01 15:00"), "at_risk", utc("04-07 15:00"), None, "low"),
        (utc("04-07 15:00"), "at_risk", utc("04-07 15:00"), None, "low"),
        (utc("04-07 16:00"), "breached", utc("04-07 15:00"), utc("04-07 15:00"), "low"),
        (utc("04-08 07:30"), "breached", utc("04-07 15:00"), utc("04-07 15:00"), "medium"),
        (utc("04-08 08:00"), "breached", utc("04-07 15:00"), utc("04-07 15:00"), "medium"),
    ]


Reading = tuple[str, int, int, datetime, bool, datetime | None]


def test_any_past_moment_of_the_week_can_be_shown(new_workbench: Callable[..., gndp.Workbench]) -> None:
    week = Week(new_workbench)
    week.play(SWEPT_ON_THE_DOT, is_reassigned=True)

    def readings(at: datetime, **item: Any) -> dict[str, Reading]:
        return {
            clock.objective: (
                *(str(reading.status), reading.elapsed // timedelta(minutes=1)),
                reading.remaining // timedelta(minutes=1),
                *(reading.due_at, reading.is_paused, reading.next_at),
            )
            for clock, _, reading in week.wb.sla.clocks(as_of=at, **item)
        }

    process, review = {"process_id": week.process}, {"task_id": week.review}
    assert readings(utc("03-27 12:59"), **process) == {}
    start = readings(utc("03-27 13:00"), **process)
    assert start["response"] == ("on_track", 0, 120, utc("03-27 15:00"), False, utc("03-27 14:30"))
    # 900 minutes from Fri 14:00 Berlin: Fri 210, Mon 450, Tue 240 = 210 and 30: Tue 14:00 = 12:00 UTC.
    assert start["resolution"] == ("on_track", 0, 1800, utc("04-02 12:00"), False, utc("03-31 12:00"))
    assert start["sla_target_mins"][3:] == (utc("04-07 13:00"), False, utc("04-07 12:45"))

    friday = readings(utc("03-27 14:40"), **process)
    assert friday["response"] == ("at_risk", 100, 20, utc("03-27 15:00"), False, just_after("03-27 15:00"))
    assert readings(utc("03-27 14:45"), **process)["response"] == (
        *("met", 105, 15, utc("03-27 15:00"), False, None),
    )
    assert readings(utc("03-27 15:29"), **review) == {}  # take is not done

    # Fri 60, Mon 210 + 30, the supplier's two hours counted.
    assert readings(utc("03-30 12:00"), **review)["resolution"] == (
        *("on_track", 300, 300, utc("03-31 08:30"), False, utc("03-30 15:00")),
    )
    # If it went on at Tue 14:00 Berlin: Tue 210, so 810 left, Wed 450, Thu 360: 16:00 = 14:00 UTC.
    suspended = readings(utc("03-31 12:00"), **process)["resolution"]
    assert suspended == ("on_track", 780, 1020, utc("04-02 14:00"), True, None)
    # The process runs again, the customer is still silent. At Wed 15:30, 180 left: Wed 120, Thu 60.
    assert readings(utc("04-01 13:30"), **review)["resolution"] == (
        *("on_track", 420, 180, utc("04-02 08:00"), True, None),
    )
    assert readings(utc("04-01 15:00"), **review)["resolution"] == (
        *("at_risk", 480, 120, utc("04-02 08:30"), False, utc("04-02 07:30")),
    )
    assert readings(utc("04-02 08:30"), **review)["resolution"] == (
        *("at_risk", 600, 0, utc("04-02 08:30"), False, just_after("04-02 08:30")),
    )
    # On Easter Sunday, 360 over; the manager gets it on Tuesday.
    assert readings(utc("04-05 12:00"), **review)["resolution"] == (
        *("breached", 960, -360, utc("04-02 08:30"), False, utc("04-07 09:00")),
    )
    assert readings(utc("05-01 12:00"), **review)["resolution"] == (
        *("breached", 1200, -600, utc("04-02 08:30"), False, None),
    )
