# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which tools a document needs, and which package brings each on this host. Pure: files come in as texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .carriers import carriers
from .normal_form import long_form

ZFS_MODULE = "zfs.ko"
"""Not a tool but a part of the kernel; a package brings it all the same."""

_TOOLS = {
    "util-linux": ("lsblk", "partx", "wipefs", "blkid", "mkswap", "swapon", "swapoff"),
    "mount": ("mount", "umount"),
    "fdisk": ("sfdisk",),
    "e2fsprogs": ("mkfs.ext4", "resize2fs", "e2fsck", "tune2fs"),
    "xfsprogs": ("mkfs.xfs", "xfs_growfs", "xfs_admin", "xfs_io"),
    "dosfstools": ("mkfs.vfat", "fatlabel"),
    "thin-provisioning-tools": ("thin_check", "cache_check"),
    "lvm2": (
        *("lvm", "pvcreate", "pvresize", "pvmove", "pvremove", "vgcreate", "vgextend", "vgreduce", "vgchange"),
        *("lvcreate", "lvextend", "lvreduce", "lvconvert", "lvchange"),
    ),
    "zfsutils-linux": ("zpool", "zfs", "zdb", "zgenhostid"),
    "zfs-dkms": (ZFS_MODULE,),
    "mdadm": ("mdadm",),
    "cryptsetup": ("cryptsetup",),
    # Where crypttab is read at boot, in Debian 13 a package of its own; older systems have it in systemd.
    "systemd-cryptsetup": ("systemd-cryptenroll",),
    "clevis-luks": ("clevis",),
    "systemd": ("systemctl",),
    "udev": ("udevadm",),
    "kmod": ("modprobe",),
}
_BY_TOOL = {tool: package for package, tools in _TOOLS.items() for tool in tools}

# Debian's names are used where a family has no other; {kernel} is the release of the kernel that runs.
_NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "debian": {
        "zfs-dkms": ("linux-headers-{kernel}", "zfs-dkms"),
        "clevis-luks": ("clevis-luks", "clevis-systemd"),
    },
    # Ubuntu builds ZFS with its kernels.
    "ubuntu": {"zfs-dkms": ("linux-modules-{kernel}",), "clevis-luks": ("clevis-luks", "clevis-systemd")},
    # ZFS comes from the repository of the OpenZFS project, tools and module in one.
    "rhel": {
        "mount": ("util-linux",),
        "fdisk": ("util-linux",),
        "thin-provisioning-tools": ("device-mapper-persistent-data",),
        "zfsutils-linux": ("zfs",),
        "zfs-dkms": ("kernel-devel-{kernel}", "zfs-dkms"),
        "udev": ("systemd-udev",),
        "systemd-cryptsetup": ("systemd-udev",),
        "clevis-luks": ("clevis-luks", "clevis-systemd"),
    },
}


def needed(document: Mapping[str, Any]) -> frozenset[str]:
    """The tools without which a document can be neither compared with its host nor made true."""
    return frozenset(_needed(long_form(document)))


def _needed(document: Mapping[str, Any]) -> Iterator[str]:
    if document.get("partitions"):
        yield "sfdisk"
    if document.get("md"):
        yield "mdadm"
    for encrypted in document.get("luks", {}).values():
        yield from ("cryptsetup", "systemd-cryptenroll", *(("clevis",) if "clevis" in encrypted else ()))
    for one in carriers(document):
        if one.filesystem:
            yield f"mkfs.{one.filesystem['type']}"
    for group in document.get("lvm", {}).values():
        yield "lvm"
        if group.get("thin_pools") or any("cache" in volume for volume in group.get("volumes", {}).values()):
            yield from ("thin_check", "cache_check")
    if document.get("zfs"):
        yield from ("zpool", "zfs", ZFS_MODULE)


def family(os_release: str) -> str:
    """Whose package names a host uses, by its /etc/os-release; Debian's where nobody knows."""
    values = dict(line.partition("=")[::2] for line in os_release.splitlines())
    words = f"{values.get('ID', '')} {values.get('ID_LIKE', '')}".replace('"', "").replace("'", "").split()
    known = {"ubuntu": "ubuntu", "debian": "debian", "rhel": "rhel", "fedora": "rhel", "centos": "rhel"}
    return next((known[word] for word in words if word in known), "debian")


def packages_of(tool: str, of: str = "debian", kernel: str = "") -> tuple[str, ...]:
    """The packages that bring a tool to a host of a family; the tool's own name where nobody knows."""
    package = _BY_TOOL.get(tool, tool)
    return tuple(name.format(kernel=kernel) for name in _NAMES[of].get(package, (package,)))
