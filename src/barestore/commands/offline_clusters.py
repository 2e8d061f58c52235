# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of clusters from recordings: the same planner as on the control plane, the same digest, nobody contacted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.cluster import planner, reading, recording, run, windows
from ansible_collections.barestore.storage.plugins.module_utils.cluster.touched import touched
from ansible_collections.barestore.storage.plugins.module_utils.cluster.wanted import Wanted
from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import digest
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import Absent, StorageError
from barestore.clusters import Cluster
from barestore.commands.offline import AGAIN, DAMAGED, fresh, kept, there
from barestore.errors import Failed
from barestore.hostplan import HostPlan, report

FOLDER = "clusters"
"""Where recordings of clusters are, in the folder of those of hosts."""


def plans(
    clusters: Iterable[Cluster], folder: Path, max_age: float | None = None
) -> Iterator[tuple[Cluster, HostPlan]]:
    """The plan of each cluster, when it is asked for; one whose recording is missing or too old is an error of its own.

    :raises Failed: there is no such folder.
    """
    there(folder)
    return ((cluster, _plan(cluster, folder, max_age)) for cluster in clusters)


def _plan(cluster: Cluster, folder: Path, max_age: float | None) -> HostPlan:
    path = folder / FOLDER / f"{cluster.name}.json"
    again = f"{AGAIN} {folder} --limit {cluster.control_plane}'"
    try:
        found = kept(path, again)
        if not isinstance(found, Mapping):
            raise Failed(f"{path} is no recording of this release; {again}.")
        fresh(str(found.get("taken", "")), cluster.key, again, max_age)
        return planned(cluster, found)
    except Failed as error:
        return report(cluster, {}, "error", str(error))
    except StorageError as error:
        return report(cluster, {}, "error", f"The recording {path} gives no plan: {error.sentence()}")
    except DAMAGED as error:
        why = " ".join(str(error).split()) or type(error).__name__
        return report(cluster, {}, "error", f"The recording {path} holds what no cluster answers ({why}); {again}.")


def planned(cluster: Cluster, found: Mapping[str, Any]) -> HostPlan:
    """The plan of a recorded cluster, as its control plane would make it in check mode.

    :raises StorageError: it is the recording of something else, or of a cluster that did not answer.
    """
    taken = str(found.get("taken", ""))
    wanted = Wanted.of(cluster.options)
    try:
        seen = reading.cluster(recording.answers(found, cluster.name), cluster.name)
    except Absent as error:
        return replace(report(cluster, {}, "later", error.sentence()), observed=taken)
    made = planner.needed(seen, wanted)
    notes = (*made.notes, windows.told(wanted.windows)) if made.actions and wanted.windows else made.notes
    told = {
        "digest": digest(made),
        "plan": [action.as_json() for action in made.actions],
        "identities": made.identities,
        "refusals": [refusal.sentence() for refusal in made.refusals],
        "notes": notes,
        "disks": touched(seen, made),
        "cluster": run.summary(seen, wanted),
        "lacks": planner.lacks(made),
    }
    status = "refused" if made.refusals else "changes" if made.actions else "nothing"
    return replace(report(cluster, told, status), observed=taken)
