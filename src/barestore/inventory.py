# SPDX-License-Identifier: GPL-3.0-or-later
"""Which inventory is meant, where nobody says so."""

from __future__ import annotations

from pathlib import Path

from barestore.errors import Failed

_LAB = Path("inventories/lab")


def chosen(given: Path | None) -> Path:
    """The given inventory, else that of Ansible's configuration, else the lab's.

    :raises Failed: there is none.
    """
    from ansible import constants

    if given is not None:
        return _there(given)
    configured = [Path(str(each)) for each in constants.DEFAULT_HOST_LIST]
    if len(configured) > 1:
        raise Failed(
            f"Ansible's configuration names {len(configured)} inventories ({', '.join(map(str, configured))}); "
            "name one with -i."
        )
    if not configured or not configured[0].exists():
        return _there(_LAB)
    return configured[0].absolute()


def _there(path: Path) -> Path:
    if not path.exists():
        raise Failed(f"There is no inventory {path}; name one with -i, or in ansible.cfg as 'inventory'.")
    return path.absolute()
