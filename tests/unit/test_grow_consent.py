# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario ``grow`` adds a vdev. Its disks are always the same, so that its inventory has the line of the plan."""

from __future__ import annotations

import yaml

from ansible_collections.barestore.storage.plugins.module_utils.host.kinds import zfs_pool
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Device, Site, State
from ansible_collections.barestore.storage.plugins.module_utils.host.zfs import datasets, layout
from ansible_collections.barestore.storage.plugins.module_utils.host.zfs.status import Pool, Vdev
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action
from ansible_collections.barestore.storage.plugins.module_utils.plan.policy import approval
from tests.lab.scenarios import FOLDER, HOST, scenario

CONSENT = FOLDER / "grow" / "inventory" / "host_vars" / HOST / "consent.yml"


def test_the_consent_of_grow_is_that_of_its_plan() -> None:
    grow = scenario("grow")
    links = {disk.serial: disk.link for disk in grow.machine.disks}
    devices = tuple(
        Device("pool", f"/dev/disk/by-id/{link}", f"disk:{link}", 2 << 30, 512, (link,), link, True, link, serial)
        for serial, link in sorted(links.items())
        if serial.startswith("HDD")
    )
    document = grow.documents[-1]["zfs"]["tank"]
    entries = tuple(layout.entries(document, {"pool": devices}))
    wanted = zfs_pool.Pool("tank", entries, {}, datasets.root("tank", document), False)
    first = tuple(Vdev(f"{device.path}-part1", "ONLINE") for device in devices[:2])
    pool = Pool("tank", "ONLINE", vdevs={"data": (Vdev("mirror-0", "ONLINE", "", first),)})
    planned = zfs_pool.plan(
        State({"zfs_pool": (zfs_pool.Found(pool, {}),)}), State({"zfs_pool": (wanted,)}), Site("", ""), Observation()
    )
    (add,) = (step for step in planned if isinstance(step, Action))
    line = {"action": approval(add).action, "digest": approval(add).digest}
    assert yaml.safe_load(CONSENT.read_text()) == {"host_storage_consent": {"irreversible": [line]}}
