# SPDX-License-Identifier: GPL-3.0-or-later
"""Invalid documents made of valid ones: each part is broken in each way in which people break it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]

# Keys that are names given by people; a misspelt one is another name and not a mistake by itself.
_FREE = {
    "disks",
    "partitions",
    "md",
    "luks",
    "lvm",
    "thin_pools",
    "volumes",
    "zfs",
    "datasets",
    "filesystems",
    "swap",
    "local_volumes",
}
_PROPERTIES = {"properties", "filesystem_properties"}
# The same of the documents of a site; what stands below images, labels and settings is free as a whole.
_FREE_OF_SITES = {
    "clusters",
    "device_sets",
    "pools",
    "storage_classes",
    "filesystems",
    "data_pools",
    "object_stores",
    "bucket_classes",
    "device_classes",
    "groups",
    "labels",
    "config",
    "images",
}
_SITE = {"ceph", "kubernetes", "sources", "topolvm"}


_WORDS = {"type", "use", "mode", "size_policy", "discards", "storage_class", "thin_pool", "device", "source"}
_WORDS_OF_SITES = {
    "failure_domain",
    "device_class",
    "volume_group",
    "pool",
    "object_store",
    "filesystem",
    "reclaim",
    "plugin",
    "pace",
}
_WORDS_OF_SITES |= {"plugin", "version", "rook", "pod_cidr", "service_cidr", "address", "from", "effect", "compression"}


@dataclass(frozen=True)
class Mutation:
    """A document with one mistake, and where it was made."""

    name: str
    document: dict[str, Any]
    path: Path

    def kind(self) -> str:
        """The mistake without the names that people chose: one of each is enough."""
        steps = [
            "*" if isinstance(step, int) or _is_name(self.path[: end + 1]) else step
            for end, step in enumerate(self.path)
        ]
        return f"{self.name.split(' at ')[0].split(' of ')[0]} at {steps}"


def mutations(document: Mapping[str, Any]) -> Iterator[Mutation]:
    """Every mechanical mistake."""
    for path, value in _walk(document, ()):
        if not path:
            continue
        yield from _types(document, path, value)
        if isinstance(path[-1], str) and not _is_free(path):
            yield _misspelt(document, path)
        if isinstance(value, list) and value and not _holds_mappings(value) and path[-1] != "options":
            yield _set("doubled entry", document, path, [*value, value[0]])
        if isinstance(value, (dict, list)) and value and not _is_free((*path, "x")) and not _may_be_empty(path):
            yield _set("emptied", document, path, type(value)())
        if isinstance(value, str):
            yield from _texts(document, path, value)
        if isinstance(value, int) and not isinstance(value, bool):
            yield _set("negative", document, path, -value - 1)
            if path[-1] != "take":
                yield _set("huge", document, path, value + 1_000_003)


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _walk(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _walk(each, (*path, index))


def _types(document: Mapping[str, Any], path: Path, value: Any) -> Iterator[Mutation]:
    yield _set("nothing", document, path, None)
    if isinstance(value, dict):
        yield _set("text for a mapping", document, path, "text")
        yield _set("number for a mapping", document, path, 7)
    elif isinstance(value, list):
        yield _set("number for a list", document, path, 7)
    else:
        yield _set("mapping for a value", document, path, {"wrong": 1})
        yield _set("list of lists for a value", document, path, [[value]])


def _texts(document: Mapping[str, Any], path: Path, value: str) -> Iterator[Mutation]:
    if value.endswith(("iB", " TB", " GB", "%")) and ".." not in value and value[0].isdigit():
        number = value.split()[0].rstrip("%")
        yield _set("no unit", document, path, int(number))
        yield _set("odd unit", document, path, f"{number} gigs")
        yield _set("comma", document, path, f"{number},5 GiB")
    if path[-1] in _WORDS or (path[0] in _SITE and path[-1] in _WORDS_OF_SITES):
        yield _set("misspelt value", document, path, value[:-1] + "#")
    if isinstance(path[-1], int) and path[-2] in ("physical_volumes", "mirror", "raidz2", "draid1", "disks"):
        yield _set("unknown reference", document, path, value[:-1] + ("y" if value[-1] != "y" else "z"))
        yield _set("unknown partition", document, path, value.split(".")[0] + ".nothing")
    if path[-1] in ("mount", "path") and value.startswith("/"):
        yield _set("relative path", document, path, value[1:])
        yield _set("system path", document, path, "/usr/share/data")


def _misspelt(document: Mapping[str, Any], path: Path) -> Mutation:
    key = str(path[-1])
    wrong = key[:-2] + key[-1] + key[-2] if len(key) > 3 and key[-1] != key[-2] else key + "e"
    changed = copy.deepcopy(dict(document))
    parent = _at(changed, path[:-1])
    items = [(wrong if name == path[-1] else name, each) for name, each in parent.items()]
    parent.clear()
    parent.update(items)
    return Mutation(f"misspelt key of {_text(path)}", changed, (*path[:-1], wrong))


def _set(what: str, document: Mapping[str, Any], path: Path, value: Any) -> Mutation:
    changed = copy.deepcopy(dict(document))
    _at(changed, path[:-1])[path[-1]] = value
    return Mutation(f"{what} at {_text(path)}", changed, path)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _text(path: Path) -> str:
    return ".".join(map(str, path))


def _is_free(path: Path) -> bool:
    """Whether the last key is a name that a person chose, or a property, which a newer ZFS may know."""
    above = path[-2] if len(path) > 1 else None
    if path[0] in _SITE and len(path) == 1:
        return True
    of_dataset = len(path) == 5 and path[0] == "zfs" and path[2] in ("datasets", "volumes")
    return _is_name(path) or above in _PROPERTIES or of_dataset


def _is_name(path: Path) -> bool:
    above = path[-2] if len(path) > 1 else None
    if path[0] in _SITE:
        return above in _FREE_OF_SITES or (len(path) > 3 and path[-3] == "config")
    return len(path) == 2 or (above in _FREE and not (above == "swap" and path[0] == "lvm"))


def _may_be_empty(path: Path) -> bool:
    return path[-1] in ("options", "swap")


def _holds_mappings(value: list[Any]) -> bool:
    return any(isinstance(each, dict) for each in value)
