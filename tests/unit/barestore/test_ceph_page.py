# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from pathlib import Path

from barestore.reference import page

PAGE = Path(__file__).resolve().parents[3] / "docs/ceph.md"
_BETWEEN = re.compile(r"<!-- settings -->\n(.*)<!-- end of settings -->", re.DOTALL)


def test_the_page_has_the_settings_that_are_applied() -> None:
    found = _BETWEEN.search(PAGE.read_text())
    assert found is not None and found[1] == page("ceph_settings"), "paste: python -m barestore.reference ceph_settings"


def test_each_setting_has_a_reason_and_a_source() -> None:
    rows = [line.split(" | ") for line in page("ceph_settings").splitlines() if line.startswith("| ") and "`" in line]
    assert len(rows) > 20
    assert [row for row in rows if len(row) != 4 or len(row[2]) < 15 or len(row[3]) < 5] == []
