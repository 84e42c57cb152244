"""Every page in a real browser: accessible, quiet, from this server only, and hostile names are text."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from argon2 import PasswordHasher
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from serving import served

import gndp
from apps.workbench import PLACES
from gndp.access.passwords import Passwords

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
BROKEN = "document.documentElement.dataset.broken = 1"
HOSTILE = (
    f"<script>{BROKEN}</script>",
    f'<img src=x onerror="{BROKEN}">',
    f'<svg onload="{BROKEN}">',
    f'"><img src=x onerror="{BROKEN}">',
    f"'><img src=x onerror='{BROKEN}'>",
    f"</td></tr></table><script>{BROKEN}</script>",
    f"</title><script>{BROKEN}</script>",
    f"</textarea><script>{BROKEN}</script>",
    f"</style><script>{BROKEN}</script>",
    f"<iframe srcdoc='<script>parent.{BROKEN}</script>'></iframe>",
    f"<iframe src='javascript:parent.{BROKEN}'></iframe>",
    f"<a href='javascript:{BROKEN}'>here</a>",
    f"<body onload='{BROKEN}'>",
    f"<details open ontoggle='{BROKEN}'>",
    f"<video><source onerror='{BROKEN}'></video>",
    f"<input autofocus onfocus='{BROKEN}'>",
    f"<marquee onstart='{BROKEN}'>",
    f"<math><mi//xlink:href='data:x,<script>{BROKEN}</script>'>",
    f"<style>@import'x';</style><img src=x onerror={BROKEN.replace(' ', '')}>",
    f"${{{BROKEN}}}",
    f"{{{{ constructor.constructor('{BROKEN}')() }}}}",
    f"{{% raw %}}<script>{BROKEN}</script>",
    f"<%= {BROKEN} %>",
    f"javascript:{BROKEN}",
    f"[x](javascript:{BROKEN})",
    f"![x](x' onerror='{BROKEN})",
    f"&lt;script&gt;{BROKEN}&lt;/script&gt;",
    f"\u003cscript\u003e{BROKEN}\u003c/script\u003e",
    f"$$\\href{{javascript:{BROKEN}}}{{x}}$$",
    f"<template><script>{BROKEN}</script></template>",
)
VENDOR = Path(__file__).with_name("vendor_accessibility.csv")


class Visit(NamedTuple):
    """A browser window that has signed in, and what it has complained of."""

    page: Page
    url: str
    complaints: list[str]

    def show(self, path: str) -> None:
        """Open a page and wait until it is there."""
        self.page.goto(self.url + path)
        self.page.wait_for_selector("h1")
        self.page.wait_for_timeout(800)


@pytest.fixture(scope="module")
def house(module_database_url: str) -> Iterator[gndp.Workbench]:
    with gndp.connect(module_database_url) as wb:
        wb.entrance.accounts._passwords = Passwords(PasswordHasher(1, 8, 1))
        wb.directory.add_team("north")
        wb.directory.add_person("ann", role="admin", team="north", name=HOSTILE[0])
        wb.entrance.accounts.create("ann", PASSWORD)
        for name in HOSTILE:
            process = wb.processes.start(
                process_definition_id="x",
                process_name=name,
                process_type="custom",
                initiated_by="ann",
                assigned_team="north",
                tags=[name],
                business_context={name: name},
                input_data={"note": name},
            )
            task = wb.tasks.create(
                process_instance_id=process.id,
                task_definition_id="t",
                task_name=name,
                task_type="manual",
                assigned_to="ann",
                user_id="ann",
                notes=name,
                sla_target_mins=60,
            )
            wb.tasks.comment(task.id, user_id="ann", text=name)
        wb.processes.suspend(process.id, user_id="ann", reason=HOSTILE[1])
        yield wb


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        assert not os.environ.get("CI"), "there is no Chromium"
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def visit(house: gndp.Workbench, browser: Browser) -> Iterator[Visit]:
    with served(house, needs_authentication=True) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on(
            "request",
            lambda asked: (
                None if asked.url.startswith((url, "data:", "blob:")) else complaints.append(asked.url)
            ),
        )
        page.goto(f"{url}/sign-in")
        page.get_by_label("id").fill("ann")
        page.get_by_label("password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector("h1 >> text=Overview")
        yield Visit(page, url, complaints)


def addresses(house: gndp.Workbench) -> Iterator[str]:
    """Every page; that of a process with one of them."""
    process = house.processes.list(limit=1).processes[0]
    for place in PLACES:
        yield f"{place.path}?id={process.id}" if place.path == "/process" else place.path


@pytest.fixture(scope="module")
def vendor() -> set[tuple[str, str]]:
    """Findings in what others made: the rule, and what the selector of the node contains."""
    with VENDOR.open(encoding="utf-8", newline="") as file:
        return {(row["rule"], row["node"]) for row in csv.DictReader(file, strict=True) if row["reason"]}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_accessibility_fault(
    house: gndp.Workbench, visit: Visit, vendor: set[tuple[str, str]], scheme: Any
) -> None:
    visit.page.emulate_media(color_scheme=scheme)
    found = {}
    for address in addresses(house):
        visit.show(address)
        faults = [
            (fault["id"], node["html"][:200])
            for fault in Axe().run(visit.page).response["violations"]
            if fault["impact"] in ("serious", "critical")
            for node in fault["nodes"]
        ]
        found[address] = [
            fault
            for fault in faults
            if not any(fault[0] == rule and part in fault[1] for rule, part in vendor)
        ]
    assert [f"{address}: {fault}" for address, faults in found.items() for fault in faults] == []


def test_hostile_names_are_text_and_nothing_comes_from_elsewhere(house: gndp.Workbench, visit: Visit) -> None:
    for address in addresses(house):
        visit.complaints.clear()
        visit.show(address)
        assert visit.page.evaluate("document.documentElement.dataset.broken") is None, address
        assert visit.complaints == [], address
    visit.show("/processes")
    assert HOSTILE[-1] in visit.page.locator("tbody").inner_text()


def test_the_keyboard_reaches_the_pages_and_the_table(visit: Visit) -> None:
    visit.show("/processes")
    reached = set()
    for _ in range(60):
        visit.page.keyboard.press("Tab")
        reached.add(
            visit.page.evaluate(
                "(() => { let node = document.activeElement;"
                " while (node.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;"
                " return node.textContent.trim() || node.ariaLabel || node.localName })()"
            )
        )
    assert {"Overview", "Tasks", "Status", "CSV"} <= reached
