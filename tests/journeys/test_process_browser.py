"""The page of a process in a real browser: what people do there, and what others see of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from serving import BY_THE_BUS, served

import gndp
from apps.stores.actions import Action, Field
from gndp.core.records import Process, Task

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=\"document.title='broken into'\">"
PASSWORD = "correct horse battery staple"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PEOPLE = {"lea": "lead", "wim": "worker", "vic": "viewer"}
TEMPLATE = {
    "id": "loan",
    "name": "Loan",
    "steps": [
        {"id": "ask", "name": "Ask"},
        {"id": "check", "name": "Check", "depends_on": ["ask"]},
        {"id": "price", "name": "Price", "depends_on": ["ask"]},
        {"id": "offer", "name": "Offer", "depends_on": ["check", "price"]},
    ],
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium is installed, and CI must run the browser tests")
        pytest.skip("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


class House:
    """A served workbench with a lead, a worker and a viewer of one team, and a late loan that wim has."""

    def __init__(self, workbench: gndp.Workbench, address: str, browser: Browser) -> None:
        self.workbench = workbench
        self.address = address
        self.complaints: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        workbench.directory.add_team("north")
        for person, role in PEOPLE.items():
            workbench.directory.add_person(person, person.title(), team="north", role=role)
            workbench.entrance.accounts.create(person, PASSWORD)
        workbench.definitions.publish(TEMPLATE, user_id="lea")
        self.late = self.start(f"Late {HOSTILE}")
        self.task = workbench.tasks.list(process_id=self.late.id).tasks[0].task
        workbench.tasks.assign(self.task.id, assigned_to="wim", user_id="lea")

    def start(self, name: str, **options: Any) -> Process:
        return self.workbench.processes.start(
            process_definition_id="loan",
            process_name=name,
            process_type="lending",
            initiated_by="lea",
            assigned_team="north",
            **options,
        )

    def page_of(self, person: str, path: str = "/processes", **options: Any) -> Page:
        """A browser of its own in which somebody has signed in."""
        context = self._browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self._contexts.append(context)
        reply = context.request.post(
            f"{self.address}/api/auth/sign-in",
            data={"user_id": person, "password": PASSWORD},
            headers={"Origin": self.address},
        )
        assert reply.ok, reply.text()
        page = context.new_page()
        page.on("console", lambda said: self._complain(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self._complain(str(error)))
        page.on("request", lambda request: self._check(request.url))
        page.goto(f"{self.address}{path}")
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()

    def process_path(self, process: Process, task: Task | None = None) -> str:
        return f"/process?id={process.id}" + (f"&task={task.id}" if task else "")

    def _check(self, url: str) -> None:
        own = (self.address, self.address.replace("http", "ws"), "data:", "blob:")
        if not url.startswith(own):
            self._complain(f"asked another host: {url}")

    def _complain(self, what: str) -> None:
        self.complaints.append(what)


@pytest.fixture
def house(browser: Browser, workbench: gndp.Workbench) -> Iterator[House]:
    """The house; nothing said to a console and no other host asked may be left at the end."""
    with served(workbench, needs_authentication=True) as address:
        house = House(workbench, address, browser)
        yield house
        house.close()
    assert house.complaints == []


def command(page: Page, name: str, group: str = "What can be done to the process") -> Any:
    return page.get_by_role("group", name=group).get_by_role("button", name=name, exact=True)


def task_command(page: Page, name: str) -> Any:
    return command(page, name, "What can be done to the task")


def tasks_of(page: Page) -> Any:
    return page.get_by_role("region", name="Tasks of the process")


def test_a_late_process_is_found_and_its_task_reassigned_and_others_see_it_at_once(house: House) -> None:
    other = house.page_of("wim", house.process_path(house.late, house.task))
    expect(task_command(other, "Release")).to_be_visible(timeout=60_000)
    page = house.page_of("lea", "/processes")
    page.get_by_role("link", name="Late <img").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Late <img", timeout=60_000)
    tasks_of(page).get_by_role("link", name="Ask").click()
    expect(page.get_by_role("heading", name="Task: Ask")).to_be_visible()
    task_command(page, "Reassign").click()
    dialog = page.get_by_role("dialog", name="Reassign")
    expect(dialog.get_by_label("To whom")).to_be_focused()
    dialog.get_by_label("To whom").fill("lea")
    dialog.get_by_label("Reason").fill("wim is away")
    dialog.get_by_role("button", name="Reassign").click()
    expect(tasks_of(other).get_by_role("cell", name="lea", exact=True)).to_be_visible(timeout=BY_THE_BUS)
    expect(dialog).to_be_hidden()
    assert house.workbench.tasks.get(house.task.id).assigned_to == "lea"
    expect(task_command(page, "Start")).to_be_visible()
    assert "GNDP" in page.title()


def test_suspend_asks_for_a_reason_and_resume_goes_on(house: House) -> None:
    page = house.page_of("lea", house.process_path(house.late))
    command(page, "Suspend").click(timeout=60_000)
    dialog = page.get_by_role("dialog", name="Suspend")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(command(page, "Suspend")).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Suspend").click()
    expect(dialog).to_be_visible()  # nothing was entered
    dialog.get_by_label("Reason").fill("the customer is away")
    dialog.get_by_role("button", name="Suspend").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("dd .badge.suspended").first).to_be_visible()
    assert house.workbench.processes.get(house.late.id).status == "suspended"
    command(page, "Resume").click()
    expect(command(page, "Suspend")).to_be_visible()
    assert house.workbench.processes.get(house.late.id).status == "running"


def test_what_changes_elsewhere_leaves_what_is_typed_alone(house: House) -> None:
    page = house.page_of("lea", house.process_path(house.late))
    command(page, "Suspend").click(timeout=60_000)
    field = page.get_by_role("dialog").get_by_label("Reason")
    field.fill("half a sen")
    house.workbench.processes.update(house.late.id, user_id="wim", priority="critical")
    expect(page.get_by_text("critical").first).to_be_attached()
    expect(field).to_have_value("half a sen")
    expect(field).to_be_focused()
    # It was changed meanwhile, and nobody overwrites what they have not seen.
    page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("version")
    expect(field).to_have_value("half a sen")
    page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert house.workbench.processes.get(house.late.id).status == "suspended"


def test_a_viewer_sees_no_command_and_is_refused_when_he_forces_one(house: House) -> None:
    page = house.page_of("vic", house.process_path(house.late, house.task))
    expect(page.get_by_role("heading", name="Task: Ask")).to_be_visible(timeout=60_000)
    expect(
        page.get_by_role("group", name="What can be done to the process").get_by_role("button")
    ).to_have_count(0)
    expect(
        page.get_by_role("group", name="What can be done to the task").get_by_role("button")
    ).to_have_count(0)
    assert page.evaluate(TAMPER, [SUSPEND]) > 0
    command(page, "Suspend").click()
    dialog = page.get_by_role("dialog", name="Suspend")
    dialog.get_by_label("Reason").fill("because I can")
    dialog.get_by_role("button", name="Suspend").click()
    expect(dialog.get_by_role("alert")).to_contain_text("may not pause a process")
    assert house.workbench.processes.get(house.late.id).status == "running"


SUSPEND = asdict(Action("processes.suspend", "Suspend", "", (Field("reason", "Reason"),)))
TAMPER = """(actions) => {
  const models = [...Bokeh.documents[0]._all_models.values()]
  const bars = models.filter((model) => model.data?.answer !== undefined)
  for (const bar of bars) bar.data.actions = actions
  return bars.length
}"""
"""What makes a page offer what its viewer may not do."""


def test_the_graph_shows_the_way_and_the_timeline_the_time(house: House) -> None:
    wb = house.workbench
    wb.tasks.start(house.task.id, user_id="wim")
    page = house.page_of("lea", house.process_path(house.late))
    expect(page.locator(".react-flow__node")).to_have_count(4, timeout=60_000)
    expect(page.locator(".react-flow__node.in_progress")).to_contain_text("Ask")
    expect(page.locator(".react-flow__node.blocked")).to_have_count(3)
    expect(page.locator(".stretch.working").first).to_be_visible()
    wb.tasks.complete(house.task.id, user_id="wim")
    expect(page.locator(".react-flow__node.completed")).to_contain_text("Ask")
    expect(page.locator(".react-flow__node.ready")).to_have_count(2)
    page.locator(".stretch[tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("status").filter(has_text="Ask:")).to_be_visible()


def test_hostile_text_is_shown_as_text_wherever_it_stands(house: House) -> None:
    wb = house.workbench
    process = wb.processes.start(
        process_definition_id="plain",
        process_name=HOSTILE,
        process_type=HOSTILE,
        initiated_by="lea",
        input_data={HOSTILE: [HOSTILE]},
        tags=[HOSTILE],
    )
    task = wb.tasks.create(
        process_instance_id=process.id,
        task_definition_id="t",
        task_name=HOSTILE,
        task_type="manual",
        user_id="lea",
        notes=HOSTILE,
    )
    wb.processes.comment(process.id, user_id="lea", text=HOSTILE)
    page = house.page_of("lea", house.process_path(process, task))
    expect(page.locator(".react-flow__node")).to_contain_text(HOSTILE, timeout=60_000)
    task_command(page, "Change").click()
    expect(page.get_by_role("dialog").get_by_text(HOSTILE)).to_be_visible()
    page.keyboard.press("Escape")
    for tab in ("Events", "Context"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_text(HOSTILE).last).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    assert "GNDP" in page.title()


def test_an_instant_is_entered_and_shown_in_the_viewers_zone(house: House) -> None:
    page = house.page_of("lea", house.process_path(house.late), timezone_id="America/New_York")
    command(page, "Change").click(timeout=60_000)
    dialog = page.get_by_role("dialog", name="Change")
    dialog.get_by_label("Due").fill("2030-01-15T09:00")
    dialog.get_by_role("button", name="Change").click()
    expect(dialog).to_be_hidden()
    due = datetime(2030, 1, 15, 14, tzinfo=UTC)
    assert house.workbench.processes.get(house.late.id).due_date == due
    expect(page.locator("dd time[title*='9:00']")).to_be_visible()
    # What is not touched stays what it was.
    command(page, "Change").click()
    expect(dialog.get_by_label("Due")).to_have_value("2030-01-15T09:00")
    dialog.get_by_label("Priority").select_option("critical")
    dialog.get_by_role("button", name="Change").click()
    expect(dialog).to_be_hidden()
    newest = house.workbench.processes.events(house.late.id)[0]
    assert set(newest.new_data or {}) == {"priority"}
