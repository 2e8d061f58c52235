# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Devices that come into vdevs of a simulated pool and leave them: replace, attach, detach, remove, online."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from simulated_block import ToolFailure, require
from simulated_zfs_reports import number_of

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action

if TYPE_CHECKING:
    from simulated_zfs import Pool, Vdev, Zfs


def finish(pool: Pool, zfs: Zfs) -> None:
    """Every resilver ends, and the old devices leave."""
    for old in pool.filling.values():
        _free(zfs, pool, old)
    pool.filling.clear()


def lose(pool: Pool, names: Sequence[str]) -> None:
    """Devices vanish."""
    held = {name for vdev in pool.vdevs for name in vdev.names} | set(pool.filling.values())
    pool.lost |= held & set(names)


def _replace(zfs: Zfs, pool: Pool, words: Sequence[str], action: Action) -> None:
    old, new = words
    vdev, name = _leaf(zfs, pool, old)
    require(vdev.role not in ("cache", "spare"), f"{action.id}: {old} is a cache or a spare")
    require(name not in pool.filling, f"{action.id}: {old} is being filled")
    come = zfs.label(new, action)
    zfs.take(pool, come)
    vdev.names[vdev.names.index(name)] = come
    pool.filling[come] = name


def _attach(zfs: Zfs, pool: Pool, words: Sequence[str], action: Action) -> None:
    vdev, _name = _leaf(zfs, pool, words[0])
    require(vdev.kind in ("mirror", "stripe"), f"{action.id}: can only attach to mirrors and top-level disks")
    come = zfs.label(words[1], action)
    zfs.take(pool, come)
    vdev.kind = "mirror"
    vdev.names.append(come)


def _detach(zfs: Zfs, pool: Pool, words: Sequence[str], action: Action) -> None:
    vdev, name = _leaf(zfs, pool, words[0])
    require(vdev.kind == "mirror", f"{action.id}: only applicable to mirror and replacing vdevs")
    left = [one for one in vdev.names if one != name]
    require(not set(left) & (pool.lost | set(pool.filling)), f"{action.id}: no valid replicas")
    require(action.irreversible, f"{action.id}: nobody consented")
    vdev.names, vdev.kind = left, "mirror" if len(left) > 1 else "stripe"
    _free(zfs, pool, name)


def _remove(zfs: Zfs, pool: Pool, words: Sequence[str], action: Action) -> None:
    vdev, _name = _leaf(zfs, pool, words[0])
    require(vdev.role in ("log", "cache", "spare"), f"{action.id}: {words} holds data")
    require(vdev.kind == "stripe", f"{action.id}: {words} is one of several")
    pool.vdevs.remove(vdev)
    for name in vdev.names:
        _free(zfs, pool, name)


def _online(zfs: Zfs, pool: Pool, words: Sequence[str], action: Action) -> None:
    _vdev, name = _leaf(zfs, pool, words[0])
    require(zfs.host.find(name), f"{action.id}: {words} is not there")
    pool.lost.discard(name)


def _leaf(zfs: Zfs, pool: Pool, word: str) -> tuple[Vdev, str]:
    """zpool knows a whole disk by its own name and no other, a lost device by its number."""
    for vdev in pool.vdevs:
        for name in vdev.names:
            known = number_of(name) if name in pool.lost else name[: -len("-part1")] if name in zfs.whole else name
            if word == known:
                return vdev, name
    raise ToolFailure(f"no such device in pool: {word}")


def _free(zfs: Zfs, pool: Pool, name: str) -> None:
    """Its label goes, and it is free."""
    pool.lost.discard(name)
    node = zfs.host.find(name)
    if node is None:
        return
    for one in (node, *node.parents):
        one.users.discard("zfs")
    node.content = None


VERBS: Mapping[str, Callable[[Zfs, Pool, Sequence[str], Action], None]] = {
    "replace": _replace,
    "attach": _attach,
    "detach": _detach,
    "remove": _remove,
    "online": _online,
}
