# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The lease of a cluster: one run at a time changes its OSDs. It also keeps a run's notes for the next one."""

from __future__ import annotations

import json
import os
import platform
import time
from datetime import datetime, timezone

from ..plan.errors import Surprise
from ..plan.model import Command
from ..plan.runner import Runner
from .commands import Commands
from .state import LEASE, Lease

SECONDS = 120
_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


class Holder:
    """Takes, renews and gives back the lease of one cluster."""

    def __init__(self, runner: Runner, commands: Commands) -> None:
        self._runner = runner
        self._commands = commands
        self._renewed = float("-inf")
        self.name = identity()

    def take(self, seen: Lease) -> None:
        """Hold the lease, also over a run that is dead: it is on this host and ended, or did not renew for long.

        :raises Surprise: somebody else holds it, or took it at the same moment.
        """
        if seen.holder and not is_dead(seen, time.time()):
            raise Surprise(
                f"{seen.holder} changes the OSDs of {self._commands.cluster}, and last said so at {seen.renewed}",
                f"wait until it has ended; if it is dead, its lease lapses {2 * SECONDS} s after that",
            )
        if not seen.version:
            manifest = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": LEASE, "namespace": self._commands.cluster},
                "spec": self._spec(),
            }
            done = self._runner.run(
                *_call(self._commands.kubectl("create", "--filename=-", stdin=json.dumps(manifest)))
            )
        else:
            # The version makes the API refuse when anybody changed the lease since it was read.
            patch = {"metadata": {"resourceVersion": seen.version}, "spec": self._spec()}
            done = self._runner.run(*_call(self._patch("merge", patch)))
        if done.rc != 0:
            raise Surprise(
                f"the lease {LEASE} of {self._commands.cluster} cannot be had: {' '.join(done.stderr.split())[-300:]}",
                "another run took it at the same moment, or Kubernetes does not answer: run again",
            )
        self._renewed = time.monotonic()

    def renew(self) -> None:
        """Say that this run lives; costs a process every half minute.

        :raises Surprise: somebody else holds the lease now.
        """
        if time.monotonic() - self._renewed < SECONDS / 4:
            return
        patch = [
            {"op": "test", "path": "/spec/holderIdentity", "value": self.name},
            {"op": "replace", "path": "/spec/renewTime", "value": _now()},
        ]
        done = self._runner.run(*_call(self._patch("json", patch)))
        if done.rc != 0:
            if time.monotonic() - self._renewed < SECONDS:
                return  # the API may be away for a moment; the lease is still ours
            raise Surprise(
                f"the lease {LEASE} of {self._commands.cluster} could not be renewed for {SECONDS} s: "
                f"{' '.join(done.stderr.split())[-300:]}",
                "run again when Kubernetes answers",
            )
        self._renewed = time.monotonic()

    def give_back(self, whole: bool) -> None:
        """Let others in. ``whole``: nothing is left to do, so that the notes go too."""
        if whole:
            command = self._commands.kubectl("delete", "lease", LEASE, "--ignore-not-found", "--wait=false")
        else:
            command = self._patch(
                "json",
                [
                    {"op": "test", "path": "/spec/holderIdentity", "value": self.name},
                    {"op": "replace", "path": "/spec/holderIdentity", "value": ""},
                ],
            )
        self._runner.run(*_call(command))

    def _spec(self) -> dict[str, object]:
        return {"holderIdentity": self.name, "leaseDurationSeconds": SECONDS, "renewTime": _now()}

    def _patch(self, kind: str, patch: object) -> Command:
        return self._commands.kubectl("patch", "lease", LEASE, f"--type={kind}", f"--patch={json.dumps(patch)}")


def identity() -> str:
    """Host, boot, process and its start: a name that no later process has."""
    return f"{platform.node()}/{_boot()}/{os.getpid()}/{_started(os.getpid())}"


def is_dead(seen: Lease, now: float) -> bool:
    """Whether the holder ended for certain: on this host and gone, or on another and silent for twice its time."""
    parts = seen.holder.split("/")
    if len(parts) == 4 and parts[0] == platform.node():
        return parts[1] != _boot() or not parts[2].isdigit() or _started(int(parts[2])) != parts[3]
    try:
        renewed = datetime.strptime(seen.renewed, _FORM).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return True
    return now - renewed > 2 * (seen.seconds or SECONDS)


def _call(command: Command) -> tuple[tuple[str, ...], str]:
    return command.argv, command.stdin


def _now() -> str:
    return datetime.now(timezone.utc).strftime(_FORM)


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as handle:
            return handle.read(8)
    except OSError:
        return "unknown"


def _started(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as handle:
            return handle.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "ended"
