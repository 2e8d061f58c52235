# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes on in a Ceph cluster while a test changes it: a sample each second, and a client that never stops writing.

Both are one process beside Ceph's tools with one connection, so that watching costs the cluster little.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.operator.kube import Kube

_REST_SECONDS = 1.0
# A line of standard input, or its end, ends either program.
_UNTIL_TOLD = """
import json, os, rados, select, sys, time
link = rados.Rados(conffile="/etc/ceph/ceph.conf", conf={"rados_mon_op_timeout": "30"})
link.connect(timeout=60)
def told_to_end(seconds):
    return bool(select.select([sys.stdin], [], [], seconds)[0])
"""

_SAMPLE = (
    _UNTIL_TOLD
    + """
def ask(call, **order):
    return json.loads(call(json.dumps(dict(order, format="json")), b"", 30)[1])
while True:
    began = time.time()
    try:
        groups = ask(link.mgr_command, prefix="pg dump", dumpcontents=["pgs_brief"])
        groups = groups["pg_stats"] if isinstance(groups, dict) else groups
        dump = ask(link.mon_command, prefix="osd dump")
        told = ask(link.mon_command, prefix="status")["pgmap"]
    except (ValueError, TypeError, rados.Error) as error:  # no manager for a moment: no answer at all
        print(json.dumps({"at": began, "missed": repr(error)}), flush=True)
    else:
        print(json.dumps({
            "at": began,
            "up": [one["osd"] for one in dump["osds"] if one["up"]],
            "osds": {one["osd"]: [one["uuid"], one["up"], one["in"]] for one in dump["osds"]},
            "sizes": {one["pool"]: one["size"] for one in dump["pools"]},
            "groups": [[one["pgid"], one["state"], one["acting"]] for one in groups],
            "degraded": told.get("degraded_objects", 0),
            "misplaced": told.get("misplaced_objects", 0),
        }), flush=True)
    if told_to_end(max(0.0, began + 1 - time.time())):
        break
"""
)

_WRITE = (
    _UNTIL_TOLD
    + """
import hashlib
pool, sums, number, slowest = link.open_ioctx(sys.argv[1]), {}, 0, 0.0
while not told_to_end(0.2):
    name, data = "written-%d" % (number % 300), os.urandom(262144 + number % 4096)
    began = time.time()
    pool.write_full(name, data)
    slowest = max(slowest, time.time() - began)
    sums[name] = hashlib.sha256(data).hexdigest()
    number += 1
different = [name for name, want in sums.items() if hashlib.sha256(pool.read(name, 1 << 20)).hexdigest() != want]
print(json.dumps({"writes": number, "objects": len(sums), "slowest": round(slowest, 1), "different": different}))
"""
)


Start = Callable[..., "subprocess.Popen[str]"]
"""Starts a Python program with words, where Ceph's client is and finds the cluster."""


def started(argv: list[str]) -> subprocess.Popen[str]:
    """A program that is talked with by its pipes."""
    return subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def in_toolbox(k: Kube) -> Start:
    """Programs run in the toolbox of a cluster."""
    argv = [
        k.kubectl, f"--kubeconfig={k.kubeconfig}", f"--namespace={k.namespace}",
        "exec", "--stdin", "deploy/rook-ceph-tools", "--", "python3", "-uc",
    ]  # fmt: skip
    return lambda program, *words: started([*argv, program, *words])


class Client:
    """Writes objects one after the other; at its end reads all of them and compares their checksums."""

    def __init__(self, start: Start, pool: str) -> None:
        self._process = start(_WRITE, pool)

    def end(self) -> dict[str, Any]:
        """``writes``, ``objects``, the ``slowest`` write in seconds, and the names of those that are ``different``."""
        out, said = self._process.communicate("end\n", timeout=180)
        assert self._process.returncode == 0, said[-2000:]
        found: dict[str, Any] = json.loads(out)
        return found

    def kill(self) -> None:
        """End it without a look at what it wrote."""
        self._process.kill()
        self._process.wait()


@dataclass
class Sampler:
    """Each second: the placement groups and who runs. ``judge`` says where a planned change was not safe.

    Ceph keeps what a group left behind until the group is clean elsewhere. So a group that is not clean has its whole
    copies where it was clean last, and they count as long as those OSDs run.

    Ceph's client may die of an answer that comes too late (a double free in librados 19.2): another one goes on then,
    and what the dead one said is in ``deaths``.
    """

    start: Start
    samples: list[dict[str, Any]] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._ending = threading.Event()
        self._process = self.start(_SAMPLE)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Take no more samples; ``samples``, ``missed`` and ``deaths`` are whole afterwards."""
        self._ending.set()
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.write("end\n")
            self._process.stdin.close()
        self._thread.join(120)
        assert not self._thread.is_alive()

    def kill(self) -> None:
        """End it whatever it does."""
        self._ending.set()
        self._process.kill()
        self._thread.join(120)

    def _read(self) -> None:
        while True:
            for line in self._process.stdout or ():
                told = json.loads(line)
                if "missed" in told:
                    self.missed.append(told["missed"])
                else:
                    self.samples.append(told)
            if self._process.wait() and not self._ending.is_set():
                self.deaths.append((self._process.stderr.read() if self._process.stderr else "")[-2000:])
            if self._ending.wait(_REST_SECONDS):
                return
            self._process = self.start(_SAMPLE)
            if self._ending.is_set():
                self._process.kill()


@dataclass
class Watched:
    """A client that writes and a look each second, while a test changes the cluster."""

    client: Client
    sampler: Sampler
    lost: int = 0

    def end(self) -> dict[str, Any]:
        """What the client told at its end: nothing was unsafe meanwhile, and all that was written is there."""
        self.sampler.end()
        told = self.client.end()
        # Without a rack away nothing is late, and a dead sampler would be a hole in the proof.
        assert self.lost or not self.sampler.deaths, self.sampler.deaths
        assert judge(self.sampler.samples, self.lost) == []
        assert len(self.sampler.samples) > 20
        assert told["different"] == [] and told["writes"] > 20
        return told

    def touched(self, goers: set[int]) -> list[str]:
        """Each moment in which an OSD that stays was not what it was at first: its UUID, up, in."""
        first, *rest = [one["osds"] for one in self.sampler.samples]
        stay = {number: what for number, what in first.items() if int(number) not in goers}
        return [
            f"osd.{number} is {one.get(number)}" for one in rest for number in stay if one.get(number) != stay[number]
        ]

    def figures(self) -> dict[str, float]:
        """What Ceph itself said meanwhile."""
        return most(self.sampler.samples)


@contextmanager
def watch(k: Kube, pool: str) -> Iterator[Watched]:
    """Watch a cluster; whatever happens, nothing of it goes on afterwards."""
    made = Watched(Client(in_toolbox(k), pool), Sampler(in_toolbox(k)))
    try:
        yield made
    finally:
        made.client.kill()
        made.sampler.kill()


def judge(samples: list[dict[str, Any]], lost: int = 0) -> list[str]:
    """Each moment with a group of fewer whole copies than its pool's size, or of a stop while one was not clean.

    ``lost`` is how many copies of each group somebody else took away meanwhile, such as a rack that was cut off.
    """
    wrong: list[str] = []
    clean_on: dict[str, list[int]] = {}
    before: dict[str, Any] | None = None
    for one in samples:
        up = set(one["up"])
        for name, state, acting in one["groups"]:
            size = one["sizes"][name.partition(".")[0]]
            if is_clean(state):
                clean_on[name] = acting
            whole = len(up & set(clean_on.get(name, acting)))
            if whole < size - lost:
                wrong.append(f"{one['at']:.0f}: {name} is {state} with {whole} whole copies of {size}")
        stopped = set(before["up"]) - up if before else set()
        if before and stopped and not lost and (count := unclean(before)):
            wrong.append(f"{one['at']:.0f}: {sorted(stopped)} stopped while {count} placement groups were not clean")
        before = one
    return wrong


def is_clean(state: str) -> bool:
    """Whether a placement group has all its copies where they belong; scrubbing does not count against it."""
    return state.startswith("active+clean")


def unclean(sample: dict[str, Any]) -> int:
    """Placement groups of a sample that are not clean."""
    return sum(1 for _name, state, _acting in sample["groups"] if not is_clean(state))


def most(samples: list[dict[str, Any]]) -> dict[str, float]:
    """What Ceph itself said meanwhile, at its most, and the longest time between two samples in seconds."""
    times = [one["at"] for one in samples]
    return {
        "samples": len(samples),
        "unclean": max(map(unclean, samples), default=0),
        "degraded": max((one["degraded"] for one in samples), default=0),
        "misplaced": max((one["misplaced"] for one in samples), default=0),
        "gap": round(max((end - start for start, end in zip(times, times[1:], strict=False)), default=0.0), 1),
    }
