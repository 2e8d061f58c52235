# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many examples: ``BARESTORE_EXAMPLES=2000 make property`` looks longer; CI=true repeats the same ones."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile(
    "barestore",
    max_examples=int(os.environ.get("BARESTORE_EXAMPLES", "200")),
    deadline=None,
    derandomize=os.environ.get("CI", "").lower() == "true",
    suppress_health_check=_SLOW,
    print_blob=True,
    report_multiple_bugs=False,
)
settings.load_profile("barestore")
