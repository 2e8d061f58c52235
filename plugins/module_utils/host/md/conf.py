# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lines of mdadm.conf: an array that is named there comes back under its name after a boot."""

from __future__ import annotations

from ...plan.model import EditLine, Step
from ..observation import Observation, ReadFile, StatPath

# Debian's mdadm reads the first and the RHEL family's the second; each brings what tells them apart.
_DEBIAN, _OTHER = "/etc/mdadm/mdadm.conf", "/etc/mdadm.conf"
_FOLDER = StatPath("/etc/mdadm")


def edit(observation: Observation, name: str, uuid: str) -> tuple[Step, ...]:
    """The step that makes the line of an array ours; none when it is. ``uuid`` is in mdadm's spelling."""
    path = _DEBIAN if observation.ask(_FOLDER) else _OTHER
    wanted = f"ARRAY /dev/md/{name} metadata=1.2 UUID={uuid}"
    for line in (observation.ask(ReadFile(path)) or "").splitlines():
        words = line.split()
        if words and words[0] == "ARRAY" and f"uuid={uuid}" in line.lower().split():
            return () if words[1] == f"/dev/md/{name}" else (EditLine(path, line, wanted),)
    return (EditLine(path, None, wanted),)
