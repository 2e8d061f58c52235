# SPDX-License-Identifier: GPL-3.0-or-later
"""/proc/mdstat in the shapes that the kernel gives it (md_seq_show and status_resync of drivers/md/md.c)."""

from __future__ import annotations

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.md.mdstat import Array, Member, parse

TEXT = """\
Personalities : [raid1] [raid6] [raid5] [raid4] [raid10]
md124 : inactive sdh1[2](S) sdg1[0](S)
      2095104 blocks super 1.2

md125 : active raid10 nvme3n1[3] nvme2n1[2] nvme1n1[1] nvme0n1[0]
      7811856384 blocks super 1.2 512K chunks 2 near-copies [4/4] [UUUU]
      [==>..................]  check = 12.6% (984472576/7811856384) finish=1203.4min speed=94551K/sec
      bitmap: 3/59 pages [12KB], 65536KB chunk

md126 : active raid6 sdf[6] sde[4](F) sdd[3] sdc[2] sdb[1] sda[0] sdi[5](S)
      31255568384 blocks super 1.2 level 6, 512k chunk, algorithm 2 [6/4] [UUUU__]
      [>....................]  recovery =  1.7% (18048/1046528) finish=0.9min speed=18048K/sec

md127 : active (auto-read-only) raid1 dm-3[1](W) sdb1[0]
      1046528 blocks super 1.2 [2/2] [UU]
        resync=PENDING

unused devices: <none>
"""


def test_every_shape_of_an_array() -> None:
    inactive, striped, degraded, mirror = parse(TEXT)
    assert inactive == Array("md124", False, "", 0, 0, 0, (Member("sdg1", spare=True), Member("sdh1", spare=True)))
    assert (striped.level, striped.chunk, striped.size, striped.is_degraded) == (
        "raid10", 512 * 1024, 7811856384 * 1024, False,
    )  # fmt: skip
    assert striped.work == "check has done 12.6%, 1203.4 min to go"
    assert (degraded.devices, degraded.working, degraded.chunk) == (6, 4, 512 * 1024)
    assert [one.kname for one in degraded.members if one.faulty] == ["sde"]
    assert [one.kname for one in degraded.members if one.spare] == ["sdi"]
    assert degraded.work == "recovery has done 1.7%, 0.9 min to go"
    assert (mirror.level, mirror.chunk, mirror.work) == ("raid1", 0, "resync is pending")
    assert [one.kname for one in mirror.members] == ["dm-3", "sdb1"]


@pytest.mark.parametrize("text", ["", "Personalities : \nunused devices: <none>\n"])
def test_a_host_without_arrays(text: str) -> None:
    assert parse(text) == ()
