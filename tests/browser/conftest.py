# SPDX-License-Identifier: GPL-3.0-or-later
"""One browser for all tests; each test has a window of its own, in which no word may reach the console."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.browser import sites
from tests.browser.chromium import FLAGS, found
from tests.browser.clusters import clusters_page
from tests.browser.hostile import hostile_page
from tests.browser.runs import write_runs

DESKTOP, PHONE = (1440, 900), (390, 844)
Open = Callable[..., Page]


@dataclass(frozen=True)
class Files:
    """Pages to open: a site of four racks, one whose every text is hostile, and one of Ceph clusters."""

    site: Path
    hostile: Path
    clusters: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs the browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The pages, made once by the command itself."""
    from typer.testing import CliRunner

    from barestore.cli import app

    folder = tmp_path_factory.mktemp("report")
    inventory, recordings = sites.write(folder, sites.EXAMPLE)
    runs = write_runs(folder / "journals")
    out = folder / "report.html"
    words = ["report", "-i", inventory, "--observed", recordings, "--runs", runs, "--out", out]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert out.exists(), result.output
    assert result.exit_code == 1  # one host has no recording
    hostile = folder / "hostile.html"
    hostile.write_text(hostile_page(), encoding="utf-8")
    clusters = folder / "clusters.html"
    clusters.write_text(clusters_page(), encoding="utf-8")
    return Files(out, hostile, clusters)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[Open]:
    """``window(path, size, scheme)`` opens a page; afterwards nothing was on the console and nothing was fetched."""
    contexts, said = [], []

    def fetched(route: Route) -> None:
        said.append(f"fetched {route.request.url}")
        route.abort()

    def opened(path: Path, size: tuple[int, int] = DESKTOP, scheme: Any = "light", **options: Any) -> Page:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **options)
        contexts.append(context)
        context.route(lambda url: not url.startswith(("file:", "data:")), fetched)
        page = context.new_page()
        page.on("console", lambda message: said.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.goto(path.as_uri())
        page.wait_for_selector(".cell, .empty")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert said == []


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Screenshots of the last run, to be looked at."""
    folder = sites.ROOT / "build/report"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
