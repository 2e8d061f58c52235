# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles make on a Kubernetes, as the look before them has it."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))

from site_cases import facts_of  # noqa: E402

from ansible_collections.barestore.storage.plugins.module_utils.cluster.differences import Seen  # noqa: E402
from ansible_collections.barestore.storage.plugins.plugin_utils.planned_objects import parts, planned  # noqa: E402

SITE = Path(__file__).parent / "cases" / "sites" / "whole.yml"
NOTHING = Seen((), (), {}, {}, {}, {})


@pytest.mark.parametrize("over", [{}, {"csi": {"ours": True}, "image": {"tag": "ours"}}])
def test_values_of_the_site_go_over_those_of_the_operator(over: dict[str, dict[str, object]]) -> None:
    """As the role ``rook`` combines them: else its release would always differ."""
    site = facts_of(yaml.safe_load(SITE.read_text()))
    own = planned("operator_values", site)
    wanted = copy.deepcopy(own)
    for name, values in over.items():
        wanted[name] = {**wanted.get(name, {}), **values}
    [release] = [
        one
        for part in parts(site, NOTHING, {}, over)
        for one in part.releases
        if (part.role, one.name) == ("rook", "rook-ceph")
    ]
    assert release.values == wanted
    assert own == planned("operator_values", site)
