"""The overview in a real browser, on a real database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from serving import served

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


def test_numbers_and_table_are_those_of_the_engine(page: Page) -> None:
    expect(page.get_by_text("30 running, 0 suspended, 1 failed")).to_be_visible()
    expect(page.get_by_text("31 processes")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(25)


def test_hostile_text_is_shown_as_text(page: Page) -> None:
    expect(page.get_by_text(HOSTILE)).to_be_visible()
    assert page.title() == "GNDP operations workbench"


def test_a_status_filters_the_table(page: Page) -> None:
    page.get_by_role("button", name="failed").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="suspended").click()
    expect(page.get_by_text("No process is suspended.")).to_be_visible()


def test_the_next_page_shows_the_rest(page: Page) -> None:
    page.get_by_role("button", name="Go to page 2").click()
    expect(page.locator("tbody tr")).to_have_count(6)


def test_a_filter_starts_at_its_first_page(page: Page) -> None:
    page.get_by_role("button", name="Go to page 2").click()
    expect(page.locator("tbody tr")).to_have_count(6)
    page.get_by_role("button", name="running").click()
    expect(page.locator("tbody tr")).to_have_count(25)
    expect(page.get_by_text("30 processes")).to_be_visible()


def test_a_list_that_became_shorter_shows_its_last_page(page: Page, workbench: gndp.Workbench) -> None:
    page.get_by_role("button", name="running").click()
    expect(page.get_by_text("30 processes")).to_be_visible()
    page.get_by_role("button", name="Go to page 2").click()
    expect(page.locator("tbody tr")).to_have_count(5)
    for process in workbench.processes.list(status="running", limit=10).processes:
        workbench.processes.fail(process.id, user_id="ann", error_message="no")
    expect(page.locator("tbody tr")).to_have_count(20, timeout=30_000)


def test_an_unreachable_database_is_said_and_tried_again(
    page: Page, workbench: gndp.Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable() -> None:
        raise DatabaseUnavailable("the database cannot be reached")

    with monkeypatch.context() as patched:
        patched.setattr(workbench.processes, "summary", unreachable)
        expect(page.get_by_text("cannot be read now")).to_be_visible(timeout=30_000)
        expect(page.locator(".MuiAlert-colorError")).to_be_visible()
        expect(page.locator("tbody tr")).to_have_count(25)
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("cannot be read now")).to_be_hidden()


def test_what_changes_elsewhere_shows_here(page: Page, workbench: gndp.Workbench) -> None:
    start(workbench, "Started elsewhere")
    expect(page.get_by_text("Started elsewhere")).to_be_visible(timeout=30_000)


def test_the_page_numbers_stand_below_the_table(page: Page) -> None:
    table = page.locator("table").bounding_box()
    numbers = page.get_by_role("navigation", name="pagination").bounding_box()
    assert numbers["y"] >= table["y"] + table["height"]
