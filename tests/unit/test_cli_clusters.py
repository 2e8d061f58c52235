# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of Ceph clusters beside those of hosts: shown, kept, recorded, compared, applied. The clusters are models."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from simulated_block import GIB, DiskModel
from simulated_host import SimulatedHost
from simulated_rook import NAME, SimulatedRook, small

from barestore import planfile
from barestore.hostplan import HostPlan
from tests.unit.played_clusters import CEPH, PlayedSite, barestore, count, played_site

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "schemas/plan.schema.json").read_text())


@pytest.fixture
def rook() -> SimulatedRook:
    """Six OSDs on three hosts in three racks, with room for nine."""
    return small(6)


def storage_host(number: int) -> SimulatedHost:
    """A host with three empty rotating disks."""
    disks = (
        DiskModel(f"S{number}D{n}", "scsi", n, 8 * GIB, 512, True, "HDD", "", f"0x50{number}{n}") for n in range(3)
    )
    return SimulatedHost([DiskModel("root", "virtio", 3, 4 * GIB, model="0x1af4", system=True), *disks])


def models() -> dict[str, SimulatedHost]:
    """Each with three empty rotating disks; only what the inventory asks for is planned."""
    return {name: storage_host(number) for number, name in enumerate(("cp1", "ss11", "ss21", "ss31"))}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rook: SimulatedRook) -> Iterator[PlayedSite]:
    """A site whose hosts have no document: only its cluster is planned for."""
    with played_site(monkeypatch, tmp_path, rook, models(), storage=False) as found:
        yield found


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rook: SimulatedRook) -> Iterator[PlayedSite]:
    """The same with storage on the hosts."""
    with played_site(monkeypatch, tmp_path, rook, models(), storage=True) as found:
        yield found


def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path("plan.json").read_text())
    return found


def test_a_lowered_count_is_shown_with_what_goes(site: PlayedSite) -> None:
    assert barestore("plan").stdout == f"cluster {NAME}  nothing to do\n"
    count(5)
    result = barestore("plan")
    assert result.exit_code == 2, result.output
    head, *rows = result.stdout.splitlines()
    assert head == f"cluster {NAME}"
    # How its racks stand before and after; which OSD goes, and where it is.
    assert [row.split() for row in rows[:3]] == [
        ["hdd", "rack1", "■■", "2"],
        ["rack2", "■■", "2"],
        ["rack3", "■!", "2", "→", "1"],
    ]
    assert rows[4].split() == ["!", "osd.5", "hdd", "rack3", "ss31", "SS31D1"]
    assert "  ~  drain OSD         osd.5" in result.stdout
    assert "destroys osd.5 of hdd: disk SS31D1 on ss31 in rack3" in " ".join(result.stdout.split())
    assert "1 destroyed" in result.stdout
    assert [call.check for call in site.asked] == [True, True]


def test_a_raised_count_says_in_which_racks(site: PlayedSite) -> None:
    count(9)
    result = barestore("plan", "--json")
    found = json.loads(result.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    assert (found["exit"], found["hosts"], found["clusters"][NAME]["status"]) == (2, {}, "changes")
    shown = barestore("plan").stdout
    assert [row.split()[-4:] for row in shown.splitlines()[1:4]] == [["■■+", "2", "→", "3"]] * 3
    assert found["clusters"][NAME]["spread"] == {"hdd": {"rack1": 2, "rack2": 2, "rack3": 2}}
    assert [row.split() for row in shown.splitlines()[5:8]] == [
        ["+", "new", "OSD", "hdd", f"rack{number}"] for number in (1, 2, 3)
    ]
    assert "0 destroyed" in shown


def test_a_cluster_that_cannot_be_reached_is_a_sentence_beside_the_hosts(both: PlayedSite) -> None:
    both.down = True
    result = barestore("plan")
    assert result.exit_code == 1, result.output
    assert "ss11  rack1\n" in result.stdout and "3 to create" in result.stdout
    said = " ".join(result.stdout.split())
    assert f"cluster {NAME} Its control plane cp1 cannot be reached (no route to host)" in said
    assert "3 hosts: 3 to change; 1 cluster: 1 unreachable" in said
    # Hosts and clusters are asked at once, with one launch each.
    assert len(both.calls) == 2


def test_one_whose_api_does_not_answer(site: PlayedSite, rook: SimulatedRook) -> None:
    rook.broken.add("api")
    result = barestore("plan", "--out", "plan.json")
    assert result.exit_code == 1, result.output
    assert f"Kubernetes of cluster {NAME} does not answer" in " ".join(result.stdout.split())
    assert kept()["clusters"] == {}


def test_a_cluster_that_waits_for_the_hosts_is_planned_later(both: PlayedSite, rook: SimulatedRook) -> None:
    for name in [name for name, one in rook.volumes.items() if one.phase == "Available"]:
        del rook.volumes[name]
    count(9)
    result = barestore("plan", "--out", "plan.json", "--markdown", "plan.md")
    assert result.exit_code == 2, result.output
    said = " ".join(result.stdout.split())
    assert "it waits for volumes of local-storage, which come with the plans of ss11, ss21, ss31 and site.yml" in said
    assert "note: device set hdd: 3 new OSDs need 3 free volumes" in said
    assert "1 cluster: 1 to plan later" in said
    assert kept()["clusters"] == {}
    assert "### Planned later" in Path("plan.md").read_text()
    # With the hosts as they shall be, nothing is on its way: then it is a refusal.
    assert barestore("apply", "--yes", "--limit", "ss*").exit_code == 0
    alone = barestore("plan")
    assert alone.exit_code == 3 and "Nothing is written in this cluster while this stands." in alone.stdout


def test_a_set_that_is_new_is_planned_later(site: PlayedSite) -> None:
    count(6)
    more = "device_sets: {two: {count: 3, storage_class: local-storage, device_class: hdd}, "
    CEPH.write_text(CEPH.read_text().replace("device_sets: {", more))
    result = barestore("plan")
    assert result.exit_code == 2, result.output
    assert "waits for device set two, which site.yml makes" in " ".join(result.stdout.split())


def test_a_limit_without_the_control_plane_leaves_clusters_out(both: PlayedSite) -> None:
    count(5)
    assert "cluster" not in barestore("plan", "--limit", "ss11").stdout
    assert not both.asked
    assert f"cluster {NAME}" in barestore("plan", "--limit", "cp1").stdout


def test_the_comment_has_what_is_lost_first_and_a_fold_for_each_rack(site: PlayedSite) -> None:
    count(4)
    text = barestore("plan", "--markdown", "-").stdout
    assert "## barestore: 1 cluster to change" in text
    assert f"### Destroys: 2 on 1 cluster\n\n- **`cluster {NAME}`: `osd." in text
    assert "<summary><code>rack2</code>: 1 OSD</summary>" in text
    assert "- **`!` removed `osd.4` of `hdd` (`disk SS21D1 on ss21 in rack2`, `volume local-ss21-d1`)**" in text
    assert "in their order</summary>" in text and text.count("<details>") == text.count("</details>")
    for limit in (6_000, 2_000, 1_000):
        short = barestore("plan", "--markdown", "-", "--markdown-limit", limit).stdout
        assert len(short) <= limit + 1 and f"cluster {NAME}" in short


def recorded() -> Path:
    result = barestore("observe", "--save", "seen")
    assert result.exit_code == 0, result.output
    return Path(f"seen/clusters/{NAME}.json")


def test_a_recording_gives_the_plan_that_the_cluster_would_make(site: PlayedSite) -> None:
    path = recorded()
    count(4)
    asked = len(site.calls)
    offline = json.loads(barestore("plan", "--observed", "seen", "--json").stdout)["clusters"][NAME]
    assert len(site.calls) == asked, "nobody is contacted"
    live = json.loads(barestore("plan", "--json").stdout)["clusters"][NAME]
    assert offline["observed"] == json.loads(path.read_text())["taken"]
    assert {**offline, "observed": ""} == {**live, "observed": ""}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("[]", "is no recording of this release"),
        ('{"observation": 1, "cluster": "ceph-two", "taken": ""}', "it is a recording of cluster ceph-two"),
        ('{"observation": 7, "cluster": "ceph-hdd", "taken": ""}', "it is no recording of a cluster of this release"),
        (
            '{"observation": 1, "cluster": "ceph-hdd", "answers": {"kubernetes": [7], "ceph": {}}}',
            "holds what no cluster answers",
        ),
    ],
)
def test_a_recording_that_is_none(site: PlayedSite, text: str, said: str) -> None:
    recorded().write_text(text)
    result = barestore("plan", "--observed", "seen")
    assert (result.exit_code, said in " ".join(result.stdout.split())) == (1, True), result.stdout


def test_without_a_recording_and_with_an_old_one(site: PlayedSite) -> None:
    path = recorded()
    found = json.loads(path.read_text())
    path.write_text(json.dumps({**found, "taken": "2020-01-01T00:00:00Z"}))
    old = barestore("plan", "--observed", "seen", "--max-age", "24h")
    assert old.exit_code == 1 and "which is longer ago than allowed" in " ".join(old.stdout.split())
    path.unlink()
    result = barestore("plan", "--observed", "seen")
    again = "observe again with 'barestore observe --save seen --limit cp1'"
    said = f"There is no recording seen/clusters/{NAME}.json; {again}."
    assert (result.exit_code, said in " ".join(result.stdout.split())) == (1, True)


def test_a_cluster_that_was_never_made_is_recorded_as_that(site: PlayedSite, rook: SimulatedRook) -> None:
    rook.broken.add("absent")
    path = recorded()
    assert "absent" in json.loads(path.read_text())
    for result in (barestore("plan"), barestore("plan", "--observed", "seen")):
        said = " ".join(result.stdout.split())
        assert (result.exit_code, f"the Ceph cluster {NAME} is not there yet" in said) == (2, True), result.stdout


def test_one_that_does_not_answer_keeps_its_recording(site: PlayedSite, rook: SimulatedRook) -> None:
    path = recorded()
    before = path.read_text()
    rook.broken.add("api")
    result = barestore("observe", "--save", "seen")
    assert result.exit_code == 1 and f"cluster {NAME}: it failed: Kubernetes" in result.stderr
    assert path.read_text() == before


def test_only_clusters_that_differ_from_a_revision_are_contacted(site: PlayedSite) -> None:
    for words in (("init", "-q"), ("add", "."), ("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x")):
        subprocess.run(["git", *words], check=True)
    result = barestore("plan", "--against", "HEAD")
    assert (result.exit_code, site.asked) == (0, [])
    assert "1 of 1 clusters are wanted as at HEAD" in result.stderr
    # Pools are none of the plan's business; a count is.
    CEPH.write_text(CEPH.read_text().replace("mons: 1", "mons: 1\n      pools: {block: {replicas: 3}}"))
    assert barestore("plan", "--against", "HEAD").exit_code == 0 and not site.asked
    count(5)
    assert barestore("plan", "--against", "HEAD").exit_code == 2 and len(site.asked) == 1


def test_the_plan_that_was_approved_is_applied_and_done_once(site: PlayedSite, rook: SimulatedRook) -> None:
    count(5)
    assert barestore("plan", "--out", "plan.json").exit_code == 2
    found = kept()
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    result = barestore("apply", "--plan", "plan.json", "--digest", found["digest"])
    assert result.exit_code == 0, result.output
    assert rook.sets == {"hdd": 5} and len(rook.ceph.osds) == 5
    assert "purge OSD" in result.stdout and f"cluster {NAME}" in result.stdout
    log = len(rook.log)
    again = barestore("apply", "--plan", "plan.json")
    assert (again.exit_code, len(rook.log)) == (0, log)
    assert f"cluster {NAME}  done already" in again.stdout


def test_a_cluster_that_changed_is_refused_and_says_how(site: PlayedSite, rook: SimulatedRook) -> None:
    count(5)
    barestore("plan", "--out", "plan.json")
    rook.ceph.osds[5].uuid = "99999999-2222-4333-8444-555555555555"
    log = len(rook.log)
    result = barestore("apply", "--plan", "plan.json", "--json")
    assert (result.exit_code, len(rook.log)) == (3, log)
    [told] = [one for one in map(json.loads, result.stdout.splitlines()) if one["event"] == "cluster"]
    assert told["cluster"] == NAME and told["changed"]["different"]
    assert told["refusals"][0].startswith("Its plan is not the approved one any more; different: ")


def test_another_count_than_then_is_not_even_contacted(site: PlayedSite) -> None:
    count(5)
    barestore("plan", "--out", "plan.json")
    count(4)
    asked = len(site.calls)
    result = barestore("apply", "--plan", "plan.json")
    assert (result.exit_code, len(site.calls)) == (3, asked)
    assert f"cluster {NAME}\n  The inventory asks something else of it than at 20" in result.stdout


def test_a_killed_run_goes_on_with_the_same_plan(site: PlayedSite, rook: SimulatedRook) -> None:
    count(4)
    barestore("plan", "--out", "plan.json")
    rook.broken.add("purge")
    assert barestore("apply", "--plan", "plan.json").exit_code == 1
    rook.broken.clear()
    result = barestore("apply", "--plan", "plan.json")
    assert result.exit_code == 0, result.output
    assert rook.sets == {"hdd": 4} and len(rook.ceph.osds) == 4


def test_hosts_come_before_clusters(both: PlayedSite, rook: SimulatedRook) -> None:
    count(9)
    assert barestore("plan", "--out", "plan.json").exit_code == 2
    result = barestore("apply", "--plan", "plan.json", "--json")
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in result.stdout.splitlines()]
    batches = [one.get("hosts", []) + one.get("clusters", []) for one in events if one["event"] == "batch"]
    assert batches == [["ss11"], ["ss21"], ["ss31"], [NAME]]
    assert (events[0]["hosts"], events[0]["clusters"]) == (["ss11", "ss21", "ss31"], [NAME])
    assert len(rook.ceph.osds) == 9


def test_no_cluster_is_begun_after_a_host_failed(both: PlayedSite, rook: SimulatedRook) -> None:
    count(5)
    barestore("plan", "--out", "plan.json")
    both.stop_before = 1
    result = barestore("apply", "--plan", "plan.json")
    assert (result.exit_code, rook.log) == (1, [])
    assert f"cluster {NAME}\n  Not begun, since 1 host failed; run again to go on." in result.stdout


def test_apply_without_a_plan_shows_and_does_it(site: PlayedSite, rook: SimulatedRook) -> None:
    count(7)
    result = barestore("apply", "--yes")
    assert result.exit_code == 0, result.output
    assert rook.sets == {"hdd": 7} and [call.check for call in site.asked] == [True, False]


def test_drift_counts_a_cluster(site: PlayedSite) -> None:
    assert barestore("drift", "--markdown", "-").stdout.startswith(
        "<!-- barestore drift -->\n## barestore: every host and cluster is as its document says\n"
    )
    count(5)
    result = barestore("drift", "--markdown", "-", "--prometheus", "drift.prom")
    assert result.exit_code == 2, result.output
    assert "## barestore: 1 cluster is not as documented, or not known to be\n" in result.stdout
    text = Path("drift.prom").read_text()
    labels = f'{{site="site",cluster="{NAME}"}}'
    assert f"barestore_drift_destroys{labels} 1\n" in text and f"barestore_drift_known{labels} 1\n" in text


def test_the_report_has_the_cluster(site: PlayedSite) -> None:
    count(5)
    recorded()
    barestore("plan", "--out", "plan.json")
    pages = []
    for words in ((), ("--observed", "seen"), ("--plan", "plan.json")):
        result = barestore("report", "--out", "report.html", *words)
        assert result.exit_code == 0, result.output
        page = Path("report.html").read_text()
        data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
        [one] = data["clusters"]
        assert one["q"] == [[3, "removed", "osd.5", "hdd", "rack3", "ss31", "SS31D1", "local-ss31-d1"]]
        pages.append({**one, "t": ""})
    assert pages[0] == pages[1] == pages[2]


def test_an_older_plan_file_allows_nothing_on_clusters(both: PlayedSite) -> None:
    count(5)
    barestore("plan", "--out", "plan.json")
    found = {**kept(), "barestore_plan": 1}
    del found["clusters"]
    digests = planfile.Digests()
    for name, entry in found["hosts"].items():
        digests.add(HostPlan(name, entry["rack"], entry["status"], entry["digest"]), entry)
    found.update(digests.tail({key: found[key] for key in found if key not in ("hosts", "exit", "digest", "seal")}))
    Path("plan.json").write_text(json.dumps(found))
    result = barestore("apply", "--plan", "plan.json")
    assert result.exit_code == 0, result.output
    assert f"cluster {NAME}: plan.json allows nothing on it, so it is left alone." in result.stderr
    assert not [call for call in both.asked if not call.check]
