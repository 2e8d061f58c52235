# SPDX-License-Identifier: GPL-3.0-or-later
"""axe-core on each part of the report, light and dark, desktop and phone: nothing serious."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import DESKTOP, PHONE, Files, Open

SERIOUS = ("serious", "critical")


def serious(page: Page) -> list[str]:
    """What axe-core finds, a line each."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_of_clusters(window: Open, files: Files, size: tuple[int, int], scheme: str) -> None:
    page = window(files.clusters, size, scheme)
    page.click("#tab-plan")
    page.click("#part-plan summary")
    assert serious(page) == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious(window: Open, files: Files, size: tuple[int, int], scheme: str) -> None:
    page = window(files.site, size, scheme)
    assert serious(page) == []
    page.locator(".cell").first.click()
    page.click("[data-only=changes]")
    assert serious(page) == []
    page.click("#clear")
    for part in ("capacity", "plan", "health", "runs"):
        page.click(f"#tab-{part}")
        page.evaluate("document.querySelectorAll('.part:not([hidden]) details').forEach(each => { each.open = true; })")
        assert serious(page) == [], part
