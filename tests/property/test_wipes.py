# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Disks that carry something: refused with the line that consents, wiped with it once, and finished after any kill."""

from __future__ import annotations

import re
from typing import Any

import yaml
from disk_sets import Draw
from documents import Case, cases
from hypothesis import given
from hypothesis import strategies as st
from simulated_block import MIB, Content, Node, Partition, Table
from simulated_host import SITE, SimulatedHost

from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Plan, Zero

LINE = re.compile(r"below wipe: (- \{.*\})\.$")
OLD = Action("test", "make", "old", steps=())
_TYPE = "0fc63daf-8483-4772-8e79-3d69d8477de4"
_UUID = "7e57ab1e-0000-4000-8000-0000000000{:02x}"


def carry(host: SimulatedHost, on: dict[int, str]) -> None:
    """Put on blank disks what no document of ours asks for."""
    for number, kind in on.items():
        _carry(host, host.nodes[number], kind, number)
    host.fresh.clear()


def _carry(host: SimulatedHost, node: Node, kind: str, number: int) -> None:
    uuid = _UUID.format(number)
    if kind == "pv":
        pvcreate = ("--uuid", uuid, "--norestorefile", "--dataalignment", f"{MIB}b", "--dataalignmentoffset", "0")
        host.command(("pvcreate", *pvcreate, node.links[0]), "", OLD)
        host.command(("vgcreate", "--physicalextentsize", f"{4 * MIB}b", f"old{number}", node.links[0]), "", OLD)
        options = ("--type", "linear", "--extents", "1", "--name", "left", "--yes")
        host.command(("lvcreate", *options, f"old{number}"), "", OLD)
    elif kind == "gpt":
        node.table = Table(uuid, [Partition(1, 2048, MIB * 4 // node.sector, _TYPE, uuid, "old")])
        host.read_table(node)
        node.table.nodes[0].content = Content("btrfs", uuid)
    else:
        node.content = Content(kind, uuid, "old")


KINDS = ("pv", "gpt", "btrfs", "bcache", "linux_raid_member")


@st.composite
def carrying(draw: Draw[Any], case: Case) -> dict[int, str]:
    """The kind of what some of the disks carry, by their place."""
    # A document with arrays takes an array that lies on its disks for its own, and starts it.
    known = [kind for kind in KINDS if kind != "linux_raid_member" or "md" not in case.document]
    kinds = {number: draw(st.sampled_from(("", *known))) for number, one in enumerate(case.disks) if not one.system}
    return {number: kind for number, kind in kinds.items() if kind}


def lines(plan: Plan) -> list[dict[str, str]]:
    """The consents that refusals ask for, as a person pastes them."""
    found = [LINE.search(refusal.sentence()) for refusal in plan.refusals]
    assert all(found), [refusal.sentence() for refusal in plan.refusals]
    return [entry for one in found if one for entry in yaml.safe_load(one[1])]


def consented(wipe: list[dict[str, str]]) -> Site:
    return Site(SITE.name, SITE.host, {"wipe": wipe})


def run_partly(host: SimulatedHost, plan: Plan, data: st.DataObject) -> None:
    """Until anywhere in the plan: between actions, between steps, or within the zeroing of a disk."""
    stop = data.draw(st.integers(0, len(plan.actions)), label="actions done")
    for action in plan.actions[:stop]:
        host.run(action)
    for action in plan.actions[stop : stop + 1]:
        left = data.draw(st.integers(0, len(action.steps)), label="steps done of the next action")
        for step in action.steps[:left]:
            host.step(step, action)
        for step in action.steps[left : left + 1]:
            if isinstance(step, Zero):
                host.zero(step, action, data.draw(st.integers(0, len(step.parts)), label="parts zeroed"))


@given(cases(), st.data())
def test_refused_then_consented_then_killed_then_finished(case: Case, data: st.DataObject) -> None:
    host = SimulatedHost(case.disks)
    on = data.draw(carrying(case), label="contents")
    carry(host, on)
    refused = host.plan(case.document)
    wipe = lines(refused)
    if not wipe:
        assert refused.actions
        return
    site = consented(wipe)
    plan = host.plan(case.document, site)
    assert not plan.refusals, [one.sentence() for one in plan.refusals]
    assert sum(action.verb == "wipe" for action in plan.actions) == len(wipe)
    run_partly(host, plan, data)
    rest = host.plan(case.document, site)
    assert not rest.refusals, [one.sentence() for one in rest.refusals]
    for action in rest.actions:
        host.run(action)
    done = host.plan(case.document, site)
    if rest.is_first_part:
        for action in done.actions:
            host.run(action)
        done = host.plan(case.document, site)
    assert (done.actions, done.refusals) == ((), ())


@given(cases(), st.data())
def test_a_consent_holds_for_one_disk_one_content_and_once(case: Case, data: st.DataObject) -> None:
    host = SimulatedHost(case.disks)
    on = data.draw(carrying(case), label="contents")
    carry(host, on)
    wipe = lines(host.plan(case.document))
    if not wipe:
        return
    which = data.draw(st.integers(0, len(wipe) - 1), label="consent left out or swapped")
    contents = {one["contents"] for one in wipe} - {wipe[which]["contents"]}
    swapped = [{**wipe[which], "contents": data.draw(st.sampled_from(sorted(contents)))}] if contents else []
    for given_ in ([*wipe[:which], *wipe[which + 1 :]], [*wipe[:which], *swapped, *wipe[which + 1 :]]):
        again = lines(host.plan(case.document, consented(given_)))
        assert again == [wipe[which]]
    for action in host.plan(case.document, consented(wipe)).actions:
        host.run(action)
    # The same contents on the same disk once more: what was said about the first does not hold for them.
    used = SimulatedHost(case.disks)
    used.files.update({path: text for path, text in host.files.items() if path.startswith("/var/lib/barestore/")})
    carry(used, on)
    new = lines(used.plan(case.document, consented(wipe)))
    assert [one.get("serial", one.get("wwn")) for one in new] == [one.get("serial", one.get("wwn")) for one in wipe]
    assert not {one["contents"] for one in new} & {one["contents"] for one in wipe}
