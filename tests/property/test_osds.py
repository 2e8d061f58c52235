# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Counts edited on a modelled cluster: the module's own run, killed at every step, over any racks and disks."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_rook import GIB, NAME, Killed, SimulatedClock, SimulatedRook, small

from ansible_collections.barestore.storage.plugins.module_utils.cluster.commands import NOTE_PLAN
from ansible_collections.barestore.storage.plugins.module_utils.cluster.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.cluster.placement import spread
from ansible_collections.barestore.storage.plugins.module_utils.cluster.run import Job, Report, osds
from ansible_collections.barestore.storage.plugins.module_utils.cluster.simulator.model import ModelPool
from ansible_collections.barestore.storage.plugins.module_utils.cluster.wanted import Wanted
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import ObserveError


def wanted(count: int, **more: object) -> Wanted:
    return Wanted(NAME, {"hdd": count}, failure_domain="rack", **more)  # type: ignore[arg-type]


def apply(
    rook: SimulatedRook, count: int, folder: Path, check: bool = False, digest: str = "", **more: object
) -> Report:
    # A journal is named by second and process, and here a second has many runs.
    job = Job(wanted(count, **more), check, digest, tempfile.mkdtemp(dir=folder))
    return osds(job, rook, SimulatedClock(rook))


def killed_at(rook: SimulatedRook, word: str, count: int, folder: Path, **more: object) -> None:
    """A run that is dead from the first command with this word on: not even its end reaches the cluster."""
    dead = False

    def kill(argv: tuple[str, ...]) -> None:
        nonlocal dead
        dead = dead or word in argv
        if dead:
            raise Killed

    rook.before = kill
    with pytest.raises(Killed):
        apply(rook, count, folder, **more)  # type: ignore[arg-type]
    rook.before = lambda argv: None
    forget_process(rook)


def killed_before(rook: SimulatedRook, victim: int, count: int, folder: Path, **more: object) -> None:
    """A run that is dead before its command of this number that changes anything (the first is 0)."""
    left = victim

    def kill(argv: tuple[str, ...]) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= changes(argv)

    rook.before = kill
    with pytest.raises(Killed):
        apply(rook, count, folder, **more)  # type: ignore[arg-type]
    rook.before = lambda argv: None
    forget_process(rook)
    rook.tick()


def forget_process(rook: SimulatedRook) -> None:
    """The process that held the lease is this one and lives: give it another start."""
    if rook.lease is not None:
        rook.lease["spec"]["holderIdentity"] += "9"


def guard(rook: SimulatedRook) -> None:
    """No object ever has fewer than size whole copies on running OSDs, whatever a planned change does."""
    if rook.cut_off:
        return
    for key, whole, size in rook.ceph.whole_copies():
        assert whole >= size, f"{key} has {whole} whole copies of {size} on running OSDs"


def assert_tidy(rook: SimulatedRook, count: int) -> None:
    assert rook.sets.get("hdd", 0) == count
    assert len(rook.ceph.osds) == count == len(rook.deployments) == len(rook.claims)
    assert rook.lease is None
    assert rook.profile == ""
    assert not any(one.fenced for one in rook.deployments.values())
    assert not any(one.notes for one in (*rook.claims.values(), *rook.volumes.values()))
    assert sum(1 for one in rook.volumes.values() if one.phase == "Available") == len(rook.volumes) - count
    assert not any(one.carries for one in rook.volumes.values() if one.phase == "Available")
    assert rook.keys == {f"osd.{number}" for number in rook.ceph.osds}
    counts = spread(Observer(rook, wanted(count)).look(), "hdd", "rack")
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("pace", ["gentle", "normal", "fast"])
@pytest.mark.parametrize(("start", "end"), [(6, 5), (6, 3), (3, 6), (4, 9)])
def test_a_count_is_edited(start: int, end: int, pace: str, tmp_path: Path) -> None:
    rook = small(start)
    rook.watch = guard
    planned = apply(rook, end, tmp_path, check=True, pace=pace)
    assert planned.plan.actions and not rook.log
    done = apply(rook, end, tmp_path, pace=pace)
    assert done.error == ""
    assert [one.id for one in done.plan.actions] == [one.id for one in planned.plan.actions]
    assert_tidy(rook, end)
    rook.count = 0
    again = apply(rook, end, tmp_path)
    assert not again.plan.actions and again.processes == 2


@pytest.mark.parametrize(("start", "end"), [(4, 3), (3, 4), (3, 6)])
def test_what_placement_groups_told_before_a_change_is_not_taken_for_its_end(
    start: int, end: int, tmp_path: Path
) -> None:
    """They tell of a new map some seconds late: until then the cluster is called clean, and the new OSD is in."""
    rook = small(start)
    rook.watch, rook.late = guard, 3
    done = apply(rook, end, tmp_path, pace="fast")
    assert done.error == ""
    assert set(rook.ceph.states()) == {"active+clean"}
    assert_tidy(rook, end)


def test_an_osd_that_a_dead_run_brought_and_that_has_not_started_yet_is_waited_for(tmp_path: Path) -> None:
    """On a busy host minutes lie between its preparation and its first start: no gate takes it for a lost one."""
    rook = small(3)
    rook.slow_start = 60
    killed_before(rook, 4, 4, tmp_path)
    for _ in range(3):
        rook.tick()
    assert [one.up for one in rook.ceph.osds.values()] == [True, True, True, False]
    assert [one for one in apply(rook, 4, tmp_path, check=True).notes if "osd.3 has never started" in one]
    done = apply(rook, 4, tmp_path)
    assert (done.error, done.plan.refusals) == ("", ())
    assert_tidy(rook, 4)


def test_the_count_is_lowered_before_any_purge(tmp_path: Path) -> None:
    rook = small(6)
    apply(rook, 4, tmp_path)
    lowered = next(place for place, one in enumerate(rook.log) if one.startswith("patch cephcluster"))
    purged = [place for place, one in enumerate(rook.log) if "osd purge" in one]
    assert len(purged) == 2 and lowered < purged[0]


def test_an_osd_is_never_stopped_while_anything_is_unclean(tmp_path: Path) -> None:
    rook = small(6)
    seen = []

    def look(argv: tuple[str, ...]) -> None:
        if "scale" in argv:
            seen.append(dict(rook.ceph.states()))

    rook.before = look
    apply(rook, 3, tmp_path)
    assert seen == [{"active+clean": 8}] * 3


def changes(argv: tuple[str, ...]) -> bool:
    """Whether a command changes anything: a death while something is read is one after the last change."""
    return "get" not in argv and "python3" not in argv


@pytest.mark.parametrize(("start", "end"), [(6, 4), (3, 5)])
def test_a_run_that_is_killed_anywhere_is_finished_by_the_next(start: int, end: int, tmp_path: Path) -> None:
    calls: list[str] = []
    rook = small(start)
    rook.before = lambda argv: calls.append(" ".join(argv[:8])) if changes(argv) else None
    whole = apply(rook, end, tmp_path, pace="fast")
    purged = {one for one in rook.log if "osd purge" in one}
    assert whole.error == "" and len(calls) > 8
    for victim, call in enumerate(calls):
        rook = small(start)
        rook.watch = guard
        killed_before(rook, victim, end, tmp_path, pace="fast")
        done = apply(rook, end, tmp_path, pace="fast")
        assert done.error == "" and not done.plan.refusals, f"killed before {call}: {done.as_json()['refusals']}"
        assert_tidy(rook, end)
        assert {one for one in rook.log if "osd purge" in one} <= purged, f"killed before {call}"


def test_a_purge_that_reports_success_and_did_nothing_fails_the_run(tmp_path: Path) -> None:
    rook = small(6)
    rook.broken.add("purge")
    done = apply(rook, 5, tmp_path, patience=60)
    assert "is still in the osdmap" in done.error
    rook.broken.clear()
    assert apply(rook, 5, tmp_path).error == ""
    assert_tidy(rook, 5)


def test_a_rack_that_is_cut_off_stops_the_run_and_the_next_goes_on(tmp_path: Path) -> None:
    rook = small(6)
    rook.copies_a_tick = 1

    def cut(argv: tuple[str, ...]) -> None:
        if "out" in argv:
            rook.cut_off.add("rack2")

    rook.before = cut
    done = apply(rook, 4, tmp_path)
    assert "osd.drain:osd." in done.error and " was stopped by gate osds: " in done.error
    assert "; gate nodes: nodes ss21 are not Ready; bring them back; then run again" in done.error
    assert not any("scale" in one for one in rook.log)
    refused = apply(rook, 4, tmp_path)
    assert any("rack2" in one.message for one in refused.plan.refusals)
    rook.cut_off.clear()
    rook.before = lambda argv: None
    rook.tick()
    assert apply(rook, 4, tmp_path).error == ""
    assert_tidy(rook, 4)


def test_what_a_raise_brought_is_looked_at_by_the_next_run_if_a_rack_was_cut_off(tmp_path: Path) -> None:
    rook = small(3)

    def cut(argv: tuple[str, ...]) -> None:
        if "cephcluster" in argv:
            rook.cut_off.add("rack2")

    rook.before = cut
    assert "gate nodes: nodes ss21 are not Ready" in apply(rook, 4, tmp_path).error
    assert rook.sets == {"hdd": 4} and len(rook.ceph.osds) == 4, "nothing is to do but to look"
    refused = apply(rook, 4, tmp_path)
    assert any("ss21" in one.message for one in refused.plan.refusals)
    rook.cut_off.clear()
    rook.before = lambda argv: None
    rook.tick()
    done = apply(rook, 4, tmp_path)
    assert done.error == "" and [one.id for one in done.plan.actions] == ["device_set.settle:hdd"]
    assert_tidy(rook, 4)
    assert not apply(rook, 4, tmp_path).plan.actions


def test_an_osd_that_comes_and_goes_stops_the_run_with_its_name(tmp_path: Path) -> None:
    rook = small(6)
    rook.copies_a_tick = 0  # the drain would last for ever

    def flap(argv: tuple[str, ...]) -> None:
        if "out" in argv:
            rook.flapping.add(next(one for one in rook.ceph.osds if f"osd.{one}" not in argv))

    rook.before = flap
    done = apply(rook, 4, tmp_path)
    (victim,) = rook.flapping
    assert f"gate osds, which closed 3 times within 600 s: 1 OSDs are down: osd.{victim} in rack" in done.error
    assert not any("scale" in one for one in rook.log)
    rook.before, rook.copies_a_tick = lambda argv: None, 2
    refused = apply(rook, 4, tmp_path, check=True)
    assert not refused.plan.actions or rook.ceph.osds[victim].up
    rook.flapping.clear()
    rook.tick()
    assert apply(rook, 4, tmp_path).error == ""
    assert_tidy(rook, 4)


def test_a_raise_without_its_operator_ends_with_its_name(tmp_path: Path) -> None:
    rook = small(3)

    def stop(argv: tuple[str, ...]) -> None:
        if "cephcluster" in argv:
            rook.broken.add("operator")

    rook.before = stop
    done = apply(rook, 4, tmp_path, patience=120)
    assert "nothing moved on for 120 s while the Rook operator is not available" in done.error
    rook.before = lambda argv: None
    assert [one.target for one in apply(rook, 4, tmp_path, check=True).plan.refusals] == ["gate operator"]
    rook.broken.clear()
    assert apply(rook, 4, tmp_path).error == ""
    assert_tidy(rook, 4)


@pytest.mark.parametrize(("start", "end"), [(6, 4), (3, 5)])
def test_an_api_that_goes_in_the_middle_ends_the_run_and_the_next_goes_on(start: int, end: int, tmp_path: Path) -> None:
    calls: list[str] = []
    rook = small(start)
    rook.before = lambda argv: calls.append(" ".join(argv[:8])) if changes(argv) else None
    assert apply(rook, end, tmp_path).error == ""
    for victim, call in enumerate(calls[:-1]):
        rook = small(start)
        rook.watch = guard
        left = victim

        def go(argv: tuple[str, ...], rook: SimulatedRook = rook) -> None:
            nonlocal left
            if left == 0:
                rook.broken.add("api")
            left -= changes(argv)

        rook.before = go
        try:
            said = apply(rook, end, tmp_path).error
        except ObserveError as error:  # before the first action
            said = error.sentence()
        assert "was refused" in said, f"away before {call}: {said}"
        rook.broken.clear()
        rook.before = lambda argv: None
        forget_process(rook)
        rook.tick()
        done = apply(rook, end, tmp_path)
        assert done.error == "" and not done.plan.refusals, f"away before {call}: {done.as_json()['refusals']}"
        assert_tidy(rook, end)


def test_an_approved_digest_holds_for_what_is_left_and_for_nothing_else(tmp_path: Path) -> None:
    rook = small(6)
    approved = apply(rook, 4, tmp_path, check=True).as_json()["digest"]
    killed_at(rook, "scale", 4, tmp_path, digest=approved)
    other = apply(rook, 4, tmp_path, digest="sha256:0")
    assert "as approved" in other.plan.refusals[0].message
    assert apply(rook, 4, tmp_path, digest=approved).error == ""
    assert_tidy(rook, 4)


def test_a_count_that_is_raised_again_takes_back_what_was_to_leave(tmp_path: Path) -> None:
    rook = small(6)
    killed_at(rook, "scale", 5, tmp_path)
    done = apply(rook, 6, tmp_path)
    assert done.error == "", done.error
    assert_tidy(rook, 6)
    assert not any("osd purge" in one for one in rook.log)


@pytest.mark.parametrize("all_disks", [False, True])
def test_a_count_is_raised_again_wherever_the_run_that_lowered_it_was_killed(all_disks: bool, tmp_path: Path) -> None:
    start, disks = (3, 1) if all_disks else (4, 2)
    pools = [ModelPool("data", 2, "rack", 8, GIB // 2)]

    def made() -> SimulatedRook:
        return SimulatedRook(3, 1, disks, {"hdd": start}, pools)

    calls: list[str] = []
    rook = made()
    rook.before = lambda argv: calls.append(" ".join(argv[:8])) if changes(argv) else None
    assert apply(rook, start - 1, tmp_path).error == ""
    for victim, call in enumerate(calls):
        rook = made()
        rook.watch = guard
        killed_before(rook, victim, start - 1, tmp_path)
        done = apply(rook, start, tmp_path, patience=120)
        assert done.error == "" and not done.plan.refusals, f"{call}: {done.error} {done.as_json()['refusals']}"
        assert_tidy(rook, start)


def test_what_a_dead_run_left_goes_also_where_nothing_is_to_do(tmp_path: Path) -> None:
    rook = small(3)
    dead = {"holderIdentity": "other/1/2/3", "renewTime": "2001-01-01T00:00:00.0Z", "leaseDurationSeconds": 60}
    alive = {**dead, "renewTime": "2999-01-01T00:00:00.0Z"}
    rook.lease = {"spec": alive, "notes": {NOTE_PLAN: "sha256:0"}, "version": 1}
    assert not apply(rook, 3, tmp_path).plan.notes and not rook.log, "a run that lives keeps its lease"
    rook.lease["spec"] = dead
    checked = apply(rook, 3, tmp_path, check=True)
    assert "is left of a run that ended" in checked.plan.notes[0] and not rook.log
    assert apply(rook, 3, tmp_path).error == "" and rook.lease is None


def test_a_disk_is_replaced_and_the_count_raised_at_once(tmp_path: Path) -> None:
    rook = small(6)
    rook.watch = guard
    victim = next(one for one in rook.volumes.values() if one.claim)
    done = apply(rook, 7, tmp_path, replace=(victim.serial,))
    assert done.error == "" and not done.plan.refusals, done.error
    assert rook.sets == {"hdd": 7} and len(rook.ceph.osds) == 7 and victim.name not in rook.volumes


def test_a_set_ends_with_its_last_osd(tmp_path: Path) -> None:
    rook = small(3)
    rook.ceph.pools.clear()
    rook.ceph.held.clear()
    done = apply(rook, 0, tmp_path)
    assert done.error == "", done.error
    assert_tidy_empty(rook)


def assert_tidy_empty(rook: SimulatedRook) -> None:
    assert not rook.sets and not rook.ceph.osds and not rook.claims and not rook.deployments and rook.lease is None
    assert all(one.phase == "Available" for one in rook.volumes.values())


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("flag:noout", "gate flags"),
        ("health", "gate health"),
        ("operator", "gate operator"),
    ],
)
def test_nothing_starts_behind_a_closed_gate(broken: str, words: str, tmp_path: Path) -> None:
    rook = small(6)
    rook.broken.add(broken)
    refused = apply(rook, 5, tmp_path)
    assert [one.target for one in refused.plan.refusals] == [words]
    assert not rook.log and rook.lease is None


@pytest.mark.parametrize("end", [5, 7])
def test_nothing_starts_while_placement_groups_are_unclean(end: int, tmp_path: Path) -> None:
    rook = small(6)
    next(iter(rook.ceph.held.values())).pop()
    refused = apply(rook, end, tmp_path, check=True)
    assert "gate placement" in [one.target for one in refused.plan.refusals]


def test_an_osd_that_is_down_is_told_though_nothing_is_to_do(tmp_path: Path) -> None:
    rook = small(4)
    volume = next(one for one in rook.volumes.values() if one.carries)
    fail(rook, volume.name)
    (told,) = [one for one in apply(rook, 4, tmp_path).notes if "is down" in one]
    assert told.endswith(f"is down and out: find out why, or name its disk {volume.serial} in replace.")
    assert [one for one in apply(rook, 4, tmp_path, replace=(volume.serial,)).notes if "is down" in one] == []


def test_a_disk_is_replaced_without_lowering_the_count(tmp_path: Path) -> None:
    rook = small(6)
    rook.watch = guard
    victim = next(one for one in rook.volumes.values() if one.claim)
    done = apply(rook, 6, tmp_path, replace=(victim.serial,))
    assert done.error == "", done.error
    assert rook.sets == {"hdd": 6} and len(rook.ceph.osds) == 6
    assert victim.name not in rook.volumes and victim.carries, "nothing is written to a disk that is given up"
    again = apply(rook, 6, tmp_path, replace=(victim.serial,))
    assert not again.plan.actions and not again.plan.refusals


@pytest.mark.parametrize("works", [True, False])
def test_a_replacement_that_is_killed_anywhere_is_finished_by_the_next(works: bool, tmp_path: Path) -> None:
    def made() -> tuple[SimulatedRook, str, str]:
        rook = small(6)
        volume = next(one for one in rook.volumes.values() if one.claim)
        if works:
            rook.watch = guard
        else:
            fail(rook, volume.name)
        return rook, volume.name, volume.serial

    calls: list[str] = []
    rook, _name, serial = made()
    rook.before = lambda argv: calls.append(" ".join(argv[:8])) if changes(argv) else None
    whole = apply(rook, 6, tmp_path, replace=(serial,))
    assert whole.error == "" and not whole.plan.refusals, (whole.error, whole.as_json()["refusals"])
    assert len(calls) > 8
    for victim, call in enumerate(calls):
        rook, name, serial = made()
        killed_before(rook, victim, 6, tmp_path, replace=(serial,))
        done = apply(rook, 6, tmp_path, replace=(serial,))
        assert done.error == "" and not done.plan.refusals, f"{call}: {done.error} {done.as_json()['refusals']}"
        assert name not in rook.volumes and sum("osd purge" in one for one in rook.log) == 1
        assert_tidy(rook, 6)
        again = apply(rook, 6, tmp_path, replace=(serial,))
        assert not again.plan.actions and not again.plan.refusals


def fail(rook: SimulatedRook, volume: str) -> None:
    """The disk of a volume fails: its OSD does not start any more, and Ceph has moved its data away."""
    [number] = [one.osd for one in rook.deployments.values() if rook.claims[one.claim].volume == volume]
    rook.dead.add(rook.ceph.osds[number].uuid)
    rook.ceph.osds[number].is_in = False
    for _ in range(50):
        rook.tick()


def test_a_count_without_room_is_refused_with_the_figures(tmp_path: Path) -> None:
    rook = small(6, group_bytes=int(2.4 * 1024**3))
    refused = apply(rook, 3, tmp_path)
    assert any("near-full 85 % less 5 % allows less than 80.0 %" in one.message for one in refused.plan.refusals)
    assert not rook.log


def test_a_count_without_volumes_is_refused(tmp_path: Path) -> None:
    refused = apply(small(6), 10, tmp_path)
    assert "4 new OSDs need 4 free volumes" in refused.plan.refusals[0].message


def test_a_lease_of_a_living_run_is_respected(tmp_path: Path) -> None:
    rook = small(6)
    rook.lease = {
        "spec": {"holderIdentity": "other/1/2/3", "renewTime": "2999-01-01T00:00:00.0Z", "leaseDurationSeconds": 60},
        "notes": {},
        "version": 1,
    }
    done = apply(rook, 5, tmp_path)
    assert "other/1/2/3 changes the OSDs" in done.error
    assert not rook.log


@settings(max_examples=15)
@given(
    racks=st.integers(3, 5),
    hosts=st.integers(1, 3),
    disks=st.integers(1, 3),
    data=st.data(),
    pace=st.sampled_from(["gentle", "normal", "fast"]),
)
def test_any_cluster_stays_balanced_whole_and_within_its_room(
    racks: int, hosts: int, disks: int, data: st.DataObject, pace: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    most = racks * hosts * disks
    start = data.draw(st.integers(racks, most), label="start")
    end = data.draw(st.integers(racks, most), label="end")
    size = data.draw(st.integers(1024**2, 2 * 1024**3), label="bytes of a group")
    rook = small(start, racks, hosts, disks, size)
    rook.watch = guard
    folder = tmp_path_factory.mktemp("run")
    done = apply(rook, end, folder, pace=pace)
    if done.plan.refusals:
        assert not rook.log
        assert rook.lease is None
        return
    assert done.error == "", done.error
    assert_tidy(rook, end)
    limit = 0.80
    assert all(rook.ceph.used(one) <= limit * osd.size or start <= end for one, osd in rook.ceph.osds.items())


@settings(max_examples=15)
@given(racks=st.integers(2, 4), hosts=st.integers(1, 2), disks=st.integers(1, 4), data=st.data())
def test_two_sets_on_the_same_disks_are_raised_or_refused_before_anything_is_begun(
    racks: int, hosts: int, disks: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    most = racks * hosts * disks
    first = data.draw(st.integers(0, most), label="first")
    second = data.draw(st.integers(0, most - first), label="second")
    ends = {name: data.draw(st.integers(1, most), label=name) for name in ("hdd", "more")}
    rook = SimulatedRook(racks, hosts, disks, {"hdd": first, "more": second}, [])
    folder = str(tmp_path_factory.mktemp("run"))
    counts = {name: max(count, rook.sets[name]) for name, count in ends.items()}
    done = osds(Job(Wanted(NAME, counts, "rack", patience=60), False, "", folder), rook, SimulatedClock(rook))
    if done.plan.refusals:
        assert not rook.log
        return
    assert done.error == "", done.error
    assert rook.sets == counts and len(rook.ceph.osds) == sum(counts.values()) <= most


@pytest.mark.parametrize(
    ("layout", "counts"),
    [((3, 2, 4), (18, 15, 18)), ((4, 5, 2), (20, 17, 20))],
    ids=["18 HDD OSDs to 15", "20 NVMe OSDs to 17"],
)
def test_twins_of_production_go_down_and_up_again(
    layout: tuple[int, int, int], counts: tuple[int, int, int], tmp_path: Path
) -> None:
    start, fewer, again = counts
    racks, hosts, disks = layout
    pools = [
        ModelPool("volumes", 3, "rack", 256, 60 * 1024**2),
        ModelPool("objects", 3, "rack", 128, 90 * 1024**2),
        ModelPool("index", 3, "rack", 32, 1024**2),
    ]
    rook = SimulatedRook(racks, hosts, disks, {"hdd": start}, pools)
    samples = 0

    def sample(rook: SimulatedRook) -> None:
        nonlocal samples
        samples += 1
        guard(rook)

    def unclean_stops(argv: tuple[str, ...]) -> None:
        assert "scale" not in argv or set(rook.ceph.states()) == {"active+clean"}

    rook.watch, rook.before, rook.copies_a_tick = sample, unclean_stops, 20
    before = set(rook.ceph.osds)
    down = apply(rook, fewer, tmp_path)
    assert down.error == "" and not down.plan.refusals, (down.error, down.as_json()["refusals"])
    assert_tidy(rook, fewer)
    assert sum("osd purge" in one for one in rook.log) == start - fewer and set(rook.ceph.osds) < before
    assert rook.log.index(next(one for one in rook.log if "patch cephcluster" in one)) < rook.log.index(
        next(one for one in rook.log if "osd purge" in one)
    )
    up = apply(rook, again, tmp_path)
    assert up.error == "" and not up.plan.refusals, (up.error, up.as_json()["refusals"])
    assert_tidy(rook, again)
    assert samples > 100
