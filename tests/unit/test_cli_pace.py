# SPDX-License-Identifier: GPL-3.0-or-later
"""Apply of approved plans on a played site: pace, what is left of a killed run, what changed since, and bad input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import sha256
from barestore import fleet
from barestore.cli import app

HOSTS = "all: {hosts: {a1: {rack: a}, a2: {rack: a}, a3: {rack: a}, b1: {rack: b}, b2: {rack: b}}}\n"
DOCUMENT = "host_storage: {disks: {a: {match: {transport: nvme}, count: 1}}}\n"
IDENTITIES = {"wwn-0x1": {"serial": "HDD1", "wwn": "0x1"}}


def action(name: str) -> dict[str, Any]:
    return {
        "id": f"volume_group.create:{name}", "kind": "volume_group", "verb": "create", "target": name,
        "disks": ["wwn-0x1"], "before": None, "after": {"size": "4 GiB"}, "needs": [], "provides": [], "destroys": [],
        "commands": [{"argv": ["vgcreate", name]}], "expects": [],
    }  # fmt: skip


def planned(*names: str, disk: Mapping[str, Any] = IDENTITIES) -> dict[str, Any]:
    actions = [action(name) for name in names]
    identities = dict(disk) if actions else {}
    disks = [{"id": "wwn-0x1", "serial": "HDD1", "slot": "", "size": 1 << 32, "content": "", "holds": []}]
    digest = sha256({"actions": actions, "identities": identities})
    return {"plan": actions, "identities": identities, "digest": digest, "refusals": [], "notes": [], "disks": disks}


class Site:
    """Hosts that do what a module does: each has actions left, and runs them when the digest is theirs."""

    def __init__(self) -> None:
        self.left = {name: ["one", "two"] for name in ("a1", "a2", "a3", "b1", "b2")}
        self.disks: dict[str, Mapping[str, Any]] = {}
        self.down: set[str] = set()
        self.broken: set[str] = set()
        self.wrote: list[list[str]] = []
        self.ran: list[tuple[str, str]] = []

    def run(self, call: fleet.Call) -> None:
        if not call.check:
            self.wrote.append(list(call.hosts))
        for host in call.hosts:
            how, result = self.answer(host, call)
            call.answers[host] = fleet.Answer(host, how, result)

    def answer(self, host: str, call: fleet.Call) -> tuple[str, dict[str, Any]]:
        if host in self.down:
            return "unreachable", {"msg": "no route to host"}
        now = planned(*self.left[host], disk=self.disks.get(host, IDENTITIES))
        if call.check or not now["plan"]:
            return "ok", now
        if call.variables["barestore_expected"][host] != now["digest"]:
            why = f"{host}: the plan is now another."
            return "failed", {**planned(), "refusals": [why], "msg": why}
        steps = []
        for name in list(self.left[host]):
            failed = host in self.broken
            steps.append({"action": f"volume_group.create:{name}", "argv": ["vgcreate"], "rc": failed, "seconds": 0.1})
            if failed:
                return "failed", {**now, "executed": steps, "msg": "'vgcreate' failed with exit code 5: no."}
            self.left[host].remove(name)
            self.ran.append((host, name))
        return "ok", {**now, "executed": steps, "journal": "/j"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site with an approved plan of two actions on each host, in plan.json."""
    monkeypatch.chdir(tmp_path)
    Path("lab/group_vars").mkdir(parents=True)
    Path("lab/hosts.yml").write_text(HOSTS)
    Path("lab/group_vars/all.yml").write_text(DOCUMENT)
    Path("lab/host_vars").mkdir()
    for name in ("a1", "a2"):  # Ansible remembers which files there are, for as long as its process lives
        Path(f"lab/host_vars/{name}.yml").write_text("{}\n")
    found = Site()
    monkeypatch.setattr(fleet.Call, "_run", lambda call: found.run(call))
    assert run("plan", "-i", "lab", "--out", "plan.json").exit_code == 2
    return found


def run(*words: str) -> Result:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def apply(*words: str) -> Result:
    return run("apply", "-i", "lab", "--plan", "plan.json", *words)


def events(result: Result) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {one["host"]: one for one in found if one["event"] == "host"}


@pytest.mark.parametrize(
    ("words", "batches"),
    [
        ((), [["a1", "a2", "a3"], ["b1", "b2"]]),
        (("--batch", "2"), [["a1", "a2"], ["a3"], ["b1", "b2"]]),
        (("--limit", "a3,b1"), [["a3"], ["b1"]]),
    ],
)
def test_one_failure_domain_after_the_other(site: Site, words: tuple[str, ...], batches: list[list[str]]) -> None:
    assert apply(*words).exit_code == 0
    assert site.wrote == batches


def test_after_a_failure_no_other_batch_begins(site: Site) -> None:
    site.broken = {"a2"}
    result = apply()
    assert (site.wrote, result.exit_code) == ([["a1", "a2", "a3"]], 1)
    assert "b1  b\n  Not begun, since 1 host failed; run again to go on." in result.stdout
    assert "5 hosts: 2 done, 1 with an error, 2 not begun" in result.stdout


@pytest.mark.parametrize(("number", "begun"), [("2", 3), ("3", 4), ("0", 5)])
def test_how_many_may_fail(site: Site, number: str, begun: int) -> None:
    site.down = {"a1", "a3", "b1"}
    result = apply("--batch", "1", "--stop-after", number)
    assert (len(site.wrote), result.exit_code) == (begun, 1)
    assert "a1  a\n  It cannot be reached (no route to host)" in result.stdout


def test_a_second_run_goes_on_and_does_nothing_twice(site: Site) -> None:
    site.down = {"a2"}
    assert apply().exit_code == 1
    site.down = set()
    # a2 was killed in the middle, and a3 was only half done: what is left is a part of what was approved.
    site.left["a2"] = ["two"]
    result = apply()
    assert result.exit_code == 0
    assert "a1  a  done already" in result.stdout
    assert "note: done before: 1 of 2 actions" in result.stdout
    assert sorted(site.ran) == [
        ("a1", "one"), ("a1", "two"), ("a2", "two"), ("a3", "one"), ("a3", "two"),
        ("b1", "one"), ("b1", "two"), ("b2", "one"), ("b2", "two"),
    ]  # fmt: skip
    again = apply()
    assert (again.exit_code, again.stdout.count("done already"), len(site.ran)) == (0, 5, 9)


def test_a_host_that_changed_is_refused_and_says_how(site: Site) -> None:
    site.left["a1"] = ["two", "three"]
    result = apply("--json")
    assert result.exit_code == 3
    found = events(result)
    assert found["a1"]["status"] == "refused"
    assert found["a1"]["refusals"] == [
        "Its plan is not the approved one any more; new: volume_group.create:three; no longer planned: "
        "volume_group.create:one. Look at the new plan and approve it."
    ]
    assert found["a1"]["changed"] == {
        "new": ["volume_group.create:three"],
        "gone": ["volume_group.create:one"],
        "different": {},
    }
    assert {name for name, _what in site.ran} == {"a2", "a3", "b1", "b2"}


def test_a_swapped_disk_is_refused(site: Site) -> None:
    site.disks["b1"] = {"wwn-0x1": {"serial": "HDD2", "wwn": "0x1"}}
    site.left["b1"] = ["two"]
    result = apply()
    assert "b1  b\n  Its plan is not the approved one any more" in result.stdout
    assert (result.exit_code, "b1" in {name for name, _what in site.ran}) == (3, False)


def test_a_host_of_which_something_else_is_wanted_is_not_contacted(site: Site) -> None:
    Path("lab/host_vars/a2.yml").write_text("host_storage__more: {lvm: {x: {physical_volumes: [a]}}}\n")
    result = apply()
    assert "a2  a\n  The inventory asks something else of it than at 20" in result.stdout
    assert (result.exit_code, site.wrote) == (3, [["a1", "a3"], ["b1", "b2"]])


def test_a_plan_of_another_site(site: Site) -> None:
    Path("lab").rename("elsewhere")
    result = run("apply", "-i", "elsewhere", "--plan", "plan.json")
    assert (result.exit_code, site.wrote) == (1, [])
    assert "plan.json is a plan of site 'lab' and this inventory is site 'elsewhere'" in result.stderr
    Path("elsewhere/hosts.yml").write_text("all: {hosts: {z: {}}}\n")
    assert "it was made of 'lab'" in run("apply", "-i", "elsewhere", "--plan", "plan.json").stderr


def test_a_host_that_left_the_inventory_is_named(site: Site) -> None:
    Path("lab/hosts.yml").write_text(HOSTS.replace(", b2: {rack: b}", ""))
    result = apply()
    assert (result.exit_code, site.wrote) == (0, [["a1", "a2", "a3"], ["b1"]])
    assert "b2: plan.json plans for it, and the inventory has no such host any more" in result.stderr


def test_only_the_approved_digest(site: Site) -> None:
    digest = json.loads(Path("plan.json").read_text())["digest"]
    assert apply("--digest", "sha256:00").exit_code == 1
    assert site.wrote == []
    assert apply("--digest", digest).exit_code == 0
    assert "--digest belongs to --plan" in run("apply", "-i", "lab", "--digest", digest).stderr


def test_hosts_with_nothing_to_do_are_not_contacted(site: Site) -> None:
    site.left = {name: ["one"] if name == "a1" else [] for name in site.left}
    assert run("plan", "-i", "lab", "--out", "plan.json").exit_code == 2
    assert apply().exit_code == 0
    assert site.wrote == [["a1"]]


def test_json_is_a_line_for_each_event(site: Site) -> None:
    found = [json.loads(line) for line in apply("--json").stdout.splitlines()]
    kinds = [one["event"] for one in found]
    assert kinds == ["start", "batch", *["host"] * 3, "batch", *["host"] * 2, "end"]
    assert (found[-1]["exit"], found[-1]["statuses"]) == (0, {"done": 5})
    assert all("time" in one for one in found)


def test_a_plan_holds_no_consent(site: Site) -> None:
    secret = "5ec2e7" * 10 + "5ec2"
    consent = f"host_storage_consent: {{wipe: [{{serial: X, contents: 'sha256:{secret}'}}]}}\n"
    Path("lab/host_vars/a1.yml").write_text(consent)
    before = json.loads(Path("plan.json").read_text())["hosts"]
    run("plan", "-i", "lab", "--out", "plan.json")
    after = json.loads(Path("plan.json").read_text())["hosts"]
    assert secret not in Path("plan.json").read_text()
    assert [name for name in after if before[name]["wanted"] != after[name]["wanted"]] == ["a1"]
