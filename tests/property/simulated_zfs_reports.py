# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``zpool status -P``, ``zpool get`` and ``zfs get`` of a simulated host, as OpenZFS 2.3.9 prints them."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from simulated_block import ToolFailure, require

if TYPE_CHECKING:
    from simulated_zfs import Dataset, Pool, Vdev

_POOL = {
    "size": "8053063680", "health": "ONLINE", "altroot": "-", "version": "-", "bootfs": "-", "delegation": "on",
    "autoreplace": "off", "cachefile": "-", "failmode": "wait", "listsnapshots": "off", "autoexpand": "off",
    "readonly": "off", "ashift": "0", "comment": "-", "expandsize": "-", "multihost": "off", "autotrim": "off",
    "compatibility": "off", "feature@async_destroy": "enabled", "feature@lz4_compress": "active",
}  # fmt: skip
# Default, and whether a child inherits it.
_BOTH = {
    "checksum": ("on", True), "compression": ("on", True), "copies": ("1", True), "readonly": ("off", True),
    "primarycache": ("all", True), "secondarycache": ("all", True), "logbias": ("latency", True),
    "sync": ("standard", True), "dedup": ("off", True), "reservation": ("0", False), "refreservation": ("0", False),
    "redundant_metadata": ("all", True), "snapdev": ("hidden", True), "volmode": ("default", True),
    "encryption": ("off", True), "keyformat": ("none", False), "keylocation": ("none", False),
}  # fmt: skip
_FILESYSTEM = {
    "atime": ("on", True), "relatime": ("on", True), "recordsize": ("131072", True), "quota": ("0", False),
    "refquota": ("0", False), "exec": ("on", True), "setuid": ("on", True), "devices": ("on", True),
    "xattr": ("on", True), "acltype": ("off", True), "aclinherit": ("restricted", True), "snapdir": ("hidden", True),
    "canmount": ("on", False), "dnodesize": ("legacy", True), "special_small_blocks": ("0", True),
    "overlay": ("on", True), "casesensitivity": ("sensitive", False),
}  # fmt: skip
_VOLUME = {"volblocksize": ("16384", False)}
_SIZES = ("recordsize", "volblocksize", "quota", "refquota", "reservation", "refreservation", "special_small_blocks")
_ALIASES = {
    "compression": {"gzip-6": "gzip"}, "acltype": {"posixacl": "posix", "noacl": "off"}, "xattr": {"sa": "on"},
    "aclinherit": {"secure": "restricted"},
}  # fmt: skip
_HEADINGS = {"special": "special", "dedup": "dedup", "log": "logs", "cache": "cache", "spare": "spares"}


def value_of(key: str, value: str) -> str:
    """What ZFS keeps of a value that it is given."""
    known = {**_BOTH, **_FILESYSTEM, **_VOLUME}
    require(key in known or key == "mountpoint" or ":" in key, f"invalid property '{key}'")
    if key in _SIZES:
        if value == "none":
            return "0"
        match = re.fullmatch(r"(\d+)([KMGT]?)", value)
        if match is None:
            raise ToolFailure(f"bad numeric value '{value}' for {key}")
        return str(int(match[1]) * 1024 ** " KMGT".index(match[2] or " "))
    return _ALIASES.get(key, {}).get(value, value)


def status(pool: Pool) -> str:
    """One pool; a vdev's number counts all top-level vdevs."""
    rows = [("NAME", "STATE     READ WRITE CKSUM"), (pool.name, "ONLINE       0     0     0")]
    numbers = {id(vdev): number for number, vdev in enumerate(_top(pool))}
    for role in ("data", *_HEADINGS):
        here = [vdev for vdev in pool.vdevs if vdev.role == role]
        if role != "data" and (here or (role == "spare" and _distributed(pool))):
            rows.append((_HEADINGS[role], ""))
        state = "AVAIL   " if role == "spare" else "ONLINE       0     0     0"
        if role == "spare":
            rows += [(f"  {name}", state) for name in _distributed(pool)]
        for vdev in here:
            if vdev.kind == "stripe":
                rows += [(f"  {vdev.names[0]}", state)] if role == "spare" else _place(pool, vdev.names[0], 0, "  ")
                continue
            rows.append((f"  {vdev.kind}-{numbers[id(vdev)]}", state))
            for place, name in enumerate(vdev.names):
                rows += _place(pool, name, place, "    ")
    width = max(len(name) for name, _ in rows) + 2
    table = "".join(f"\t{name:<{width}}{state}\n" for name, state in rows)
    scan = "  scan: resilver in progress since Sat Nov 21 10:56:11 2026\n\t1M resilvered, 12.30% done, 00:00:21 to go\n"
    scan = scan if pool.filling else ""
    health = "DEGRADED" if pool.lost else "ONLINE"
    return f"  pool: {pool.name}\n state: {health}\n{scan}config:\n\n{table}\nerrors: No known data errors\n"


def number_of(name: str) -> str:
    """The GUID of a leaf."""
    return str(int(hashlib.sha256(name.encode()).hexdigest()[:15], 16))


def _place(pool: Pool, name: str, place: int, indent: str) -> list[tuple[str, str]]:
    """A device, or the two of a place in which one comes for another; one that is lost is a number."""

    def leaf(name: str, indent: str) -> tuple[str, str]:
        if name in pool.lost:
            return f"{indent}{number_of(name)}", f"UNAVAIL      0     0     0  was {name}"
        return f"{indent}{name}", "ONLINE       0     0     0"

    if name not in pool.filling:
        return [leaf(name, indent)]
    old = leaf(pool.filling[name], f"{indent}  ")
    new = f"{indent}  {name}", "ONLINE       0     0     0  (resilvering)"
    return [(f"{indent}replacing-{place}", "ONLINE       0     0     0"), old, new]


def _top(pool: Pool) -> list[Vdev]:
    return [vdev for vdev in pool.vdevs if vdev.role not in ("cache", "spare")]


def _distributed(pool: Pool) -> list[str]:
    """The spares inside dRAID vdevs."""
    out = []
    for number, vdev in enumerate(_top(pool)):
        match = re.fullmatch(r"(draid\d):.*:(\d+)s", vdev.kind)
        out += [f"{match[1]}-{number}-{spare}" for spare in range(int(match[2]))] if match else []
    return out


def pool_rows(pool: Pool) -> str:
    rows = {**{key: (value, "default") for key, value in _POOL.items()}}
    rows.update({key: (value or "-", "local") for key, value in pool.properties.items()})
    return "".join(f"{pool.name}\t{key}\t{value}\t{source}\n" for key, (value, source) in rows.items())


def dataset_rows(pool: Pool, wanted: list[str]) -> str:
    """One row for each property that was named; a dash where a dataset has no such property."""
    out = ""
    for name in sorted(pool.datasets, key=lambda name: name.split("/")):
        one = pool.datasets[name]
        for key in wanted:
            value, source = row_of(pool, one, key) or ("-", "-")
            out += f"{name}\t{key}\t{value}\t{source}\n"
    return out


def row_of(pool: Pool, one: Dataset, key: str) -> tuple[str, str] | None:
    """What holds for a dataset, and from where."""
    if key == "type":
        return ("volume" if one.volsize else "filesystem"), "-"
    if key == "encryptionroot":
        return "-", "-"
    if key == "keystatus":
        return None
    if key == "mounted":
        return None if one.volsize else (("yes" if one.mounted else "no"), "-")
    if key == "volsize":
        return (str(one.volsize), "local") if one.volsize else None
    if key == "mountpoint":
        return None if one.volsize else _mountpoint(pool, one)
    known = {**_BOTH, **(_VOLUME if one.volsize else _FILESYSTEM)}
    if key not in known and ":" not in key:
        require(key in {**_VOLUME, **_FILESYSTEM}, f"invalid property '{key}'")
        return None
    default, inherits = known.get(key, ("-", True))
    if key in one.properties:
        return one.properties[key], "local"
    for above in _above(pool, one) if inherits else ():
        if key in above.properties:
            return above.properties[key], f"inherited from {above.name}"
    return default, "-" if default == "-" else "default"


def _mountpoint(pool: Pool, one: Dataset) -> tuple[str, str]:
    if "mountpoint" in one.properties:
        return one.properties["mountpoint"], "local"
    for above in _above(pool, one):
        if "mountpoint" in above.properties:
            base = above.properties["mountpoint"]
            path = base if base in ("none", "legacy") else f"{base.rstrip('/')}{one.name[len(above.name) :]}"
            return path, f"inherited from {above.name}"
    return f"/{one.name}", "default"


def _above(pool: Pool, one: Dataset) -> list[Dataset]:
    parts = one.name.split("/")
    return [pool.datasets["/".join(parts[:end])] for end in range(len(parts) - 1, 0, -1)]
