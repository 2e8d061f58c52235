# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Local volumes of OSDs that went: the disk is wiped of exactly that OSD, and the volume can be claimed again."""

from __future__ import annotations

from collections.abc import Iterator

from ...plan.model import Action, Destroys, Expect, Json
from ..commands import Commands
from ..state import Cluster, Volume
from ..wanted import Decision, Wanted
from ..wipe_job import job, job_name
from .pace import DONE

KIND = "volume"


def available(volume: str) -> str:
    """What waits for new OSDs needs: the volumes that become free are there."""
    return f"available:{volume}"


def plan(cluster: Cluster, wanted: Wanted, decision: Decision, run: Commands) -> Iterator[Action]:
    for one in decision.leavers:
        volume = one.volume
        if volume is None or not volume.path or not (one.in_map or volume.freed):
            continue
        if one.reason == "replace":
            yield _give_up(volume, one.claim, run)
        else:
            freed = f"{cluster.fsid} {one.osd} {one.uuid}"
            yield from _wipe(cluster, volume, freed, frozenset((f"free:{one.claim}",)), run)
    for volume in decision.wipes:
        if volume.serial and volume.serial in wanted.replace:
            yield _give_up(volume, "", run)
        else:
            yield from _wipe(cluster, volume, volume.freed, frozenset(), run)


def _wipe(cluster: Cluster, volume: Volume, freed: str, needs: frozenset[str], run: Commands) -> Iterator[Action]:
    fsid, number, uuid = freed.split()
    name = job_name(volume.name)
    yield Action(
        KIND,
        "wipe",
        volume.name,
        steps=(run.delete("job", name), run.create(job(cluster, volume, number, uuid))),
        before=_facts(volume, freed),
        after={"carries": ""},
        needs=needs,
        # A volume that was deleted is gone with its claim: there is nothing to free.
        provides=frozenset((f"wiped:{volume.name}", *((DONE, available(volume.name)) if volume.deleting else ()))),
        # The consent is the plan itself: it names the disk by its serial, and the OSD that must be all that is on it.
        destroys=(Destroys(consent_disk(volume), freed, f"osd.{number} ({uuid}) of Ceph cluster {fsid}"),),
        disks=(volume.serial,) if volume.serial else (),
        expects=(Expect("job_done", name),),
    )
    if volume.deleting:
        return
    yield Action(
        KIND,
        "free",
        volume.name,
        steps=(
            run.delete("job", name),
            run.free_volume(volume.name),
        ),
        before={"phase": "Released"},
        after={"phase": "Available"},
        needs=frozenset((f"wiped:{volume.name}",)),
        provides=frozenset((DONE, available(volume.name))),
        expects=(Expect("volume_available", volume.name),),
    )


def consent_disk(volume: Volume) -> str:
    """What a consent to wipe a volume's disk names: its serial; the volume itself where it has none."""
    return volume.serial or volume.name


def _give_up(volume: Volume, claim: str, run: Commands) -> Action:
    """A disk that is replaced: nothing may bind to its volume again, and nothing is written to it."""
    return Action(
        KIND,
        "remove",
        volume.name,
        steps=(run.delete("persistentvolume", volume.name),),
        before=_facts(volume, volume.freed),
        needs=frozenset((f"free:{claim}",)) if claim else frozenset(),
        provides=frozenset((DONE,)),
        expects=(Expect("volume_gone", volume.name),),
    )


def _facts(volume: Volume, freed: str) -> Json:
    return {"node": volume.node, "path": volume.path, "serial": volume.serial, "carries": freed}
