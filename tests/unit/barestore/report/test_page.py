# SPDX-License-Identifier: GPL-3.0-or-later
"""The file: what is in it, that its policy names exactly its own parts, and that no text ends an element."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from typing import Any

from barestore.report.encode import script_json
from barestore.report.page import SCRIPTS, STYLES, html
from tests.browser.hostile import ATTACK, hostile_page


def data(page: str) -> dict[str, Any]:
    """What the page's script reads."""
    found: dict[str, Any] = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    return found


def test_json_of_a_script_ends_nothing_and_comes_back() -> None:
    text = script_json([ATTACK, "</ScRiPt>", "\u2029"])
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == [ATTACK, "</ScRiPt>", "\u2029"]


def test_no_text_of_a_host_is_markup() -> None:
    page = hostile_page()
    assert len(re.findall("<script", page)) == len(re.findall("</script", page)) == 3
    assert "<img" not in page
    assert data(page)["hosts"][0]["n"] == f"host {ATTACK}"


def test_the_policy_names_the_style_and_the_script() -> None:
    page = html("site", "2026-11-21T10:00:00Z", [])
    for element in ("style", "script"):
        inside = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        assert len(inside) == 1
        digest = base64.b64encode(hashlib.sha256(inside[0].encode()).digest()).decode()
        assert f"{element}-src &#39;sha256-{digest}&#39;" in page
    assert re.findall(r"(?:src|href)=\"(?!#)", page) == []


def test_styles_and_scripts_load_nothing_and_are_all_named() -> None:
    page = html("site", "2026-11-21T10:00:00Z", [])
    assert "url(" not in page
    assert "@import" not in page
    assert not re.search(r"\bfetch\(|XMLHttpRequest|innerHTML|insertAdjacentHTML|document\.write|\beval\(", page)
    from importlib import resources

    names = {each.name for each in (resources.files("barestore.report") / "static").iterdir()}
    assert names == {*STYLES, *SCRIPTS, "page.html.j2"}


def test_actions_are_packed_and_the_same_site_gives_the_same_page() -> None:
    page = hostile_page("plain")
    packed = re.findall(r'id="piece-\d+">([^<]*)<', page)
    assert len(packed) == 1
    lines = json.loads(gzip.decompress(base64.b64decode(packed[0])))
    assert lines[0][0][6] == ["plain"]
    assert lines[1] == []
    assert page == hostile_page("plain")
