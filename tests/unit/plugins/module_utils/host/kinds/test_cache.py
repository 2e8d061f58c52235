# SPDX-License-Identifier: GPL-3.0-or-later
"""Caches: made before the slow volume takes their place, attached, their mode changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .conftest import Lvm


def test_a_cache_is_made_and_attached(blank: Lvm) -> None:
    ids = blank.ids()
    assert ids.index("cache.create:mixed/slow") < ids.index("cache.attach:mixed/slow")
    assert blank.argv("cache.attach:mixed/slow") == [
        "lvconvert --yes --type cache --cachevol slow_cache --cachemode writeback mixed/slow"
    ]


def _unattached(lvm: Lvm) -> None:
    """As a run that was killed between making and attaching leaves it, or as a person made it."""

    def change(sections: list[dict[str, Any]]) -> None:
        group = next(one for one in sections if one.get("vg") and one["vg"][0]["vg_name"] == "mixed")
        for kind in ("lv", "seg"):
            group[kind] = [row for row in group[kind] if row["lv_name"] != "slow"]
        for row in [*group["lv"], *group["seg"], *group["pvseg"]]:
            name = {"[slow_corig]": "slow", "[slow_cache_cvol]": "slow_cache"}.get(row["lv_name"])
            row["lv_name"] = name or row["lv_name"]

    lvm.report(change)


def test_a_half_made_cache_is_attached_when_it_is_ours(made: Lvm) -> None:
    _unattached(made)
    made.plan()
    question = "run:lvs --noheadings --options lv_tags mixed/slow_cache"
    assert list(made.asked) == [question]
    made.answers[question] = {"rc": 0, "stdout": "  barestore.cache\n", "stderr": ""}
    assert made.ids() == ["cache.attach:mixed/slow"]
    made.answers[question]["stdout"] = "  theirs\n"
    assert made.refusal() == (
        "mixed/slow_cache: it exists, and its tags do not say that it was made to be a cache, "
        "which would overwrite it; "
        "rename it, or remove it if what it carries may be lost."
    )


def test_the_mode_changes(made: Lvm) -> None:
    made.document["lvm"]["mixed"]["volumes"]["slow"]["cache"]["mode"] = "writethrough"
    assert made.argv("cache.change:mixed/slow") == ["lvchange --yes --cachemode writethrough mixed/slow"]


def test_growing_it_is_refused(made: Lvm) -> None:
    made.row("pv", "/dev/nvme0n1", pv_pe_alloc_count="0")
    del made.document["lvm"]["mixed"]["volumes"]["rest"]
    made.document["lvm"]["mixed"]["volumes"]["slow"]["cache"]["size"] = "201 MiB"
    assert made.refusal() == (
        "cache of mixed/slow: it has 104 MiB and the document wants 204 MiB; "
        "restore the size; growing a cache comes with a later release."
    )


def test_one_that_is_too_small_is_refused(blank: Lvm) -> None:
    blank.document["lvm"]["mixed"]["volumes"]["slow"]["cache"]["size"] = "8 MiB"
    assert blank.refusal() == "mixed/slow_cache: 8 MiB are too small for a cache; make it 16 MiB at least."
