# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tools of a simulated host that mount, own, grow and label what is there: what each argv does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import simulated_filesystems as filesystems
from simulated_block import Folder, Node, require

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action

if TYPE_CHECKING:
    from simulated_host import SimulatedHost


def _mkdir(host: SimulatedHost, words: list[str], action: Action) -> None:
    require(words[0] == "--parents" and len(words) == 2, f"mkdir does not know {words}")
    host.mkdir(words[1])


def _mount(host: SimulatedHost, words: list[str], action: Action) -> None:
    path = words[-1]
    rows = [line.split() for line in host.files["/etc/fstab"].splitlines()]
    row = next((one for one in rows if len(one) == 6 and one[1] == path), None)
    require(row is not None, f"{action.id}: mount: can't find {path} in /etc/fstab")
    assert row is not None
    node = host.uuid(row[0], action)
    if words[:-1] == ["--options", "remount"]:
        require(host.mounts.get(path) is node, f"{action.id}: {path} is not mounted")
        return
    require(len(words) == 1, f"mount does not know {words}")
    require(host.home(path) in host.folders, f"{action.id}: mount point {path} does not exist")
    require(path not in host.mounts and not node.users, f"{action.id}: {path} or {node.path} is mounted already")
    require(node.content and node.content.type == row[2], f"{action.id}: wrong fs type for {path}")
    require(all(row[3].split(",")), f"{action.id}: empty mount option in {row[3]!r}")
    host.mounts[path] = node
    node.users.add("mount")
    host.folders.setdefault((node.kname, path), Folder())


def _umount(host: SimulatedHost, words: list[str], action: Action) -> None:
    (path,) = words
    require(path in host.mounts, f"umount: {path}: not mounted")
    require(not any(one.startswith(f"{path}/") for one in host.mounts), f"umount: {path}: target is busy")
    host.mounts.pop(path).users.discard("mount")


def _swapon(host: SimulatedHost, words: list[str], action: Action) -> None:
    options = [word for word in words[:-1] if not word.isdigit()]
    require(set(options) <= {"--priority", "--discard", "--options"}, f"swapon does not know {words}")
    node = host.uuid(words[-1], action)
    require(node.content and node.content.type == "swap" and not node.users, f"swapon: {words} failed")
    node.users.add("swap")
    host.swaps.append(node)


def _chown(host: SimulatedHost, words: list[str], action: Action) -> None:
    owner, _colon, group = words[0].partition(":")
    for name in filter(None, (owner, group)):
        require(name in host.accounts or name.isdigit(), f"chown: invalid user {name}")
    folder = host.folders[host.home(words[1])]
    folder.owner = host.accounts.get(owner, owner) or folder.owner
    folder.group = host.accounts.get(group, group) or folder.group


def _chmod(host: SimulatedHost, words: list[str], action: Action) -> None:
    host.folders[host.home(words[1])].mode = f"{int(words[0], 8):04o}"


def _partx(host: SimulatedHost, words: list[str], action: Action) -> str:
    require(words[0] == "--update" and len(words) == 2, f"partx does not know {words}")
    return host.read_table(host.device(words[1], action))


def _systemctl(host: SimulatedHost, words: list[str], action: Action) -> None:
    require(words == ["daemon-reload"], f"systemctl does not know {words}")


def _e2fsck(host: SimulatedHost, words: list[str], action: Action) -> None:
    node = host.device(words[-1], action)
    require(words[:-1] == ["-f", "-p"] and not node.users and node.content, f"e2fsck {words}: in use")
    assert node.content is not None
    node.content.geometry["checked"] = True


def _resize2fs(host: SimulatedHost, words: list[str], action: Action) -> None:
    node = host.device(words[0], action)
    if len(words) == 2:
        require(words[1].endswith("K") and not node.users, f"resize2fs {words}: on-line shrinking not supported")
        filesystems.resize2fs(node, int(words[1][:-1]) * 1024)
        return
    filesystems.resize2fs(node)


def _xfs_growfs(host: SimulatedHost, words: list[str], action: Action) -> None:
    require(words[-1] in host.mounts, f"xfs_growfs: {words[-1]} is not a mounted XFS filesystem")
    filesystems.xfs_growfs(host.mounts[words[-1]])


def _tune2fs(host: SimulatedHost, words: list[str], action: Action) -> None:
    require(words[0] == "-L", f"tune2fs does not know {words}")
    _relabel(host.device(words[2], action), "ext4", words[1])


def _xfs_admin(host: SimulatedHost, words: list[str], action: Action) -> None:
    node = host.device(words[2], action)
    require(words[0] == "-L" and not node.users, f"xfs_admin {words}")
    _relabel(node, "xfs", words[1])


def _xfs_io(host: SimulatedHost, words: list[str], action: Action) -> None:
    require(words[0] == "-c" and words[1].startswith("label -s "), f"xfs_io does not know {words}")
    _relabel(host.mounts[words[2]], "xfs", words[1][len("label -s ") :])


def _fatlabel(host: SimulatedHost, words: list[str], action: Action) -> None:
    _relabel(host.device(words[0], action), "vfat", words[1])


def _relabel(node: Node, kind: str, label: str) -> None:
    require(node.content is not None and node.content.type == kind, f"no {kind} on {node.path}")
    assert node.content is not None
    node.content.label = label


TOOLS: Mapping[str, Callable[[SimulatedHost, list[str], Action], str | None]] = {
    "mkdir": _mkdir,
    "mount": _mount,
    "swapon": _swapon,
    "umount": _umount,
    "chown": _chown,
    "chmod": _chmod,
    "partx": _partx,
    "systemctl": _systemctl,
    "e2fsck": _e2fsck,
    "resize2fs": _resize2fs,
    "xfs_growfs": _xfs_growfs,
    "tune2fs": _tune2fs,
    "xfs_admin": _xfs_admin,
    "xfs_io": _xfs_io,
    "fatlabel": _fatlabel,
}
