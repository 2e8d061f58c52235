# SPDX-License-Identifier: GPL-3.0-or-later
"""The bed of one inventory: its cache, its nodes and its mirror, up and down."""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from barestore.lab import process
from barestore.lab.containers import tree
from barestore.lab.containers.network import gateway_of
from barestore.lab.files import write_atomically
from barestore.lab.inventory import in_group, machines, state_dir
from barestore.lab.process import Process
from barestore.lab.runtime import Site
from tests.cluster.bed import binaries, debs, images
from tests.cluster.bed.binaries import BedError, Say
from tests.cluster.bed.folders import CACHE
from tests.cluster.objects import charts
from tests.cluster.operator import images as ceph_images

ROOT = Path(__file__).parents[3]
INVENTORY = ROOT / "inventories/cluster"
PORT = 8077
# Whoever has images for the bed puts an archive, or a link to one, in here; the mirror serves it at once.
SERVED = CACHE / "served"


@dataclass(frozen=True)
class Cache:
    """What the bed is made of: the programs by name, the archive of images, the folders of packages and of charts."""

    programs: dict[str, Path]
    images: Path
    packages: Path
    charts: Path


def cache(say: Say) -> Cache:
    """Everything that is built once; minutes the first time, nothing later."""
    programs = binaries.everything(say)
    packages = debs.ensure(programs, tree.ensure(say).root, say)
    ceph_images.serve()
    return Cache(programs, images.ensure(programs, say), packages, charts.repository())


@dataclass(frozen=True)
class Bed:
    """The bed of an inventory."""

    inventory: Path

    @property
    def folder(self) -> Path:
        """Its state: nodes, keys, the mirror's log."""
        return state_dir(self.inventory)

    @property
    def first(self) -> str:
        """The control plane on which kubectl is run: the first of its group."""
        return in_group(self.inventory, "kube_control_plane")[0]

    @property
    def site(self) -> Site:
        """Its nodes."""
        return Site(self.folder)

    def up(self, say: Say) -> None:
        """Build what is missing, bring the nodes up, and start the mirror."""
        found = cache(say)
        wanted = machines(self.inventory)
        self._link_programs(found.programs)
        self.site.up(wanted, say)
        self._start_mirror(found, gateway_of(IPv4Interface(wanted[0].address)), say)

    def down(self, say: Say, *, wipe: bool) -> None:
        """End the mirror and power the nodes off; with ``wipe`` nothing of them is left."""
        if known := self._mirror():
            known.kill()
        self._record.unlink(missing_ok=True)
        self.site.down((), say, kill=wipe, wipe=wipe)

    def program(self, name: str) -> Path:
        """A program of the bed for this machine: ``helm`` or ``kubectl``."""
        return self.folder / "bin" / name

    def _link_programs(self, programs: dict[str, Path]) -> None:
        for name in ("helm", "kubectl"):
            link = self.program(name)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(programs[name])

    @property
    def _record(self) -> Path:
        return self.folder / "mirror.json"

    def _mirror(self) -> Process | None:
        return Process(**json.loads(self._record.read_text())) if self._record.exists() else None

    def _start_mirror(self, found: Cache, address: IPv4Interface, say: Say) -> None:
        if (known := self._mirror()) and known.alive:
            known.kill()  # what it serves may have been built anew
        SERVED.mkdir(parents=True, exist_ok=True)
        argv = [
            sys.executable, "-m", "tests.cluster.bed", "serve", "--address", str(address.ip), "--port", str(PORT),
            "--packages", str(found.packages), "--charts", str(found.charts),
            "--images", str(found.images.parent), "--images", str(SERVED),
        ]  # fmt: skip
        started = process.start(argv, self.folder / "mirror.log", tied=False, folder=ROOT)
        write_atomically(self._record, json.dumps(asdict(started)) + "\n")
        end = time.monotonic() + 120
        url = f"http://{address.ip}:{PORT}/apt/Release"
        while True:
            try:
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=5).close()
                break
            except OSError as error:
                if not started.alive or time.monotonic() > end:
                    raise BedError(
                        f"the mirror at {url} does not answer ({error}); see {self.folder}/mirror.log"
                    ) from error
                time.sleep(0.1)
        say(f"mirror of packages, charts and images at {address.ip}:{PORT}")
