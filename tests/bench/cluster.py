# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes with Ceph on three hosts of the native test bed, by ``site.yml`` and by hand, in one run.

Both begin with the same hosts: storage made, packages installed, images in place. Then on the first of the clusters:
``site.yml`` with nothing to do, and one OSD that comes and goes, by the role and by hand.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Interface
from itertools import product
from pathlib import Path
from typing import Any

import yaml
from guest import HERE, ROOT, Unmeasured, median, say
from table import Row, verdict

from ansible_collections.barestore.storage.plugins.module_utils.cluster.executor import REPORT_SECONDS
from barestore.lab.containers.network import gateway_of
from barestore.lab.inventory import machines

sys.path.append(str(ROOT))

from tests.cluster.bed.binaries import BedError  # noqa: E402
from tests.cluster.bed.site import PORT, Bed  # noqa: E402
from tests.cluster.operator.contract import purge  # noqa: E402
from tests.cluster.operator.kube import Failed, Kube  # noqa: E402

TIMES, NOTHING, ADD, REMOVE, OSDS, CALLS = 1.5, 25, 5, 20, 3, 12
INVENTORY = HERE / "three_hosts"
BY_HAND = HERE / "cluster_by_hand"
NAMESPACE, SET = "ceph-hdd", "hdd"
_RUNS = 3
_RECAP = re.compile(r"^(\S+) +: ok=(\d+) +changed=(\d+) .*?skipped=(\d+)", re.MULTILINE)
_TASK = re.compile(r"^TASK \[(.+?)\] \**$", re.MULTILINE)
_CHANGED = re.compile(r"^changed: \[(\S+?)\]", re.MULTILINE)
_PROCESSES = re.compile(r"processes (\d+)")


@dataclass(frozen=True)
class Played:
    """A playbook: seconds, and of each host how many tasks did something or looked, changed something, were skipped."""

    seconds: float
    text: str

    @property
    def tasks(self) -> dict[str, tuple[int, int, int]]:
        return {host: (int(ok), int(changed), int(skipped)) for host, ok, changed, skipped in _RECAP.findall(self.text)}

    @property
    def changed(self) -> list[str]:
        """The tasks that changed something, each with its host."""
        parts = _TASK.split(self.text)
        return [
            f"{name} on {host}"
            for name, told in zip(parts[1::2], parts[2::2], strict=True)
            for host in _CHANGED.findall(told)
        ]


def rows(notes: list[str]) -> Iterator[Row]:
    """All rows; the bed is taken down at the end, and before the second way."""
    bed = Bed(INVENTORY)
    try:
        with tempfile.TemporaryDirectory(prefix="barestore-bench-") as name:
            folder = Path(name)
            prepared(bed, folder)
            ours = until_made(bed, folder, lambda: played(ROOT / "site.yml"))
            say(f"cluster: site.yml made it in {ours:.0f} s")
            yield from nothing_to_do()
            yield from one_osd(bed, folder)
            prepared(bed, folder)
            theirs = until_made(bed, folder, lambda: by_hand(bed, folder))
            say(f"cluster: by hand in {theirs:.0f} s")
            yield Row(
                "cluster",
                "three prepared hosts to a Ready cluster with 3 OSDs in",
                f"{TIMES} times by hand",
                f"{ours:.0f} s, by hand {theirs:.0f} s",
                verdict(ours <= TIMES * theirs, f"{ours / theirs:.2f} times"),
            )
    except (BedError, Failed) as error:
        raise Unmeasured(str(error)) from error
    finally:
        bed.down(say, wipe=True)
    notes.append(f"cluster: load {os.getloadavg()[0]:.1f} at its end; hosts are containers on this machine")


def nothing_to_do() -> Iterator[Row]:
    """``site.yml`` and the role of OSDs on what is as wanted."""
    runs = [played(ROOT / "site.yml") for _ in range(_RUNS)]
    changed = [name for run in runs for name in run.changed]
    seconds, each = median([run.seconds for run in runs]), ", ".join(f"{run.seconds:.1f}" for run in runs)
    yield Row(
        "cluster",
        "site.yml with nothing to do, three nodes",
        f"<= {NOTHING} s, 0 changed",
        f"{seconds:.1f} s ({each}), {', '.join(changed) or 'nothing'} changed",
        verdict(seconds <= NOTHING and not changed),
    )
    told = "; ".join(f"{host} {ok} and {skipped} skipped" for host, (ok, _c, skipped) in runs[-1].tasks.items())
    yield Row("cluster", "site.yml with nothing to do: tasks", "", told)
    plays = [played(BY_HAND / "osds.yml") for _ in range(_RUNS)]
    seconds, calls = median([one.seconds for one in plays]), processes(plays[-1])
    yield Row(
        "cluster",
        "role ceph_osds with nothing to do",
        f"<= {OSDS} s, {CALLS} calls",
        f"{seconds:.1f} s, {calls} calls",
        verdict(seconds <= OSDS and calls <= CALLS),
    )


def one_osd(bed: Bed, folder: Path) -> Iterator[Row]:
    """One OSD more and one less, by the role and then by hand, until all data is where it belongs; medians of pairs.

    By hand no disk is wiped, so that each pair uses up a volume: there is one for each.
    """
    k = kube(bed, folder)
    runs: dict[tuple[str, int], list[float]] = {}
    for _pair, who, count in product(range(_RUNS), ("role", "hand"), (4, 3)):
        started = time.monotonic()
        if who == "role":
            played(BY_HAND / "osds.yml", "-e", json.dumps({"ceph": edited(count)}))
        elif count == 4:
            resize(k, count)
        else:
            remove(k, count)
        k.wait(f"{count} OSDs", partial(is_there, k, count))
        ended = time.monotonic()
        runs.setdefault((who, count), []).append((max(ended, whole_since(k)) if who == "hand" else ended) - started)
        say(f"cluster: {count} OSDs by {who} in {runs[who, count][-1]:.0f} s")
    seconds = {what: median(each) for what, each in runs.items()}
    spread = {what: "/".join(f"{one:.0f}" for one in each) for what, each in runs.items()}
    for what, count, more in (("one OSD more", 4, ADD), ("one OSD less", 3, REMOVE)):
        ours, theirs = seconds["role", count], seconds["hand", count]
        yield Row(
            "cluster",
            f"{what}, by the role",
            f"by hand + {more} s",
            f"{ours:.0f} s, by hand {theirs:.0f} s ({spread['role', count]}; {spread['hand', count]})",
            verdict(ours <= theirs + more, f"{ours - theirs:+.0f} s"),
        )


def prepared(bed: Bed, folder: Path) -> None:
    """Three hosts anew, as both ways find them."""
    bed.down(say, wipe=True)
    bed.up(say)
    played(BY_HAND / "prepare.yml", "-e", f"bench_folder={folder}")


def by_hand(bed: Bed, folder: Path) -> Played:
    """The script."""
    programs = [str(bed.program("kubectl")), str(bed.program("helm"))]
    charts = f"http://{mirror(bed)}:{PORT}/charts"
    argv = [str(BY_HAND / "make.sh"), str(folder), str(bed.site.ssh_config), *programs, charts]
    return run(argv)


def mirror(bed: Bed) -> str:
    """The address of the bed's mirror: the first of the hosts' network."""
    return gateway_of(IPv4Interface(machines(bed.inventory)[0].address)).ip.compressed


def until_made(bed: Bed, folder: Path, make: Callable[[], Played]) -> float:
    """Seconds until the cluster is what both ways are to make: three OSDs up and in, all data whole."""
    started = time.monotonic()
    make()
    k = kube(bed, folder)
    k.wait("3 OSDs up and in", partial(is_there, k, 3))
    k.wait("placement groups active and clean", lambda: clean(k))
    return time.monotonic() - started


def kube(bed: Bed, folder: Path) -> Kube:
    """kubectl of this machine, with the administrator's access."""
    access = folder / "admin.conf"
    access.touch(0o600)
    access.write_text(run(["ssh", "-F", str(bed.site.ssh_config), bed.first, "cat /etc/kubernetes/admin.conf"]).text)
    return Kube(str(bed.program("kubectl")), access, NAMESPACE)


def is_there(k: Kube, count: int) -> bool:
    """Whether so many OSDs are up and in, and no other is known."""
    return there(k) == count


def there(k: Kube) -> int:
    """How many OSDs Ceph knows that are up and in; one that is leaving counts until it is gone."""
    osds = k.ceph("osd", "dump")["osds"]
    return len(osds) if all(one["up"] and one["in"] for one in osds) else -1


def clean(k: Kube) -> bool:
    """Whether every placement group has all its copies."""
    states = k.ceph("status")["pgmap"].get("pgs_by_state") or []
    return bool(states) and all(one["state_name"].startswith("active+clean") for one in states)


def whole_since(k: Kube) -> float:
    """The moment from which all data is where it belongs; clean is believed once it held as long as it may be old."""
    since = 0.0

    def held() -> bool:
        nonlocal since
        since = (since or time.monotonic()) if clean(k) else 0.0
        return bool(since) and time.monotonic() - since > REPORT_SECONDS

    k.wait("placement groups active and clean", held)
    return since


def edited(count: int) -> Any:
    """The document of the inventory with another number."""
    document = yaml.safe_load((INVENTORY / "group_vars/all/cluster.yml").read_text())["ceph"]
    document["clusters"][NAMESPACE]["device_sets"][SET]["count"] = count
    return document


def resize(k: Kube, count: int) -> None:
    """Edit the number in the CephCluster."""
    sets = k.get("cephcluster", NAMESPACE)["spec"]["storage"]["storageClassDeviceSets"]
    k.patch("cephcluster", NAMESPACE, {"spec": {"storage": {"storageClassDeviceSets": [{**sets[0], "count": count}]}}})


def remove(k: Kube, count: int) -> None:
    """As Rook documents it: lower the number, drain an OSD, wait until it is safe to destroy, stop it, purge it."""
    number = str(max(one["osd"] for one in k.ceph("osd", "dump")["osds"]))
    resize(k, count)
    k.toolbox("ceph", "osd", "out", number)
    k.wait("data whole without the OSD", lambda: clean(k) and safe(k, number), 900)
    k.call("scale", f"deployment/rook-ceph-osd-{number}", "--replicas=0")
    k.wait("the OSD down", lambda: not next(o for o in k.ceph("osd", "dump")["osds"] if str(o["osd"]) == number)["up"])
    purge(k, number)


def safe(k: Kube, number: str) -> bool:
    """Ceph's own word for it."""
    return int(number) in k.ceph("osd", "safe-to-destroy", number)["safe_to_destroy"]


def played(playbook: Path, *words: str) -> Played:
    """A playbook on the hosts, which must be good."""
    argv = [str(ROOT / ".venv/bin/ansible-playbook"), "-i", str(INVENTORY), str(playbook), *words]
    return run(argv)


def run(argv: list[str]) -> Played:
    """A command that must be good."""
    environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
    started = time.monotonic()
    done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unmeasured(f"{' '.join(argv)} ended with code {done.returncode}: {(done.stdout + done.stderr)[-3000:]}")
    return Played(time.monotonic() - started, done.stdout)


def processes(run_of_osds: Played) -> int:
    """How many processes the module says that it started."""
    found = _PROCESSES.search(run_of_osds.text)
    if found is None:
        raise Unmeasured("the role of OSDs does not say how many processes it started")
    return int(found.group(1))
