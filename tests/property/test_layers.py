# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Arrays and encrypted devices through the years, on the model: boots, more disks, larger disks; and their keys."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from documents import Case, cases
from hypothesis import given, settings
from simulated_block import GIB, DiskModel
from simulated_host import SITE, ModelObserver, SimulatedHost
from simulated_luks import KEY_FILE, SECRET
from test_convergence import converged, finish, planned

from ansible_collections.barestore.storage.plugins.module_utils.host import planner, work
from ansible_collections.barestore.storage.plugins.module_utils.host.run import Job
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import digest
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Plan
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Runner

LINK = "/dev/disk/by-id/"


def disk(number: int, size: int = 4 * GIB) -> DiskModel:
    return DiskModel(f"S{number}", "scsi", number, size, rotational=True, wwn=f"0x5000c5000000000{number}")


def document(count: int = 2, level: str = "raid1", **array: Any) -> dict[str, Any]:
    return {
        "disks": {"hdd": {"match": {"serial": "S*"}, "count": count}},
        "md": {"safe": {"level": level, "devices": ["hdd"], **array}},
        "luks": {"secret": {"device": "safe", "key_file": KEY_FILE, "pbkdf": {"type": "pbkdf2", "iterations": 1000}}},
        "lvm": {
            "vg": {
                "physical_volumes": ["secret"],
                "volumes": {"data": {"size": "rest", "filesystem": "ext4", "mount": "/srv/data"}},
            }
        },
    }


def made(wanted: dict[str, Any], *disks: DiskModel) -> SimulatedHost:
    host = SimulatedHost(disks or (disk(1), disk(2)))
    finish(host, wanted)
    converged(host, wanted)
    return host


def ids(plan: Plan) -> list[str]:
    return [one.id for one in plan.actions]


def step(plan: Plan, action: str) -> list[str]:
    (found,) = [one for one in plan.actions if one.id == action]
    return [" ".join(each.as_json().get("argv", ["edit", each.as_json().get("after")])) for each in found.steps]


def test_layers_are_one_plan() -> None:
    plan = planned(SimulatedHost((disk(1), disk(2))), document())
    assert not plan.is_first_part
    order = [one for one in ids(plan) if "create" in one or "format" in one or "open" in one]
    assert order == [
        "md.create:safe",
        "luks.format:secret",
        "luks.open:secret",
        "physical_volume.create:secret@wwn-0x5000c50000000001",
        "volume_group.create:vg",
        "logical_volume.create:vg/data",
        "filesystem.create:vg/data",
    ]
    (create,) = step(plan, "md.create:safe")
    uuid = create.split("--uuid=")[1].split()[0]
    assert create == (
        f"mdadm --create /dev/md/safe --metadata=1.2 --homehost=any --name=safe --uuid={uuid} --level=raid1 "
        "--raid-devices=2 --bitmap=internal --data-offset=5120K --size=4189184K "
        f"{LINK}wwn-0x5000c50000000001 {LINK}wwn-0x5000c50000000002"
    )
    check, make = step(plan, "luks.format:secret")
    assert check.startswith("wipefs --no-act")
    assert make.endswith(f"--pbkdf pbkdf2 --pbkdf-force-iterations 1000 --key-file {KEY_FILE} {LINK}md-uuid-{uuid}")
    assert step(plan, "luks.open:secret")[0].endswith(f" {KEY_FILE} luks,nofail")


def test_what_a_boot_left_closed_is_opened_first_and_never_made_again() -> None:
    wanted = plain()
    host = made(wanted)
    close(host)
    plan = planned(host, wanted)
    assert (ids(plan), plan.is_first_part) == (["luks.open:secret"], True)
    assert plan.notes[-1] == (
        "encrypted device secret is there and closed: what lies in it is planned once it is open."
    )
    (array,) = host.md.arrays
    host.md.stop(array)
    plan = planned(host, wanted)
    assert (ids(plan), plan.is_first_part) == (["md.assemble:safe"], True)
    for action in plan.actions:
        host.run(action)
    assert ids(planned(host, wanted)) == ["luks.open:secret"]
    finish(host, wanted)
    converged(host, wanted)


@pytest.mark.parametrize("seen_active", [False, True])
def test_a_group_in_what_was_closed_is_activated_before_anything_is_said_of_its_volumes(seen_active: bool) -> None:
    """Also where udev activates it after the block devices were read, and before LVM is asked."""
    wanted = document()
    host = made(wanted)
    (group,) = host.lvm.groups.values()
    (volume,) = group.volumes.values()
    assert volume.node is not None
    volume.node.users.clear()
    host.mounts.pop("/srv/data")
    host.lvm.deactivate(group)
    volume.active = seen_active
    host.luks.close("secret")
    with tempfile.TemporaryDirectory() as folder:
        report, _executors = applied(host, wanted, folder)
    assert report.error == ""
    assert ids(report.plan) == ["luks.open:secret", "logical_volume.activate:vg/data", "mount.mount:/srv/data"]
    converged(host, wanted)


def plain() -> dict[str, Any]:
    """A file system in an encrypted array."""
    wanted = {**document(), "filesystems": {"fs": {"device": "secret", "type": "ext4", "mount": "/srv/data"}}}
    del wanted["lvm"]
    return wanted


def close(host: SimulatedHost) -> None:
    """As a boot does to which the key did not come."""
    (opened,) = [node for node in host.nodes if node.dm_name == "secret"]
    opened.users.clear()
    host.mounts.pop("/srv/data")
    host.luks.close("secret")


def test_a_key_that_is_gone_or_open_to_others_is_refused() -> None:
    host = SimulatedHost((disk(1), disk(2)))
    host.modes[KEY_FILE] = "0644"
    (refusal,) = host.plan(document()).refusals
    assert refusal.sentence().startswith(f"{KEY_FILE}: it has the mode 0644 and belongs to root, so others than root")
    del host.files[KEY_FILE]
    (refusal,) = host.plan(document()).refusals
    assert refusal.sentence() == (
        f"{KEY_FILE}: it is not there, and it is the key of encrypted device secret; "
        "put the key there, or name it in host_storage_keys."
    )


def test_another_mirror_needs_no_consent_and_a_stripe_laid_anew_does() -> None:
    host = made(document())
    host.plug([disk(3)])
    assert planned(host, document(3)).notes[-1].endswith("it is widened by a run after that.")
    host.md.arrays[0].work = ""
    plan = planned(host, document(3))
    assert [one for one in ids(plan) if one.startswith("md.")] == ["md.widen:safe"]
    finish(host, document(3))
    converged(host, document(3))

    striped = document(3, "raid5", chunk_size="64 KiB")
    host = made(striped, disk(1), disk(2), disk(3))
    host.md.arrays[0].work = ""
    host.plug([disk(4)])
    wider = document(4, "raid5", chunk_size="64 KiB")
    (refusal,) = host.plan(wider).refusals
    assert "array safe would be laid anew over 4 devices instead of 3" in refusal.message
    digest = refusal.hint.split('digest: "')[1].split('"')[0]
    consent = {"irreversible": [{"action": "md.widen:safe", "digest": digest}]}
    site = Site(SITE.name, SITE.host, consent)
    plan = host.plan(wider, site)
    assert plan.refusals == ()
    for action in plan.actions:
        host.run(action)
    assert ids(host.plan(wider, site)) == []


def test_all_layers_grow_with_the_partitions_below_in_one_run() -> None:
    wanted = document()
    wanted["partitions"] = {"hdd": [{"name": "raid", "size": "1 GiB", "use": "raid"}]}
    wanted["md"]["safe"]["devices"] = ["hdd.raid"]
    host = made(wanted)
    larger = copy.deepcopy(wanted)
    larger["partitions"]["hdd"][0]["size"] = "3 GiB"
    plan = planned(host, larger)
    assert "resync has done 1.7%, 0.9 min to go; it is grown by a run after that." in plan.notes[-1]
    host.md.arrays[0].work = ""
    finish(host, larger)
    converged(host, larger)
    (array,) = [node for node in host.nodes if node.kind == "raid1"]
    assert array.size > 2.9 * GIB


def test_a_disk_that_gives_its_place_is_copied_then_taken_out() -> None:
    wanted = document()
    host = made(wanted)
    (array,) = host.md.arrays
    host.md.finish(array)
    host.plug([disk(3)])
    changed = copy.deepcopy(wanted)
    changed["disks"]["hdd"]["replace"] = {"S1": "S3"}
    plan = planned(host, changed)
    assert [one for one in ids(plan) if one.startswith("md.")] == ["md.replace_S3:safe"]
    add, copy_over = step(plan, "md.replace_S3:safe")
    path = plan.actions[-1].steps[0].as_json()["argv"][2]
    assert add == f"mdadm --manage {path} --add {LINK}wwn-0x5000c50000000003"
    assert copy_over == (
        f"mdadm --manage {path} --replace {LINK}wwn-0x5000c50000000001 --with {LINK}wwn-0x5000c50000000003"
    )
    for action in plan.actions:
        host.run(action)
    converged(host, changed)
    host.md.finish(array)
    assert ids(planned(host, changed)) == ["md.remove_wwn-0x5000c50000000001:safe"]
    finish(host, changed)
    converged(host, changed)
    assert [node.disk.serial for node in array.members if node.disk] == ["S3", "S2"]


def test_a_disk_that_failed_is_recovered_on_another_one() -> None:
    wanted = document()
    host = made(wanted)
    (array,) = host.md.arrays
    host.md.finish(array)
    array.faulty.append(array.members[0])
    assert "array safe: S1 failed; put another disk in its place." in planned(host, wanted).notes
    host.plug([disk(3)])
    changed = copy.deepcopy(wanted)
    changed["disks"]["hdd"]["replace"] = {"S1": "S3"}
    steps = step(planned(host, changed), "md.replace_S3:safe")
    assert [" ".join(one.split()[3:]) for one in steps] == [
        f"--remove {LINK}wwn-0x5000c50000000001",
        f"--add {LINK}wwn-0x5000c50000000003",
    ]
    finish(host, changed)
    converged(host, changed)


def test_a_foreign_member_another_level_and_a_narrower_array_are_refused() -> None:
    wanted = document(3)
    host = made(wanted, disk(1), disk(2), disk(3))
    narrower = document(2)
    narrower["disks"]["hdd"]["match"] = {"serial": ["S1", "S2"]}
    host.files.pop("/var/lib/barestore/state.json")
    said = [one.sentence() for one in host.plan(narrower).refusals]
    assert any("it has 3 devices and the document names 2" in one for one in said)
    assert any("its S3 is not in the document" in one for one in said)
    host.files.pop("/var/lib/barestore/state.json", None)
    (refusal,) = host.plan(document(3, "raid5")).refusals
    assert refusal.message == "it is raid1 and not raid5"


def test_a_cipher_that_changed_is_refused() -> None:
    host = made(document())
    other = document()
    other["luks"]["secret"]["cipher"] = "serpent-xts-plain64"
    (refusal,) = host.plan(other).refusals
    assert refusal.message == "its cipher is aes-xts-plain64 and not serpent-xts-plain64"
    assert "barestore never does" in refusal.hint


def test_helpers_are_bound_once_by_the_systems_own_tools() -> None:
    wanted = document()
    host = made(wanted)
    bound = copy.deepcopy(wanted)
    thumbprint = "x100_1k6GPiDOaMlL3WbpCjHOy9ul1bSfdhI3M08wO0"
    bound["luks"]["secret"] |= {
        "clevis": {"url": "http://tang", "thumbprint": thumbprint},
        "tpm2": {"pcrs": [11, 7]},
        "unlock": "tpm2",
    }
    plan = planned(host, bound)
    assert sorted(ids(plan)) == [
        "fstab.reload:/etc/fstab", "luks.bind_clevis:secret", "luks.bind_tpm2:secret", "luks.register:secret",
    ]  # fmt: skip
    (tpm2,) = step(plan, "luks.bind_tpm2:secret")
    assert f"--unlock-key-file={KEY_FILE} --tpm2-device=auto --tpm2-pcrs=7+11" in tpm2
    assert step(plan, "luks.register:secret")[0].endswith(" none luks,tpm2-device=auto,nofail")
    finish(host, bound)
    converged(host, bound)


@given(cases())
@settings(max_examples=40)
def test_no_key_is_in_a_plan_or_in_what_was_read(case: Case) -> None:
    host = SimulatedHost(case.disks)
    plan = planned(host, case.document)
    for action in plan.actions:
        assert SECRET not in json.dumps(action.as_json())
        host.run(action)
    seen, _rest = _observed(host, case.document)
    assert SECRET not in json.dumps(seen.as_json())


def _observed(host: SimulatedHost, wanted: dict[str, Any]) -> Any:
    return ModelObserver(host).observe(planner.probes(wanted), lambda seen: planner.plan(wanted, seen, SITE))


class _Executor:
    """Runs actions on the model, and notes argv and standard input as the real one gives them to a process."""

    told: list[Any]

    def __init__(self, host: SimulatedHost, journal: Any) -> None:
        self.host, self.journal, self.done = host, journal, []
        self.told = []

    def begin(self, path: str, disks: Any) -> None:
        """Nothing is cut off here."""

    def forget(self, path: str) -> None:
        """As :meth:`begin`."""

    def release(self) -> None:
        """Nothing is held here."""

    def execute(self, plan: Plan) -> None:
        for action in plan.actions:
            self._one(action)

    def _one(self, action: Action) -> None:
        commands = [each.as_json() for each in action.steps]
        self.journal.write("start", {"action": action.id, "commands": commands})
        self.told.append(commands)
        self.host.run(action)


def applied(host: SimulatedHost, wanted: dict[str, Any], folder: str, expected: str = "") -> tuple[work.Report, Any]:
    """``host_storage`` as the module runs it, on the model; the first questions are the model's as well."""
    executors = []

    def executor(_runner: Any, journal: Any, _shortfall: Any) -> _Executor:
        executors.append(_Executor(host, journal))
        return executors[-1]

    with (
        mock.patch.object(work, "Observer", lambda *_: ModelObserver(host)),
        mock.patch.object(work, "Executor", executor),
        mock.patch.object(work, "_without", lambda *_: None),
    ):
        job = Job(wanted, SITE, check=False, expected_digest=expected, folder=folder)
        return work.changed(job, Runner()), executors


def test_a_key_is_found_nowhere_and_the_run_leaves_its_evidence() -> None:
    host = SimulatedHost((disk(1), disk(2)))
    with tempfile.TemporaryDirectory() as folder:
        report, (executor,) = applied(host, document(), folder)
        assert report.error == ""
        written = {path: path.read_text() for path in Path(folder).rglob("*") if path.is_file()}
        (evidence,) = [json.loads(text) for path, text in written.items() if path.parent.name == "reports"]
        assert Path(report.report).stat().st_mode & 0o777 == 0o600
        everything = [json.dumps(report.as_json()), json.dumps(executor.told), *written.values()]
    assert not [text for text in everything if SECRET in text]
    assert sum(KEY_FILE in text for text in everything) >= 4  # the journal, the report, the answer, the commands
    assert {"before", "plan", "executed", "after", "digest", "notes", "error"} <= set(evidence)
    assert [one["id"] for one in evidence["plan"]] == ids(report.plan)
    assert evidence["after"]["disks"] != evidence["before"]["disks"]
    assert "resync" in evidence["notes"][0]


def test_a_run_goes_on_once_what_was_closed_is_open_unless_a_plan_was_approved() -> None:
    wanted = plain()
    for approved in (False, True):
        host = made(wanted)
        close(host)
        expected = digest(planned(host, wanted)) if approved else ""
        with tempfile.TemporaryDirectory() as folder:
            report, _executors = applied(host, wanted, folder, expected)
        assert report.error == ""
        rest = ids(planned(host, wanted))
        if approved:
            assert (ids(report.plan), rest) == (["luks.open:secret"], ["mount.mount:/srv/data"])
            assert report.plan.notes[-1].startswith("1 further actions are planned now; approve sha256:")
        else:
            assert ids(report.plan) == ["luks.open:secret", "mount.mount:/srv/data"]
            assert rest == []
