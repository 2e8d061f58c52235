# SPDX-License-Identifier: GPL-3.0-or-later
"""Three documents after one another, each run perhaps stopped: the host is what the last one says, and lost no byte.

``BARESTORE_SEQUENCES=1000 pytest tests/property/test_sequences.py`` looks longer.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sequences import Sequence, sequences
from simulated_host import SimulatedHost
from test_convergence import converged, finish, planned
from wanted import differences
from witness import held, lost

from ansible_collections.barestore.storage.plugins.plugin_utils.validation import validate

EXAMPLES = int(os.environ.get("BARESTORE_SEQUENCES", os.environ.get("BARESTORE_EXAMPLES", "200")))


@settings(max_examples=EXAMPLES)
@given(sequences(), st.data())
def test_the_end_is_what_the_last_document_says_and_nothing_is_lost(sequence: Sequence, data: st.DataObject) -> None:
    host = SimulatedHost(sequence.disks)
    for step in sequence.steps:
        assert [finding.sentence() for finding in validate(step.document)] == []
        host.plug(step.plugged)
        before = held(host)
        _stopped_somewhere(host, step.document, data)
        finish(host, step.document)
        while any(array.work for array in host.md.arrays):
            # What an array is busy with ends, and the next run does what had to wait for that.
            for array in host.md.arrays:
                host.md.finish(array)
            finish(host, step.document)
        converged(host, step.document)
        assert lost(before, host) == []
        assert differences(host, step.document) == []


def _stopped_somewhere(host: SimulatedHost, document: dict[str, Any], data: st.DataObject) -> None:
    plan = planned(host, document)
    stop = data.draw(st.integers(0, len(plan.actions)), label="actions done")
    for action in plan.actions[:stop]:
        host.run(action)
    if stop < len(plan.actions):
        steps = plan.actions[stop].steps
        for step in steps[: data.draw(st.integers(0, len(steps)), label="steps done of the next action")]:
            host.step(step, plan.actions[stop])
