# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Claims of OSDs: marked first, so that a run that was killed is continued with the same OSDs; deleted last."""

from __future__ import annotations

from collections.abc import Iterator

from ...plan.model import Action, Expect
from ..commands import Commands
from ..state import LEAVING, Cluster
from ..wanted import Decision, Wanted
from .pace import SET

KIND = "claim"


def plan(cluster: Cluster, wanted: Wanted, decision: Decision, run: Commands) -> Iterator[Action]:
    for one in decision.leavers:
        if not one.marked:
            yield Action(
                KIND,
                "mark",
                one.claim,
                steps=(run.annotate("persistentvolumeclaim", one.claim, LEAVING, one.mark),),
                after={"leaving": one.mark},
                needs=frozenset((SET,)),
                provides=frozenset((f"marked:{one.claim}",)),
                expects=(Expect("marked", one.claim, one.mark),),
            )
        steps = [run.detach(one.claim)] if one.owned and one.osd < 0 else []
        if one.job:
            steps.append(run.delete("job", one.job))
        steps.append(run.delete("persistentvolumeclaim", one.claim))
        yield Action(
            KIND,
            "delete",
            one.claim,
            steps=tuple(steps),
            before={"volume": one.volume.name if one.volume else "", "device_set": one.device_set},
            needs=frozenset((f"marked:{one.claim}", f"purged:{one.claim}"))
            | (frozenset() if one.detached else {f"count:{one.device_set}"}),
            provides=frozenset((f"free:{one.claim}", f"replaced:{one.device_set}")),
            expects=(Expect("claim_gone", one.claim),),
        )
