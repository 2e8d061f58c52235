# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person does with the report, in a real browser: look, search, go by keyboard, print."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Files, Open


def host(page: Page, name: str) -> str:
    """The row of a host."""
    return f".host:has(button:text-is('{name}'))"


def text_of(page: Page, selector: str) -> str:
    return " ".join(page.locator(selector).inner_text().split())


def test_first_sight(window: Open, files: Files) -> None:
    page = window(files.site)
    assert "20 hosts in 4 racks" in text_of(page, "#tiles")
    assert "1 refused" in text_of(page, "#tiles")
    expect(page.locator(".rack")).to_have_count(4)
    cell = page.locator(host(page, "ss101")).locator(".cell").first
    assert "ZFS tank" in str(cell.get_attribute("aria-label"))


def test_search_and_filters(window: Open, files: Files) -> None:
    page = window(files.site)
    page.keyboard.press("/")
    page.keyboard.type("ss303 zfs")
    expect(page.locator("#shown")).to_have_text("12 disks in 1 host")
    expect(page.locator(".host:visible")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".host:visible")).to_have_count(20)
    page.select_option("#kind", "nvme")
    page.click("[data-only=changes]")
    expect(page.locator("#shown")).to_have_text("12 disks in 6 hosts")
    page.click("#clear")
    page.click("#legend button:has-text('local volume')")
    assert text_of(page, "#shown").endswith("in 15 hosts")
    page.click("#sides label:has-text('After')")
    assert text_of(page, "#shown").endswith("in 18 hosts")
    page.click("#clear")
    page.fill("#search", "no such thing")
    expect(page.locator(".empty:visible")).to_contain_text("No disk fits")


def test_a_host_that_gave_nothing_is_found(window: Open, files: Files) -> None:
    page = window(files.site)
    page.click("[data-only=wrong]")
    expect(page.locator(".host:visible")).to_have_count(1)
    page.click(".host:visible .host-head button")
    expect(page.locator("#panel")).to_contain_text("There is no recording")


def test_before_and_after_of_a_disk(window: Open, files: Files) -> None:
    page = window(files.site)
    cell = page.locator(host(page, "ss201")).locator(".cell").first
    assert "nothing" in str(cell.get_attribute("aria-label"))
    cell.click()
    panel = page.locator("#panel")
    expect(panel).to_contain_text("After the plan")
    expect(panel).to_contain_text("ZFS tank")
    expect(panel).to_contain_text("zpool create", use_inner_text=False)
    page.keyboard.press("b")
    cell = page.locator(host(page, "ss201")).locator(".cell").first
    assert "ZFS tank" in str(cell.get_attribute("aria-label"))
    expect(cell).to_be_focused()


def test_keyboard_alone(window: Open, files: Files) -> None:
    page = window(files.site)
    page.locator("#tab-racks").focus()
    for _tab in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.rack') !== null"):
            break
    focused = page.locator(":focus")
    expect(focused).to_have_text("ss101")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(focused).to_have_attribute("data-disk", "1")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_have_text("H1010002")
    expect(focused).to_have_attribute("data-disk", "1")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#panel-title")).to_have_text("H1010003")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(focused).to_have_attribute("data-disk", "2")
    page.keyboard.press("PageDown")
    expect(focused).to_have_text("ss102")
    page.keyboard.press("ArrowDown")
    expect(focused).to_have_attribute("data-disk", "0")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.closest('.host').textContent.startsWith('ss101')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.rack').dataset.rack") == "rack2"


def test_tabs_by_arrows(window: Open, files: Files) -> None:
    page = window(files.site)
    page.locator("#tab-racks").focus()
    seen = []
    for _part in range(5):
        page.keyboard.press("ArrowRight")
        seen.append(page.locator("[role=tabpanel]:visible").get_attribute("id"))
    assert seen == ["part-capacity", "part-plan", "part-health", "part-runs", "part-racks"]


def test_plan_health_and_runs(window: Open, files: Files) -> None:
    page = window(files.site)
    page.click("#tab-plan")
    page.click("details:has-text('ss102') > summary")
    expect(page.locator("details:has-text('ss102')")).to_contain_text("1 GiB → 1280 MiB")
    page.click("#tab-health")
    expect(page.locator("#part-health")).to_contain_text("FAULTED in ZFS pool tank")
    page.click("#tab-runs")
    expect(page.locator("#part-runs details")).to_have_count(3)
    assert "failed" in text_of(page, "#part-runs details >> nth=0")
    page.click("#part-runs summary >> nth=0")
    expect(page.locator("#part-runs")).to_contain_text("special device does not exist")


def test_hostile_texts_are_only_texts(window: Open, files: Files) -> None:
    page = window(files.hostile)
    page.locator(".cell").first.click()
    expect(page.locator("#panel-title")).to_contain_text("</script><script>alert(1)")
    for part in ("capacity", "plan", "health", "runs"):
        page.click(f"#tab-{part}")
        page.evaluate("document.querySelectorAll('.part:not([hidden]) details').forEach(each => { each.open = true; })")
    page.click("#tab-racks")
    page.locator(".host-head button").first.click()
    assert page.locator("img, script[src], iframe").count() == 0
    assert page.evaluate("document.querySelectorAll('script').length") == 3  # actions, data, and ours


def test_nothing_but_its_own_script_may_run(window: Open, files: Files) -> None:
    page = window(files.site)
    policy = page.locator("meta[http-equiv]").get_attribute("content")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_print_shows_every_part_in_light(window: Open, files: Files, pictures: Path) -> None:
    page = window(files.site, scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for part in ("racks", "capacity", "plan", "health", "runs"):
        expect(page.locator(f"#part-{part}")).to_be_visible()
    expect(page.locator("#search")).to_be_hidden()
    assert page.locator(".cell").count() == 475
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") != "rgb(22, 26, 33)"
    page.pdf(path=pictures / "print.pdf", format="A4")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_fit_the_window(
    window: Open, files: Files, pictures: Path, size: tuple[int, int], scheme: str
) -> None:
    page = window(files.site, size, scheme)
    name = f"{'phone' if size == PHONE else 'desktop'}-{scheme}"
    page.screenshot(path=pictures / f"{name}.png")
    page.keyboard.press("b")
    page.locator(host(page, "ss202")).locator(".cell").nth(4).click()
    page.wait_for_selector("#panel .lines")
    page.screenshot(path=pictures / f"{name}-disk.png")
    for part in ("capacity", "plan", "health", "runs"):
        page.click(f"#tab-{part}")
        page.screenshot(path=pictures / f"{name}-{part}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{part} is wider than the window"


def test_what_happens_to_osds(window: Open, files: Files) -> None:
    page = window(files.clusters)
    assert "1 Ceph cluster to change" in text_of(page, "#tiles")
    page.click("#tab-plan")
    cards = page.locator("#part-plan .card")
    expect(cards.first).to_contain_text("Destroys in 1 cluster")
    row = page.locator("#part-plan tbody tr").first
    expect(row).to_contain_text("osd.")
    assert row.locator("td").all_inner_texts()[0] == "hdd"
    expect(page.locator("#part-plan")).to_contain_text("planned later")
    page.click("#part-plan summary")
    expect(page.locator("#part-plan .lines")).to_contain_text("purge OSD")
    page.fill("#search", "ss31")
    expect(page.locator("#part-plan tbody tr").first).to_contain_text("ss31")
    page.fill("#search", "no such thing")
    expect(page.locator("#part-plan .card")).to_have_count(0)
