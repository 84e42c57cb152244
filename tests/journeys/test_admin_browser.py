"""The administration in a real browser, on a real database."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from serving import served

import gndp
from gndp.access.passwords import Passwords

pytestmark = pytest.mark.browser

PASSWORD = "correct horse battery staple"
HOSTILE = "<img src=x onerror=\"document.title='broken into'\">"
PAGES = ("People", "Calendars", "SLA policies", "Templates", "Jobs", "Events", "Audit")
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
OFFICE = gndp.Calendar(
    time_zone="Europe/Berlin",
    hours={day: [("09:00", "17:00")] for day in range(5)},
    country="DE",
    holidays=["2026-12-24"],
)


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


@pytest.fixture(scope="module")
def house(module_database_url: str) -> Iterator[gndp.Workbench]:
    with gndp.connect(module_database_url) as workbench:
        cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        workbench.entrance.accounts._passwords = Passwords(cheap)
        workbench.directory.add_team("north")
        for user_id, role in (("ann", "worker"), ("max", "manager"), ("root", "admin")):
            workbench.directory.add_person(user_id, team="north", role=role)
            workbench.entrance.accounts.create(user_id, PASSWORD)
        workbench.directory.add_person("mallory", HOSTILE)
        workbench.calendars.save("office", OFFICE)
        policy = {"name": "answer", "item": "task", "target_minutes": 60, "calendar": "office"}
        workbench.sla.publish(policy, user_id="root")
        step = {"id": "check", "name": HOSTILE}
        workbench.definitions.publish({"id": "loan", "name": HOSTILE, "steps": [step]}, user_id="root")
        yield workbench


@pytest.fixture(scope="module")
def url(house: gndp.Workbench) -> Iterator[str]:
    with served(house, needs_authentication=True) as address:
        yield address


@pytest.fixture
def enter(browser: Browser, url: str) -> Iterator[Callable[[str], Page]]:
    """Signs somebody in; nothing that was said to the console and no other host may be left at the end."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def opened(user_id: str) -> Page:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Europe/Berlin")
        contexts.append(context)
        reply = context.request.post(
            f"{url}/api/auth/sign-in",
            data={"user_id": user_id, "password": PASSWORD},
            headers={"Origin": url},
        )
        assert reply.ok, reply.text()
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda said: complaints.append(told(said)) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if is_foreign(asked.url, url) else None)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert sorted(set(complaints)) == []


def told(said: ConsoleMessage) -> str:
    return f"{said.text} ({said.location.get('url')})"


def is_foreign(address: str, url: str) -> bool:
    return not address.startswith((url, url.replace("http", "ws"), "data:", "blob:"))


def heading(page: Page, name: str) -> Any:
    return page.get_by_role("heading", name=name, exact=True)


def test_an_admin_reaches_every_page_and_hostile_names_run_nothing(
    enter: Callable[[str], Page], url: str
) -> None:
    page = enter("root")
    page.goto(f"{url}/")
    expect(heading(page, "Overview")).to_be_visible(timeout=60_000)
    for name in PAGES:
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name, exact=True).click()
        expect(heading(page, "People and teams" if name == "People" else name)).to_be_visible()
    page.goto(f"{url}/admin/templates?template=loan")
    expect(page.get_by_text(HOSTILE).first).to_be_visible(timeout=60_000)
    page.goto(f"{url}/admin/people")
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible(timeout=60_000)
    assert "GNDP" in page.title()


def test_a_worker_is_not_offered_the_pages_and_is_refused(enter: Callable[[str], Page], url: str) -> None:
    page = enter("ann")
    page.goto(f"{url}/")
    expect(heading(page, "Overview")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("link", name="Processes", exact=True)).to_be_visible()
    assert page.get_by_role("link", name="People", exact=True).count() == 0
    assert page.get_by_role("heading", name="Admin", exact=True).count() == 0
    for path in ("people", "calendars", "sla", "templates", "jobs", "events", "audit"):
        page.goto(f"{url}/admin/{path}")
        expect(page.get_by_text("This page is for managers and administrators")).to_be_visible(timeout=60_000)
        assert page.get_by_text("Traceback").count() == 0
    page.get_by_role("link", name="Go to the overview").click()
    expect(heading(page, "Overview")).to_be_visible()


def test_an_admin_adds_a_person_and_a_team(
    enter: Callable[[str], Page], url: str, house: gndp.Workbench
) -> None:
    page = enter("root")
    page.goto(f"{url}/admin/people")
    expect(page.get_by_role("link", name="max")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Add a team").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("south")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="south")).to_be_visible()
    page.get_by_role("button", name="Add a person").click()
    dialog.get_by_label("Id").fill("bob")
    dialog.get_by_label("Name").fill("Bob Bell")
    dialog.get_by_label("Skills").fill("kyc:9")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(dialog.get_by_role("alert").filter(has_text="is no skill with its level")).to_be_visible()
    dialog.get_by_label("Skills").fill("kyc:2")
    dialog.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("link", name="Bob Bell")).to_be_visible()
    assert house.directory.person("bob").skills == {"kyc": 2}
    page.get_by_role("link", name="Bob Bell").click()
    expect(heading(page, "Person bob")).to_be_visible()
    page.get_by_role("button", name="Make a one-time link").click()
    expect(page.get_by_label("A link for bob")).to_have_value(f"{url}/sign-in#link=" + token_in(page))


def token_in(page: Page) -> str:
    return page.get_by_label("A link for bob").input_value().partition("link=")[2]


def test_an_admin_edits_a_calendar_and_sees_the_month_change(
    enter: Callable[[str], Page], url: str, house: gndp.Workbench
) -> None:
    page = enter("root")
    page.goto(f"{url}/admin/calendars?calendar=office&month=2026-12")
    month = page.get_by_role("table")
    expect(month.get_by_text("own day off")).to_have_count(1, timeout=60_000)
    expect(page.get_by_text("168 h of working time")).to_be_visible()
    page.get_by_label("Saturday").fill("10:00-12:00")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(month.get_by_text("10:00–12:00").first).to_be_visible()
    expect(page.get_by_text("174 h of working time")).to_be_visible()
    assert house.calendars.get("office").hours[5] == (("10:00", "12:00"),)
    page.get_by_role("button", name="Month after").click()
    expect(page.get_by_text("January 2027")).to_be_visible()
    expect(page).to_have_url(f"{url}/admin/calendars?calendar=office&month=2027-01")


def test_a_manager_previews_a_policy(enter: Callable[[str], Page], url: str, house: gndp.Workbench) -> None:
    page = enter("max")
    page.goto(f"{url}/admin/sla")
    page.get_by_role("link", name="answer").click(timeout=60_000)
    expect(heading(page, "Policy answer")).to_be_visible()
    text = page.get_by_label("Document, YAML or JSON")
    text.fill(text.input_value().replace("60", "nothing"))
    page.get_by_role("button", name="Show when it is due").click()
    expect(page.get_by_text("This cannot be tried out")).to_be_visible()
    expect(page.locator("code", has_text="target_minutes")).to_be_visible()
    text.fill(text.input_value().replace("nothing", "30"))
    page.get_by_role("button", name="Show when it is due").click()
    expect(page.get_by_text("Due", exact=True)).to_be_visible()
    expect(page.get_by_text("This cannot be tried out")).to_be_hidden()
    assert house.sla.policy("answer").version == 1


def test_an_admin_replays_a_dead_letter(
    enter: Callable[[str], Page], url: str, house: gndp.Workbench
) -> None:
    is_healed, handled = threading.Event(), threading.Event()

    def handler(_: object) -> None:
        if not is_healed.is_set():
            raise RuntimeError("the post office is closed")
        handled.set()

    with closing(house.events.subscribe_durable("mail", "process.started", handler, max_attempts=1)):
        house.processes.start(
            process_definition_id="x", process_name="A case", process_type="custom", initiated_by="ann"
        )
        page = enter("root")
        page.goto(f"{url}/admin/events")
        for _ in range(50):
            if house.events.dead("mail"):
                break
            page.wait_for_timeout(200)
        page.reload()
        page.get_by_label("Select process.started").check(timeout=60_000)
        expect(page.locator("pre", has_text="the post office is closed")).to_be_visible()
        is_healed.set()
        page.get_by_role("button", name="Replay").click()
        expect(page.get_by_text("1 event is given to its handler again")).to_be_visible()
        assert handled.wait(30)
        expect(page.get_by_text("No such event.")).to_be_visible()


def test_the_check_and_an_anchor_from_the_browser(
    enter: Callable[[str], Page], url: str, tmp_path: Path
) -> None:
    page = enter("max")
    page.goto(f"{url}/admin/audit")
    page.get_by_role("button", name="Check now").click(timeout=60_000)
    expect(page.get_by_text("Everything holds.")).to_be_visible(timeout=60_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download an anchor").click()
    anchor = tmp_path / download.value.suggested_filename
    download.value.save_as(anchor)
    page.locator("input[type=file]").set_input_files(anchor)
    expect(page.get_by_text(anchor.name)).to_be_visible()
    page.get_by_role("button", name="Verify against it").click()
    expect(page.get_by_text("The log is what was anchored.")).to_be_visible(timeout=60_000)
