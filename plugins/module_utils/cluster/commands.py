# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The argv of everything that changes a cluster. Each can be run again: what is done already stays as it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..plan.model import Command
from . import questions
from .state import FENCE, FREED, LEASE, OWNED_LABEL, DeviceSet
from .wanted import Wanted

NOTE_PROFILE = "barestore.storage/profile"
"""Note of the lease: the mClock profile that was set before ours; ``-`` for none."""
NOTE_PLAN = "barestore.storage/plan"
NOTE_ACTIONS = "barestore.storage/actions"


@dataclass(frozen=True)
class Commands:
    """Commands for one cluster."""

    cluster: str
    config: str

    @classmethod
    def of(cls, wanted: Wanted) -> Commands:
        return cls(wanted.cluster, wanted.config)

    def kubectl(self, *words: str, stdin: str = "") -> Command:
        return Command(questions.kubectl(self.config, f"--namespace={self.cluster}", *words), stdin)

    def ceph(self, *words: str) -> Command:
        return Command(questions.toolbox(self.config, self.cluster, "ceph", *words))

    def count(self, device_set: DeviceSet, before: int, to: int) -> Command:
        """Change a count, only where it still is what was planned for."""
        path = f"/spec/storage/storageClassDeviceSets/{device_set.position}"
        return self._patch_cluster(
            {"op": "test", "path": f"{path}/name", "value": device_set.name},
            {"op": "test", "path": f"{path}/count", "value": before},
            {"op": "replace", "path": f"{path}/count", "value": to},
        )

    def drop_set(self, device_set: DeviceSet) -> Command:
        path = f"/spec/storage/storageClassDeviceSets/{device_set.position}"
        return self._patch_cluster(
            {"op": "test", "path": f"{path}/name", "value": device_set.name}, {"op": "remove", "path": path}
        )

    def annotate(self, kind: str, name: str, key: str, value: str | None) -> Command:
        """Set an annotation, or remove it."""
        return self.kubectl("annotate", kind, name, "--overwrite", f"{key}-" if value is None else f"{key}={value}")

    def note(self, key: str, value: str | None) -> Command:
        """Write down a part of the run's state, where the next run finds it."""
        return self.annotate("lease", LEASE, key, value)

    def fence(self, deployment: str) -> Command:
        return self.kubectl("label", "deployment", deployment, "--overwrite", f"{FENCE}=true")

    def unfence(self, deployment: str) -> Command:
        return self.kubectl("label", "deployment", deployment, "--overwrite", f"{FENCE}-")

    def stop(self, deployment: str) -> Command:
        return self.kubectl("scale", "deployment", deployment, "--replicas=0")

    def detach(self, claim: str) -> Command:
        """Take a claim out of the operator's count, so that it prepares no OSD on it again."""
        return self.kubectl("label", "persistentvolumeclaim", claim, "--overwrite", f"{OWNED_LABEL}-")

    def delete(self, kind: str, name: str) -> Command:
        # Without waiting: the expectations of an action look until it is gone.
        return self.kubectl("delete", kind, name, "--ignore-not-found", "--wait=false")

    def create(self, manifest: Any) -> Command:
        return self.kubectl("apply", "--filename=-", stdin=json.dumps(manifest, sort_keys=True))

    def free_volume(self, volume: str) -> Command:
        """Let a volume be claimed again and forget what was on it: at once, so that a death in between loses none."""
        note = FREED.replace("/", "~1")
        patch = [{"op": "remove", "path": f"/metadata/annotations/{note}"}, {"op": "remove", "path": "/spec/claimRef"}]
        return self.kubectl("patch", "persistentvolume", volume, "--type=json", f"--patch={json.dumps(patch)}")

    def _patch_cluster(self, *operations: dict[str, Any]) -> Command:
        return self.kubectl(
            "patch", "cephcluster", self.cluster, "--type=json", f"--patch={json.dumps(list(operations))}"
        )
