# SPDX-License-Identifier: GPL-3.0-or-later
"""Real Ceph daemons on files, in a folder with Ceph installed, with a modelled Kubernetes and operator around them.

Everything that ``ceph_osds`` asks of Ceph or orders from it is real: placement, recovery, safe-to-destroy, purge.
A Deployment is a ``ceph-osd`` process, a node is a bucket of CRUSH.
"""

from __future__ import annotations

import json
import subprocess
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from simulated_rook import GIB, ModelClaim, ModelDeployment, SimulatedRook

from ansible_collections.barestore.storage.plugins.module_utils.cluster.executor import Clock
from tests.cluster.watching import started

_CONF = """
[global]
fsid = {fsid}
mon_host = 127.0.0.1:{port}
mon_initial_members = a
osd_class_dir = /usr/lib/x86_64-linux-gnu/rados-classes
mon_max_pg_per_osd = 500
osd_pool_default_pg_autoscale_mode = off
osd_memory_target = 939524096
bluestore_block_size = {size}
bluestore_block_create = true
[mon]
mon_warn_on_insecure_global_id_reclaim_allowed = false
"""


class RealRook(SimulatedRook):
    """``root`` is the folder with Ceph; monitor, manager and OSDs run in it until :meth:`close`."""

    def __init__(self, root: Path, count: int, racks: int = 3, disks: int = 3, port: int = 16789) -> None:
        self._root = root
        self._daemon: dict[str, subprocess.Popen[bytes]] = {}
        self._numbers: dict[str, int] = {}
        self._boot(port)
        super().__init__(racks, 1, disks, {"hdd": 0}, [])
        self.sets["hdd"] = count
        while len(self.deployments) < count:
            self.reconcile()
        self.wait(lambda: self.told("osd", "stat")["num_up_osds"] == count, "OSDs are up")
        self.told("osd", "crush", "rule", "create-replicated", "racks", "default", "rack")
        self.told("osd", "pool", "create", "data", "32", "32", "replicated", "racks")
        self.told("osd", "pool", "application", "enable", "data", "rados")
        self.wait(self.clean, "placement groups are clean")

    def told(self, *words: str) -> Any:
        """What ``ceph`` says to that, from JSON."""
        argv = ["chroot", str(self._root), "ceph", "--connect-timeout=20", *words, "--format=json"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"ceph {' '.join(words)}: {done.stderr[-500:]}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def clean(self) -> bool:
        states = self.told("status")["pgmap"].get("pgs_by_state", [])
        return bool(states) and all(one["state_name"] == "active+clean" for one in states)

    def wait(self, holds: Callable[[], bool], what: str, seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise RuntimeError(f"after {seconds} s it is not so that {what}")
            time.sleep(1)

    def start(self, program: str, *words: str) -> subprocess.Popen[str]:
        """Start a Python program beside the daemons."""
        return started(["chroot", str(self._root), "python3", "-uc", program, *words])

    def close(self) -> None:
        """End all daemons."""
        for process in self._daemon.values():
            process.terminate()
        for process in self._daemon.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()

    def tick(self) -> None:
        self.reconcile()

    def _boot(self, port: int) -> None:
        self.fsid = str(uuid.uuid4())
        root = self._root
        for folder in ("mon/ceph-a", "mgr/ceph-a", "osd"):
            (root / "var/lib/ceph" / folder).mkdir(parents=True, exist_ok=True)
        (root / "etc/ceph").mkdir(parents=True, exist_ok=True)
        (root / "etc/ceph/ceph.conf").write_text(_CONF.format(fsid=self.fsid, port=port, size=3 * GIB))
        admin = "/etc/ceph/ceph.client.admin.keyring"
        self._in(
            "ceph-authtool", "--create-keyring", "/tmp/mon.key", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *"
        )
        caps = [word for daemon in ("mon", "osd", "mgr") for word in ("--cap", daemon, "allow *")]
        self._in("ceph-authtool", "--create-keyring", admin, "--gen-key", "-n", "client.admin", *caps)
        self._in("ceph-authtool", "/tmp/mon.key", "--import-keyring", admin)
        self._in(
            "monmaptool",
            "--create",
            "--clobber",
            "--addv",
            "a",
            f"[v1:127.0.0.1:{port}]",
            "--fsid",
            self.fsid,
            "/tmp/m",
        )
        self._in("ceph-mon", "--mkfs", "-i", "a", "--monmap", "/tmp/m", "--keyring", "/tmp/mon.key")
        self._start("mon.a", "ceph-mon", "-i", "a")
        self.wait(self._answers, "the monitor answers", 60)
        caps = ["mon", "allow profile mgr", "osd", "allow *"]
        self._in("ceph", "auth", "get-or-create", "mgr.a", *caps, "-o", "/var/lib/ceph/mgr/ceph-a/keyring")
        self._start("mgr.a", "ceph-mgr", "-i", "a")

    def _answers(self) -> bool:
        try:
            return bool(self.told("status"))
        except RuntimeError:
            return False

    def _in(self, *argv: str) -> str:
        done = subprocess.run(["chroot", str(self._root), *argv], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(argv)}: {done.stderr[-500:]}")
        return done.stdout

    def _start(self, name: str, *argv: str) -> None:
        log = (self._root / "tmp" / f"{name}.log").open("ab")
        self._daemon[name] = subprocess.Popen(["chroot", str(self._root), *argv, "-f"], stdout=log, stderr=log)

    # -- the operator's part

    def _prepare(self, claim: ModelClaim) -> None:
        volume = self.volumes[claim.volume]
        if volume.carries:
            return
        made = str(uuid.uuid4())
        number = self.told("osd", "new", made)["osdid"]
        name = f"osd.{number}"
        rack = self.nodes[volume.node]
        place = f"\n[{name}]\ncrush_location = root=default rack={rack} host={volume.node}\n"
        with (self._root / "etc/ceph/ceph.conf").open("a") as handle:
            handle.write(place)
        folder = self._root / f"var/lib/ceph/osd/ceph-{number}"
        subprocess.run(["rm", "-rf", str(folder)], check=True)
        folder.mkdir()
        caps = ["mon", "allow profile osd", "mgr", "allow profile osd", "osd", "allow *"]
        self._in("ceph", "auth", "get-or-create", name, *caps, "-o", f"/var/lib/ceph/osd/ceph-{number}/keyring")
        self._in("ceph-osd", "-i", str(number), "--mkfs", "--osd-uuid", made)
        volume.carries = made
        self.deployments[f"rook-ceph-osd-{number}"] = ModelDeployment(number, claim.name)
        self.jobs[f"rook-ceph-osd-prepare-{claim.name}"] = "Complete"

    def _daemons(self) -> None:
        wanted = {f"osd.{one.osd}": one.replicas for one in self.deployments.values()}
        for name in [one for one in self._daemon if one.startswith("osd.") and not wanted.get(one)]:
            process = self._daemon.pop(name)
            process.terminate()
            process.wait()
        for name, replicas in wanted.items():
            if replicas and name not in self._daemon:
                self._start(name, "ceph-osd", "-i", name[4:])

    def _ceph(self, words: list[str]) -> str:
        return self._in("ceph", *words)

    def _exec(self, words: list[str], stdin: str) -> str:
        argv = words[words.index("--") + 1 :]
        return self._in(*argv) if argv[0] == "python3" else self._ceph(argv[1:])


class RealClock(Clock):
    """Time as it is; the operator goes on while somebody waits."""

    def __init__(self, rook: RealRook) -> None:
        self._rook = rook

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
        self._rook.tick()
