# SPDX-License-Identifier: GPL-3.0-or-later
"""The exit codes of the command: the one place that says what each means."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of the command."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    REFUSED = 3


MEANING = {
    Exit.DONE: "nothing to do, or done",
    Exit.ERROR: "an error: a mistake in a document, an unreachable host, a failed action, a host that was not begun",
    Exit.CHANGES: "changes are planned, now or later, hosts differ from their inventory, or an audit found something",
    Exit.REFUSED: "a host is refused",
}
WORST = "With several hosts an error outweighs a refusal, and a refusal outweighs changes. Clusters count as hosts do."
# The same on one line, for --help.
LINE = "Exit codes: 0 nothing to do or done, 1 error, 2 changes planned, 3 refused."
