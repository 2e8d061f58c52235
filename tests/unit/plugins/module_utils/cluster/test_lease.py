# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is dead: only then a lease may be taken over."""

from __future__ import annotations

import time

from ansible_collections.barestore.storage.plugins.module_utils.cluster.lease import identity, is_dead
from ansible_collections.barestore.storage.plugins.module_utils.cluster.state import Lease


def lease(holder: str, age: float = 0.0) -> Lease:
    renewed = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() - age))
    return Lease(holder, renewed, 120, "1")


def test_this_process_lives_however_old_its_lease() -> None:
    assert not is_dead(lease(identity(), 9999), time.time())


def test_a_process_of_this_host_that_ended_is_dead_at_once() -> None:
    host, boot, _pid, start = identity().split("/")
    assert is_dead(lease(f"{host}/{boot}/4194305/{start}"), time.time())
    assert is_dead(lease(identity() + "1"), time.time()), "the number was given to another process"
    assert is_dead(lease(f"{host}/other/1/1"), time.time()), "the host was booted since"


def test_another_host_is_dead_after_twice_its_time() -> None:
    assert not is_dead(lease("cp2/b/1/2", 239), time.time())
    assert is_dead(lease("cp2/b/1/2", 241), time.time())
