# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The digest of a plan: what a person approves and what apply compares."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from .model import Plan


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text on any machine."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def sha256(value: Any) -> str:
    return "sha256:" + hashlib.sha256(canonical(value).encode("ascii")).hexdigest()


def digest(plan: Plan) -> str:
    """``sha256:…`` over the ordered actions, with the identities they were planned for."""
    return sha256({"actions": [action.as_json() for action in plan.actions], "identities": plan.identities})
