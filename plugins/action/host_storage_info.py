# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Validates the document on the controller before the module travels to the host."""

from __future__ import annotations

from ..plugin_utils.checked_action import CheckedAction


class ActionModule(CheckedAction):
    """The action of ``host_storage_info``."""
