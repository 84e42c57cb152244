"""My work and the start of a process in a real browser, by people who sign in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect, sync_playwright
from serving import BY_THE_BUS, served

import gndp
from gndp.access.passwords import Passwords

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery staple"
HOSTILE = "<img src=x onerror=\"document.title='broken into'\">"
SLOW = 60_000
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
TEMPLATE = {
    "id": "loan",
    "name": "Home loan",
    "description": f"From the application to the money. {HOSTILE}",
    "phases": [
        {
            "name": "Application",
            "steps": [
                {
                    "id": "apply",
                    "name": "Take the application",
                    "team": "north",
                    "form": {
                        "type": "object",
                        "required": ["applicant", "amount", "applied_on", "employment", "married", "papers"],
                        "properties": {
                            "applicant": {"type": "string", "title": "Applicant", "description": HOSTILE},
                            "amount": {"type": "number", "title": "Amount", "minimum": 10000},
                            "applied_on": {"type": "string", "format": "date", "title": "Applied on"},
                            "call_at": {"type": "string", "format": "date-time", "title": "Call at"},
                            "employment": {"enum": ["employed", "self_employed"], "title": "Employment"},
                            "married": {"type": "boolean", "title": "Married"},
                            "papers": {
                                "type": "array",
                                "title": "Papers",
                                "minItems": 1,
                                "uniqueItems": True,
                                "items": {"enum": ["identity", "pay_slips"]},
                            },
                            "debts": {
                                "type": "array",
                                "title": "Debts",
                                "items": {"type": "integer", "minimum": 1},
                            },
                            "address": {
                                "type": "object",
                                "title": "Address",
                                "required": ["city"],
                                "properties": {
                                    "city": {"type": "string", "title": "City"},
                                    "zip": {"type": "string", "title": "Postcode", "pattern": "^[0-9]{5}$"},
                                },
                            },
                            "more": {"type": "object", "title": "More"},
                        },
                    },
                },
                {
                    "id": "approve",
                    "name": "Approve the loan",
                    "type": "approval",
                    "team": "north",
                    "depends_on": ["apply"],
                    "different_person_from": ["apply"],
                    "form": {
                        "type": "object",
                        "required": ["decision"],
                        "properties": {"decision": {"enum": ["approved", "declined"], "title": "Decision"}},
                    },
                },
            ],
        },
        {
            "name": "Funding",
            "steps": [
                {"id": "pay", "name": "Pay it out", "team": "south", "depends_on": ["approve"]},
            ],
        },
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


@pytest.fixture
def house(workbench: gndp.Workbench) -> gndp.Workbench:
    workbench.entrance.accounts._passwords = Passwords(
        PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )
    for team in ("north", "south"):
        workbench.directory.add_team(team)
    for name, role, team in (
        ("ann", "worker", "north"),
        ("bob", "worker", "north"),
        ("sue", "worker", "south"),
        ("max", "manager", None),
    ):
        workbench.directory.add_person(name, team=team, role=role)
        workbench.entrance.accounts.create(name, PASSWORD)
    workbench.definitions.publish(TEMPLATE, user_id="max")
    return workbench


@pytest.fixture
def sign_in(browser: Browser, house: gndp.Workbench) -> Iterator[Callable[..., Page]]:
    """Opens a page as somebody; nothing that it says to the console and no other host may be left."""
    complaints: list[str] = []
    with served(house, needs_authentication=True) as address:

        def opened(user_id: str, path: str, title: str, locale: str = "en-GB") -> Page:
            context = browser.new_context(
                viewport={"width": 1280, "height": 900}, locale=locale, timezone_id="Europe/Berlin"
            )
            page = context.new_page()
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            own = (address, address.replace("http", "ws"), "data:", "blob:")
            page.on(
                "request",
                lambda asked: None if asked.url.startswith(own) else complaints.append(asked.url),
            )
            page.goto(f"{address}{path}")
            page.get_by_label("Your id").fill(user_id)
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("heading", name=title)).to_be_visible(timeout=SLOW)
            return page

        yield opened
        for context in browser.contexts:
            context.close()
    assert complaints == []


def start(house: gndp.Workbench, name: str) -> gndp.Process:
    return house.processes.start(
        process_definition_id="loan", process_name=name, process_type="custom", initiated_by="max"
    )


def button(page: Page, name: str) -> object:
    return page.get_by_role("button", name=name, exact=True)


def fill_in_the_application(page: Page) -> None:
    page.get_by_label("Applicant").fill(HOSTILE)
    page.get_by_label("Amount").fill("250,000.50")
    page.get_by_label("Applied on").fill("2026-03-02")
    page.get_by_label("Employment").select_option(label="self employed")
    page.get_by_role("group", name="Married").get_by_label("No", exact=True).check()
    page.get_by_label("pay slips").check()


def test_a_worker_completes_a_form_after_being_stopped_by_an_invalid_field(
    sign_in: Callable[..., Page], house: gndp.Workbench
) -> None:
    process = start(house, HOSTILE)
    page = sign_in("ann", "/work", "My work")
    expect(page.get_by_role("heading", name="Take the application")).to_be_visible(timeout=SLOW)
    button(page, "Claim").click()
    button(page, "Start").click()
    expect(page.get_by_label("Applicant")).to_be_visible()
    fill_in_the_application(page)
    page.get_by_label("Amount").fill("12")
    page.get_by_label("Applicant").focus()
    said = page.locator(".problem", has_text="must be at least 10000")
    expect(said).to_be_visible()  # as it is typed, before anything is sent
    assert page.get_by_label("Amount").get_attribute("aria-invalid") == "true"
    page.get_by_label("Amount").fill("ten")
    expect(page.locator(".problem", has_text="must be a number, not a text; write it like")).to_be_visible()
    page.get_by_role("button", name="Add to Debts").click()
    page.get_by_label("Debts 1", exact=True).fill("0")
    page.get_by_label("Postcode").fill("1")
    page.get_by_label("More").fill("{")
    button(page, "Complete").click()
    expect(page.get_by_role("alert").get_by_text("fields need another look")).to_be_visible()
    expect(page.get_by_label("Amount")).to_be_focused()  # the first that is wrong
    for words in ("must be at least 1", "is missing", "must match the pattern", "must be JSON"):
        expect(page.locator(".problem", has_text=words).first).to_be_visible()
    (task,) = house.tasks.mine("ann")
    assert task.status == "in_progress"
    page.get_by_label("Amount").fill("250,000.50")
    page.get_by_label("Debts 1", exact=True).fill("70")
    page.get_by_label("City").fill("Ulm")
    page.get_by_label("Postcode").fill("89073")
    page.get_by_label("More").fill('{"source": "web"}')
    page.get_by_label("Call at").fill("2026-07-01T10:30")
    expect(page.locator(".problem:not(:empty)")).to_have_count(0)
    button(page, "Complete").click()
    expect(page.get_by_text("Completed.")).to_be_visible()
    done = house.tasks.list(process_id=process.id).tasks[0]
    assert done.status == "completed"
    assert done.form_data == {
        "applicant": HOSTILE,
        "amount": 250000.5,
        "applied_on": "2026-03-02",
        "call_at": "2026-07-01T08:30:00Z",
        "employment": "self_employed",
        "married": False,
        "papers": ["pay_slips"],
        "debts": [70],
        "address": {"city": "Ulm", "zip": "89073"},
        "more": {"source": "web"},
    }
    assert "GNDP" in page.title()


def test_what_changes_elsewhere_leaves_what_is_typed_and_the_focus(
    sign_in: Callable[..., Page], house: gndp.Workbench
) -> None:
    process = start(house, "First")
    task = house.tasks.list(process_id=process.id).tasks[0]
    house.tasks.start(task.id, user_id="ann")
    page = sign_in("ann", f"/work?task={task.id}", "My work")
    applicant = page.get_by_label("Applicant")
    expect(applicant).to_be_visible(timeout=SLOW)
    applicant.press_sequentially("Ann Be")
    applicant.press("ArrowLeft")
    start(house, "Started elsewhere")
    expect(page.get_by_text("Started elsewhere")).to_be_visible(timeout=BY_THE_BUS)
    house.tasks.update(task.id, user_id="max", notes="Noted elsewhere")
    expect(page.get_by_text("Noted elsewhere")).to_be_visible(timeout=BY_THE_BUS)
    expect(applicant).to_be_focused()
    applicant.press_sequentially("eeee")
    expect(applicant).to_have_value("Ann Beeeee")
    house.processes.suspend(process.id, user_id="max", reason="lunch")
    expect(page.get_by_text("Nothing can be done now: its process is suspended.")).to_be_visible()
    button(page, "Complete").click()
    expect(applicant).to_have_value("Ann Beeeee")


def test_a_templated_process_is_started_and_walked_to_its_end(
    sign_in: Callable[..., Page], house: gndp.Workbench
) -> None:
    starting = sign_in("max", "/start", "Start a process")
    starting.get_by_label("Template").select_option(label="Home loan, version 1")
    expect(starting.get_by_text("From the application to the money.")).to_be_visible()
    button(starting, "Start").click()
    expect(starting.get_by_text("is missing")).to_be_visible()
    starting.get_by_label("Name", exact=True).fill("Loan of Ms Bee")
    starting.get_by_label("Priority").select_option("high")
    button(starting, "Start").click()
    starting.wait_for_url("**/process?id=*")
    (process,) = house.processes.list().processes
    assert (process.process_name, process.initiated_by, process.priority) == ("Loan of Ms Bee", "max", "high")

    ann = sign_in("ann", "/work", "My work")
    ann.get_by_role("button", name="Take the application").focus()
    ann.keyboard.press("Enter")  # claims it, starts it, and goes into its form
    expect(ann.get_by_label("Applicant")).to_be_focused()
    fill_in_the_application(ann)
    ann.get_by_label("pay slips").press("Control+Enter")
    expect(ann.get_by_text("Completed.")).to_be_visible()
    expect(ann.get_by_role("heading", name="Approve the loan")).to_be_visible()
    button(ann, "Claim").click()  # whoever took the application is not to approve it
    expect(ann.get_by_text("ann did a step that this one must be kept apart from")).to_be_visible()

    bob = sign_in("bob", "/work", "My work")
    expect(bob.get_by_role("heading", name="Approve the loan")).to_be_visible(timeout=SLOW)
    button(bob, "Start").click()
    bob.get_by_label("Decision").select_option("approved")
    button(bob, "Complete").click()
    expect(bob.get_by_text("Completed.")).to_be_visible()

    sue = sign_in("sue", "/work", "My work")
    sue.get_by_role("button", name="Pay it out").focus()
    sue.keyboard.press("s")
    expect(button(sue, "Complete")).to_be_visible()
    button(sue, "Complete").click()
    expect(sue.get_by_text("Completed.")).to_be_visible()
    ended = house.processes.get(process.id)
    assert (ended.status, ended.progress_percentage) == ("completed", 100.0)
    done_by = [one.claimed_by for one in house.tasks.list(process_id=process.id).tasks]
    assert done_by == ["ann", "bob", "sue"]


def test_the_lists_are_gone_through_by_keyboard(sign_in: Callable[..., Page], house: gndp.Workbench) -> None:
    for number in range(3):
        start(house, f"Loan {number}")
    page = sign_in("ann", "/work", "My work")
    tasks = page.get_by_role("button", name="Take the application")
    expect(tasks).to_have_count(3, timeout=SLOW)
    tasks.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    expect(tasks.nth(2)).to_be_focused()
    expect(page.get_by_role("link", name="Loan 2")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_text("Claimed: it is yours now.")).to_be_visible()
    expect(page.get_by_role("list", name="Yours").get_by_role("button")).to_be_focused()
    page.keyboard.press("a")
    page.get_by_label("To", exact=True).select_option(label="bob (north)")
    page.get_by_label("Reason").fill("Out tomorrow")
    page.get_by_label("Reason").press("Control+Enter")
    expect(page.get_by_text("Given to somebody else.")).to_be_visible()
    assert [one.process_name for one in house.tasks.mine("bob")] == ["Loan 2"]


def test_numbers_are_read_as_the_viewer_writes_them(
    sign_in: Callable[..., Page], house: gndp.Workbench
) -> None:
    task = house.tasks.list(process_id=start(house, "Loan").id).tasks[0]
    house.tasks.start(task.id, user_id="ann")
    page = sign_in("ann", f"/work?task={task.id}", "My work", locale="de-DE")
    amount = page.get_by_label("Amount")
    said = page.locator(".problem:not(:empty)")
    expect(amount).to_be_visible(timeout=SLOW)
    for typed, shown, word in (
        ("250000,5", "250.000,5", None),
        ("12.000", "12.000", None),
        ("1.5", "1,5", "must be at least 10000"),  # what was understood is shown
        ("12,5,0", "12,5,0", "must be a number, not a text; write it like 12.345,6"),
        ("-1,50", "-1,50", "must be at least 10000"),
        ("zwei", "zwei", "must be a number, not a text; write it like 12.345,6"),
    ):
        amount.fill(typed)
        amount.blur()
        expect(amount).to_have_value(shown)
        expect(said).to_have_count(0 if word is None else 1)
        if word is not None:
            expect(said).to_have_text(word)


def test_what_others_wrote_is_told_as_text(sign_in: Callable[..., Page], house: gndp.Workbench) -> None:
    name = f"{HOSTILE} **bold** &lt;b&gt;"
    house.tasks.create(
        process_instance_id=start(house, HOSTILE).id,
        task_definition_id="extra",
        task_name=name,
        task_type="manual",
        assigned_team="south",
        notes=HOSTILE,
        user_id="max",
    )
    page = sign_in("sue", "/work", "My work")
    button(page, "Claim").click(timeout=SLOW)
    expect(page.get_by_text(f"Claimed: it is yours now. ({name})", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert "GNDP" in page.title()


def test_an_absence_is_set_and_ended(sign_in: Callable[..., Page], house: gndp.Workbench) -> None:
    page = sign_in("ann", "/work", "My work")
    page.get_by_role("button", name="Out of office …").click(timeout=SLOW)
    page.get_by_label("Back on").fill("2099-07-01T08:00")
    page.get_by_label("Who stands in").select_option(label="bob (north)")
    button(page, "Set out of office").click()
    expect(page.get_by_role("heading", name="Out of office")).to_be_visible()
    assert house.directory.person("ann").substitute == "bob"
    button(page, "I am back").click()
    expect(page.get_by_role("heading", name="Out of office")).to_be_hidden()
    assert house.directory.person("ann").out_of_office_until is None
