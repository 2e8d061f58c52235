# SPDX-License-Identifier: GPL-3.0-or-later
"""The comment on a pull request: what is lost comes first, equal plans are one, and everything has room."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from barestore import markdown
from barestore.cli import app
from barestore.hostplan import HostPlan
from barestore.shape import Grouping

HERE = Path(__file__).resolve().parents[1]


def action(name: str, disk: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"local_volume.create:{name}", "kind": "local_volume", "verb": "create", "target": f"osd/{disk}",
        "disks": [disk], "before": None, "after": {"mode": "block", "storage_class": "local"}, "commands": [],
        "destroys": [], "irreversible": "", **more,
    }  # fmt: skip


def plan(name: str, rack: str, number: int = 5, **more: Any) -> HostPlan:
    disks = [{"id": f"wwn-{name}-{n}", "serial": f"S{name}{n}"} for n in range(number)]
    actions = [action(one["serial"], one["id"], **more) for one in disks]
    return HostPlan(name, rack, "changes", f"sha256:{name}", actions, disks=disks)


def site(*plans: HostPlan) -> Grouping:
    found = Grouping()
    for one in plans:
        found.add(one)
    return found


def test_hosts_of_equal_plans_are_one_entry() -> None:
    text = markdown.page(
        site(plan("a", "r1"), plan("b", "r1"), plan("c", "r1", 6), HostPlan("d", "r1", "nothing")), "T"
    )
    assert "<summary><code>r1</code>: 3 hosts of 4 to change</summary>" in text
    assert "<summary><code>a</code>, <code>b</code>: 5 to create, 0 destroyed</summary>" in text
    assert "- `+` 5 × local volume `osd/Sa0, osd/Sa1, osd/Sa2 and 2 more`: `storage class local, block`" in text
    assert "The disks named are those of `a`." in text
    assert "<summary><code>c</code>: 6 to create, 0 destroyed</summary>" in text


def test_what_cannot_be_had_back_comes_first_and_in_bold() -> None:
    lost = [{"disk": "wwn-b-0", "contents": "sha256:1", "what": "ext4 'old'"}]
    text = markdown.page(
        site(plan("a", "r1"), plan("b", "r1", 1, destroys=lost), plan("c", "r2", 1, irreversible="a vdev stays")), "T"
    )
    assert text.splitlines()[:6] == [
        "<!-- barestore plan -->",
        "## T",
        "",
        "### Destroys: 1 on 1 host",
        "",
        "- **`b`: `ext4 'old' on disk Sb0`**",
    ]
    assert text.index("### Can never be taken back: 1 on 1 host") < text.index("3 hosts: 3 to change")
    assert "- **`c`: `local_volume.create:Sc0: a vdev stays`**" in text


def test_troubles_are_not_folded() -> None:
    refused = [HostPlan(f"h{n}", "r1", "refused", refusals=("disk group 'osd': no.",)) for n in range(3)]
    text = markdown.page(site(*refused, HostPlan("u", "r1", "unreachable", message="It is down.")), "T")
    assert "- `h0`, `h1`, `h2`: `disk group 'osd': no.`" in text
    assert "### Not reached\n\n- `u`: `It is down.`" in text
    assert "<details>" not in text


@pytest.mark.parametrize("limit", [65_536, 20_000, 8_000, 3_000, 1_000])
def test_it_always_has_room_and_is_never_cut(limit: int) -> None:
    plans = [plan(f"host{n:03}", f"rack{n % 7}", 1 + n % 40) for n in range(400)]
    text = markdown.page(site(*plans), "T", limit=limit)
    assert len(text) <= limit
    assert text.count("<details>") == text.count("</details>")
    assert all(line.count("`") % 2 == 0 for line in text.splitlines())
    assert "400 hosts: 400 to change" in text
    # What is left out is counted.
    said = sum(int(found) for found in re.findall(r"and (\d+) more(?: in|:|<)", text))
    assert said or "400 hosts" in text


def test_no_hosts() -> None:
    assert markdown.page(site(), "T", ["x"]) == "<!-- barestore plan -->\n## T\n\nNo host was planned for.\n\n- x\n"


def test_no_room_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="the limit is 20"):
        markdown.page(site(plan("a", "r1")), "T", limit=20)


@pytest.mark.parametrize("text", ["a`b", "`", "``x``", "<script>", "@all", "a\nb", "|x|"])
def test_foreign_text_is_shown_as_it_is(text: str) -> None:
    found = markdown.code(text)
    ticks = len(re.match("`+", found)[0])  # type: ignore[index]
    assert found.startswith("`") and found.endswith("`") and "\n" not in found
    assert "`" * ticks not in found[ticks:-ticks]


def test_a_title_with_a_strange_name() -> None:
    text = markdown.page(site(plan("a<b>&c", "r`1")), "T")
    assert "<code>a&lt;b&gt;&amp;c</code>" in text


def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = json.loads((HERE / "recordings/empty/lab1.json").read_text())
    Path("seen").mkdir()
    for name in ("lab1", "lab2"):
        other = copy.deepcopy({**found, "host": name})
        text = json.dumps(other).replace("HDD000", f"HDD{name[-1]}00")
        Path(f"seen/{name}.json").write_text(text)
    Path("lab/group_vars").mkdir(parents=True)
    Path("lab/hosts.yml").write_text("all: {hosts: {lab1: {rack: r1}, lab2: {rack: r2}}}\n")
    Path("lab/group_vars/all.yml").write_text(
        'host_storage: {disks: {osd: {match: {rotational: true, size: ">= 8 GiB"}, count: 4}}, '
        "local_volumes: {osd: {storage_class: x, mode: block}}}\n"
    )


def test_of_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, monkeypatch)
    words = ["plan", "-i", "lab", "--observed", "seen", "--markdown"]
    result = CliRunner().invoke(app, [*words, "-"])
    assert result.exit_code == 2
    assert result.stdout.startswith("<!-- barestore plan lab -->\n## barestore: 2 hosts to change\n")
    assert "4 × local volume" in result.stdout
    CliRunner().invoke(app, [*words, "comment.md"])
    assert Path("comment.md").read_text().startswith("<!-- barestore plan lab -->\n")
    both = CliRunner().invoke(app, [*words, "-", "--json"])
    assert (both.exit_code, "give one of them a file" in both.output) == (1, True)
