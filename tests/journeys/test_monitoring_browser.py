"""The pages of Monitoring in a real browser, on a real database."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from serving import BY_THE_BUS, served

import gndp
from gndp.core.errors import DatabaseUnavailable

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=\"document.title='broken into'\">"
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
def page(browser: Browser, workbench: gndp.Workbench) -> Iterator[Page]:
    """The overview, opened; nothing it said to the console and no other host may be left at the end."""
    for number in range(30):
        start(workbench, f"Case {number}", priority="low")
    failed = start(workbench, HOSTILE, priority="critical")
    workbench.processes.fail(failed.id, user_id="ann", error_message="no")
    complaints: list[str] = []
    foreign: list[str] = []
    with served(workbench) as address:
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on(
            "request",
            lambda request: foreign.append(request.url) if is_foreign(request.url, address) else None,
        )
        opened.goto(address)
        expect(opened.get_by_text("Completion rate")).to_be_visible(timeout=60_000)
        yield opened
        opened.close()
    assert complaints == []
    assert foreign == []


def start(workbench: gndp.Workbench, name: str, **options: str) -> object:
    return workbench.processes.start(
        process_definition_id="case", process_name=name, process_type="custom", initiated_by="ann", **options
    )


def is_foreign(url: str, address: str) -> bool:
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    return not url.startswith(own)


def rows(page: Page, table: str) -> Locator:
    """The rows of a table by its label; a table without rows is hidden."""
    return page.get_by_role("region", name=table).locator("tbody tr")


def show(page: Page, address: str, heading: str) -> None:
    page.goto(f"{page.url.split('/', 3)[0]}//{page.url.split('/')[2]}{address}")
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible(timeout=30_000)


def test_numbers_and_table_are_those_of_the_engine(page: Page) -> None:
    expect(page.get_by_text("30 running, 0 suspended, 1 failed")).to_be_visible()
    page.get_by_role("link", name="Processes", exact=True).click()
    expect(page.get_by_text("1–25 of 31")).to_be_visible()
    expect(rows(page, "Processes")).to_have_count(25)


def test_hostile_text_is_shown_as_text(page: Page) -> None:
    expect(page.get_by_text(HOSTILE).first).to_be_visible()
    show(page, "/processes", "Processes")
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    page.get_by_role("link", name="Workload").click()
    expect(page.get_by_role("heading", name="Workload", level=1)).to_be_visible()
    assert "GNDP" in page.title()


def test_charts_say_their_figures_in_words_too(page: Page) -> None:
    chart = page.get_by_role("img", name="Throughput")
    expect(chart).to_have_attribute("aria-label", re.compile("30 days: 31 started, 0 completed"))
    chart.focus()
    page.keyboard.press("End")
    expect(page.get_by_text(": 31 started, 0 completed")).to_be_visible()
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("cell", name="31", exact=True)).to_be_visible()


def test_a_status_leads_to_the_list_of_it(page: Page) -> None:
    page.get_by_role("link", name="failed 1").click()
    expect(rows(page, "Processes")).to_have_count(1)
    assert page.url.endswith("/processes?status=failed")
    page.go_back()
    page.get_by_role("link", name="suspended 0").click()
    expect(page.get_by_text("Nothing that fits these filters.")).to_be_visible()


def test_the_next_page_shows_the_rest(page: Page) -> None:
    show(page, "/processes", "Processes")
    page.get_by_role("button", name="Next").click()
    expect(rows(page, "Processes")).to_have_count(6)
    expect(page).to_have_url(re.compile("page=1"))


def test_a_filter_starts_at_its_first_page_and_loses_no_character(page: Page) -> None:
    show(page, "/processes", "Processes")
    page.get_by_role("button", name="Next").click()
    expect(rows(page, "Processes")).to_have_count(6)
    page.get_by_label("Search").press_sequentially("Case 1", delay=60)
    expect(rows(page, "Processes")).to_have_count(11)
    expect(page).to_have_url(re.compile(r"search=Case\+1$"))
    page.get_by_label("Search").press_sequentially("9")
    expect(rows(page, "Processes")).to_have_count(1)
    expect(page.get_by_label("Search")).to_have_value("Case 19")


def test_a_list_that_became_shorter_shows_its_last_page(page: Page, workbench: gndp.Workbench) -> None:
    show(page, "/processes?status=running", "Processes")
    expect(page.get_by_text("1–25 of 30")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(rows(page, "Processes")).to_have_count(5)
    for process in workbench.processes.list(status="running", limit=10).processes:
        workbench.processes.fail(process.id, user_id="ann", error_message="no")
    expect(rows(page, "Processes")).to_have_count(20, timeout=30_000)


def test_an_unreachable_database_is_said_and_tried_again(
    page: Page, workbench: gndp.Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("the database cannot be reached")

    show(page, "/processes", "Processes")
    expect(rows(page, "Processes")).to_have_count(25)
    with monkeypatch.context() as patched:
        patched.setattr(type(workbench.processes), "list", unreachable)
        start(workbench, "Makes the page look")
        expect(page.get_by_text("cannot be read now")).to_be_visible(timeout=30_000)
        expect(page.get_by_role("alert").filter(has_text="cannot be read now")).to_be_visible()
        expect(rows(page, "Processes")).to_have_count(25)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("cannot be read now")).to_be_hidden()


def test_what_changes_elsewhere_shows_here(page: Page, workbench: gndp.Workbench) -> None:
    expect(page.get_by_text("30 running")).to_be_visible()
    start(workbench, "Started elsewhere")
    expect(page.get_by_text("31 running")).to_be_visible(timeout=BY_THE_BUS)
    expect(rows(page, "Recent changes").filter(has_text="Started elsewhere")).to_be_visible()


def test_a_view_is_kept_by_its_name_in_this_browser(page: Page) -> None:
    show(page, "/processes?priority=critical", "Processes")
    page.get_by_role("button", name="Keep this view").click()
    page.get_by_label("Name of the view").fill(HOSTILE)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="All", exact=True).click()
    expect(page.get_by_text("1–25 of 31")).to_be_visible()
    page.get_by_role("navigation", name="Views of the list").get_by_role("link", name=HOSTILE).click()
    expect(rows(page, "Processes")).to_have_count(1)
    assert page.url.endswith("/processes?priority=critical")
    page.reload()
    page.get_by_role("button", name=f"Forget the view {HOSTILE}").click()
    expect(page.get_by_role("link", name=HOSTILE)).to_have_count(1)  # the process


def test_the_same_view_is_asked_for_again_after_its_filters_were_changed(page: Page) -> None:
    show(page, "/processes", "Processes")
    page.get_by_role("link", name="Failed", exact=True).click()
    expect(rows(page, "Processes")).to_have_count(1)
    page.get_by_label("Search").fill("nothing")
    expect(page.get_by_text("Nothing that fits these filters.")).to_be_visible()
    page.get_by_role("link", name="Failed", exact=True).click()
    expect(rows(page, "Processes")).to_have_count(1)


def test_what_giving_a_task_to_somebody_else_changes_is_shown_before_it_is_done(
    page: Page, workbench: gndp.Workbench
) -> None:
    for person in ("bob", "cid"):
        workbench.directory.add_person(person, capacity=2)
    process = workbench.processes.list(status="running", limit=1).processes[0]
    task = workbench.tasks.create(
        process_instance_id=process.id,
        task_definition_id="t",
        task_name="Look at it",
        task_type="manual",
        assigned_to="bob",
        user_id="ann",
    )
    show(page, "/workload", "Workload")
    expect(rows(page, "People").filter(has_text="bob")).to_contain_text("1 of 2, available")
    for label, person in (("From", "bob"), ("To", "cid")):
        page.get_by_label(label, exact=True).fill(person)
        page.get_by_role("option", name=person).click()
    expect(rows(page, "What it would change").filter(has_text="cid")).to_contain_text("1 of 2, available")
    expect(page.get_by_text("cid can take it.")).to_be_visible()
    assert workbench.tasks.get(task.id).assigned_to == "bob"
    expect(page.get_by_role("textbox", name="Reason")).to_be_visible()


def test_the_page_numbers_stand_below_the_table(page: Page) -> None:
    show(page, "/processes", "Processes")
    expect(rows(page, "Processes")).to_have_count(25)
    table = page.locator("table").bounding_box()
    numbers = page.get_by_text("1–25 of 31").bounding_box()
    assert numbers["y"] >= table["y"] + table["height"]


@pytest.mark.parametrize("width", [1280, 820])
@pytest.mark.parametrize("address", ["/", "/processes", "/tasks", "/workload"])
def test_no_page_is_wider_than_the_window(page: Page, address: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1100})
    show(page, address, {"/": "Overview"}.get(address, address[1:].capitalize()))
    csv = page.get_by_role("button", name="CSV").first  # at the right edge of a table
    expect(csv).to_be_visible()
    box = csv.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
