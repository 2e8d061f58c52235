# SPDX-License-Identifier: GPL-3.0-or-later
"""What people lose data by, as cases: what a host has before, what is asked of it, and which facts are looked at.

Shell text of a case runs as root on the host with ``$tag`` (the name of the try, a word), ``$1`` and so on (links
of its disks by identity) and ``$name`` (the kernel name of the first, as it was before). ``put DEVICE`` writes the
old file into a file system, ``old DEVICE OPTIONS`` is the digest of that file read from there, or ``gone``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Facts = Mapping[str, str]
OLD_MIB = 8
DISK = "512 MiB"


@dataclass(frozen=True)
class Said:
    """How a run ended: ``done``, ``same`` (nothing to do), ``refused`` or ``killed``; and in its own words."""

    how: str
    words: str = ""


Judge = Callable[[Facts, Facts, Said], list[str]]
Document = Callable[[str, Sequence[str]], dict[str, Any]]
# The variables of linux-system-roles.storage, from the tag, the links of the disks and their kernel names.
Role = Callable[[str, Sequence[str], Sequence[str]], dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One thing that goes wrong.

    ``look`` prints ``key=value`` lines; ``judge`` says from those before and after what was lost or left undone, one
    sentence each. ``steady``: nothing writes to the disks by itself, so that their digests tell something.
    """

    name: str
    what: str
    before: str
    look: str
    document: Document
    judge: Judge
    script: str = ""  # none: a script only says what there shall be more of
    playbook: str = ""  # in safety/, without .yml; as the case where empty
    role: Role | None = None  # none: linux-system-roles.storage has no word for it
    disks: int = 1
    absent: int = 0  # disks that are asked for and not there
    runs: int = 1
    first: str = "done"  # how the first of two runs has to end
    check: bool = False
    exchanged: bool = False  # the first two disks change kernel names before the run
    steady: bool = True


def _group(tag: str, serials: Sequence[str], **sections: Any) -> dict[str, Any]:
    return {"disks": {tag: {"match": {"serial": list(serials)}, "count": len(serials)}}, **sections}


def _volume_group(tag: str, serials: Sequence[str]) -> dict[str, Any]:
    return _group(tag, serials, lvm={tag: {"physical_volumes": [tag]}})


def _of_one(tag: str, serials: Sequence[str]) -> dict[str, Any]:
    return _volume_group(tag, serials[:1])


def _volumes(tag: str, serials: Sequence[str], volumes: Mapping[str, Any]) -> dict[str, Any]:
    return _group(tag, serials, lvm={tag: {"physical_volumes": [tag], "volumes": dict(volumes)}})


def _pool(tag: str, disks: Sequence[str], **keys: Any) -> dict[str, Any]:
    return {"storage_pools": [{"name": tag, "disks": list(disks), **keys}]}


def _pool_of_all(tag: str, links: Sequence[str], _names: Sequence[str]) -> dict[str, Any]:
    return _pool(tag, links)


def _pool_with(*volumes: dict[str, Any]) -> Role:
    return lambda tag, links, _names: _pool(tag, links, volumes=list(volumes))


def _disk_volume(tag: str, links: Sequence[str], **keys: Any) -> dict[str, Any]:
    return {"storage_volumes": [{"name": tag, "type": "disk", "disks": list(links), **keys}]}


def _keeps(**keys: str) -> Judge:
    """Each of these facts must stay; the value is what to say when it did not."""

    def judge(before: Facts, after: Facts, _said: Said) -> list[str]:
        return [sentence for key, sentence in keys.items() if before[key] != after[key]]

    return judge


def _never(key: str, value: str, sentence: str) -> Judge:
    return lambda _before, after, _said: [sentence] if after[key] == value else []


def _made_of_less(before: Facts, after: Facts, said: Said) -> list[str]:
    if before["carries"] == after["carries"]:
        return []
    return ["made of one disk, and nobody is told" if said.how == "done" else _A_PART]


def _second_run(_before: Facts, _after: Facts, said: Said) -> list[str]:
    """For a second run of what was reached: it changes nothing and fails nowhere."""
    return {"refused": ["the second run fails"], "done": ["the second run changes something"]}.get(said.how, [])


_LOST = f"{OLD_MIB} MiB of the old file system cannot be read any more"
_KEPT = _keeps(file=_LOST)
_A_PART = "a part of it was written before that was seen"
_CARRIES = 'echo "carries=$(blkid -p -s TYPE -s PTTYPE -o value $1 | xargs)"'
_TABLE = """
mkdir -p /mnt
printf 'label: gpt\\nsize=200MiB\\nsize=100MiB\\n' | sfdisk -q $1; udevadm settle
mkfs.ext4 -q $1-part1; put $1-part1
"""
_TABLE_LOOK = 'echo "file=$(old $1-part1 noload)"; echo "partitions=$(lsblk -nro TYPE $1 | grep -c part)"; ' + _CARRIES
_FILE_SYSTEM = "mkfs.xfs -q $1; put $1"
_MEMBERS = 'echo "members=$(vgs --noheadings -o pv_count $tag 2>/dev/null | xargs)"'
_END = f"dd {{}}={400 - OLD_MIB} bs=1M count={OLD_MIB} status=none"
_GROUP = "vgcreate -qq $tag $*\n"

# A tool that dies as it writes and takes the run with it: once, then it is itself again. What is meant is a disk
# that blkid calls finished, so it dies one write later each time until that is so.
_KILLED = r"""
mv /usr/sbin/mkfs.xfs /usr/sbin/mkfs.xfs.kept
cat >/usr/sbin/mkfs.xfs <<'END'
#!/bin/sh
mv -f /usr/sbin/mkfs.xfs.kept /usr/sbin/mkfs.xfs
for device; do :; done
for write in 1 2 3 4 5 6 7 8; do
    wipefs -qa "$device"
    strace -f -qq -o /dev/null -e trace=pwrite64 -e inject=pwrite64:signal=KILL:when=$write /usr/sbin/mkfs.xfs "$@"
    [ "$(blkid -p -s TYPE -o value "$device")" != xfs ] || break
done
kill -KILL $PPID
END
chmod 755 /usr/sbin/mkfs.xfs
"""

CASES = (
    # First, since community.general's zpool knows no kernel names of more than three letters.
    Case(
        "vdev",
        "A vdev is no longer in the list of its pool",
        # By kernel names, as community.general would have made it: zpool remove wants the name that the pool knows.
        "for _ in 1 2 3; do\n"
        "    zpool create -f -O mountpoint=/$tag $tag $(readlink -f $1 $2) && break; udevadm settle\n"
        "done\n"
        "cp $OLD /$tag/old; zpool sync",
        'for _ in 1 2 3 4 5; do zpool status $tag | grep -q "in progress" && sleep 1; done\n'
        'echo "file=$(sha256sum </$tag/old)"; echo "vdevs=$(zpool list -vHP $tag | grep -c /dev/)"',
        lambda tag, serials: _group(tag, serials[:1], zfs={tag: {"data": {"stripe": [tag]}}}),
        _keeps(vdevs="the vdev was removed unasked", file=_LOST),
        disks=2,
        steady=False,
    ),
    Case(
        "label",
        "A partition more on a disk with a GPT, where nobody says which label",
        _TABLE,
        _TABLE_LOOK,
        lambda tag, serials: _group(
            tag, serials, partitions={tag: [{"name": "data", "size": "100 MiB", "use": "local"}]}
        ),
        _KEPT,
        "parted --script $1 mkpart data 400MiB 100%",
        role=lambda tag, links, _names: _pool(
            tag, links, type="partition", volumes=[{"name": "data", "type": "partition", "size": "100m"}]
        ),
    ),
    Case(
        "group",
        "A volume group on a disk that carries a file system",
        _FILE_SYSTEM,
        f'echo "file=$(old $1 norecovery)"; {_CARRIES}',
        _volume_group,
        _KEPT,
        "pvcreate -qq $1; vgcreate -qq $tag $1",
        role=_pool_of_all,
    ),
    Case(
        "raw",
        "A volume group on a disk whose data no signature tells of",
        "dd if=$OLD of=$1 bs=1M oflag=direct status=none",
        f'echo "file=$(dd if=$1 bs=1M count={OLD_MIB} iflag=direct status=none | sha256sum)"; {_CARRIES}',
        _volume_group,
        _keeps(file="the data was written over"),
        "pvcreate -qq $1; vgcreate -qq $tag $1",
        playbook="group",
        role=_pool_of_all,
    ),
    Case(
        "mkfs",
        "A file system on a whole disk that has a partition table",
        _TABLE,
        _TABLE_LOOK,
        lambda tag, serials: _group(tag, serials, filesystems={tag: {"device": tag, "type": "ext4"}}),
        _KEPT,
        "mkfs.ext4 -q $1",
        role=lambda tag, links, _names: _disk_volume(tag, links, fs_type="ext4"),
    ),
    Case(
        "check",
        "Check mode for volumes and mounts that are in use",
        _GROUP + "for lv in idle used; do lvcreate -qq -y -L 96m -n $lv $tag; mkfs.ext4 -q /dev/$tag/$lv; done\n"
        "mkdir -p /srv/$tag; mount /dev/$tag/used /srv/$tag",
        'echo "idle=$(lvs --noheadings -o lv_active $tag/idle | xargs)"\n'
        'echo "mounted=$(findmnt -no SOURCE /srv/$tag)"; echo "seqno=$(vgs --noheadings -o vg_seqno $tag | xargs)"\n'
        'echo "fstab=$(sha256sum </etc/fstab)"',
        lambda tag, serials: _volumes(tag, serials, {"idle": {"size": "128 MiB"}, "used": {"size": "128 MiB"}}),
        _keeps(
            idle="check mode deactivated the volume",
            mounted="check mode unmounted the file system",
            seqno="check mode changed the volume group",
            fstab="check mode wrote fstab",
        ),
        check=True,
        role=_pool_with(
            *({"name": name, "size": "128m", "fs_type": "ext4", "mount_point": ""} for name in ("idle", "used"))
        ),
        steady=False,
    ),
    Case(
        "pool",
        "A pool on disks by their identity, a second time",
        "true",
        'echo "vdevs=$(zpool list -vHP $tag 2>/dev/null | grep -c /dev/)"',
        lambda tag, serials: _group(tag, serials, zfs={tag: {"data": {"mirror": [tag]}}}),
        _second_run,
        "zpool create $tag mirror $1 $2",
        disks=2,
        runs=2,
        steady=False,
    ),
    Case(
        "shrink",
        "A volume becomes smaller than its file system",
        _GROUP + "lvcreate -qq -y -L 400m -n data $tag; mkfs.ext4 -q /dev/$tag/data; put /dev/$tag/data",
        'echo "file=$(old /dev/$tag/data noload)"; echo "size=$(lvs --noheadings -o lv_size $tag/data | xargs)"',
        lambda tag, serials: _volumes(
            tag, serials, {"data": {"size": "128 MiB", "size_policy": "exact", "filesystem": "ext4"}}
        ),
        _KEPT,
        "lvreduce --force --yes --size 128m $tag/data",
        role=_pool_with({"name": "data", "size": "128m", "fs_type": "ext4"}),
    ),
    # LVM looks for a file system since 2.03.17 and refuses, in spite of the force; where it finds none it does not.
    Case(
        "cut",
        "A volume becomes smaller whose data no signature tells of",
        _GROUP + f"lvcreate -qq -y -L 400m -n data $tag; {_END.format('if=$OLD of=/dev/$tag/data seek')}",
        f'echo "file=$({_END.format("if=/dev/$tag/data skip")} iflag=direct | sha256sum)"\n'
        'echo "size=$(lvs --noheadings -o lv_size $tag/data | xargs)"',
        lambda tag, serials: _volumes(tag, serials, {"data": {"size": "128 MiB", "size_policy": "exact"}}),
        _keeps(file="the end of the data was cut off"),
        "lvreduce --force --yes --size 128m $tag/data",
        playbook="shrink",
        role=_pool_with({"name": "data", "size": "128m", "fs_type": "unformatted"}),
    ),
    Case(
        "renamed",
        "A path that now leads to another disk: kernel names were exchanged",
        "mkfs.xfs -q $2; put $2",
        'echo "file=$(old $2 norecovery)"; echo "carries=$(blkid -p -s TYPE -o value $2)"\n'
        'echo "meant=$(blkid -p -s TYPE -o value $1)"',
        _of_one,
        _KEPT,
        "pvcreate -qq $name; vgcreate -qq $tag $name",
        disks=2,
        exchanged=True,
        role=lambda tag, _links, names: _pool(tag, names[:1]),
    ),
    Case(
        "killed",
        "A run is killed while it makes a file system, and runs again",
        _KILLED,
        f'echo "mounted=$(findmnt -no FSTYPE /srv/$tag || echo no)"; {_CARRIES}',
        lambda tag, serials: _group(
            tag, serials, filesystems={tag: {"device": tag, "type": "xfs", "mount": f"/srv/{tag}"}}
        ),
        _never("mounted", "no", "it is not mounted after the second run: somebody has to look"),
        "mkfs.xfs -q $1; mkdir -p /srv/$tag; mount $1 /srv/$tag",
        runs=2,
        first="killed",
        role=lambda tag, links, _names: _disk_volume(
            tag, links, fs_type="xfs", mount_point=f"/srv/{tag}", mount_options="defaults,nofail"
        ),
        steady=False,
    ),
    Case(
        "missing",
        "One of two disks that are named is not there",
        "true",
        f"{_MEMBERS}; {_CARRIES}",
        _volume_group,
        _made_of_less,
        "pvcreate -qq $*; vgcreate -qq $tag $*",
        playbook="group",
        absent=1,
        role=_pool_of_all,
    ),
    Case(
        "chosen",
        "One of three disks of a model is not there, and disks are chosen by what they are",
        "true",
        _MEMBERS,
        lambda tag, _serials: {
            "disks": {tag: {"match": {"model": tag.upper()}, "count": 3}},
            "lvm": {tag: {"physical_volumes": [tag]}},
        },
        _never("members", "2", "made of two disks, and nobody is told"),
        "set -- $(lsblk -dnpo NAME,MODEL | awk -v model=$tag 'tolower($2) == model { print $1 }')\n"
        "pvcreate -qq $*; vgcreate -qq $tag $*",
        disks=2,
        # By what the host tells of its disks, as in safety/chosen.yml.
        role=lambda tag, _links, _names: {
            "storage_pools": [
                {
                    "name": tag,
                    "disks": "{{ ansible_facts.devices | dict2items "
                    f"| selectattr('value.model', 'equalto', '{tag.upper()}') | map(attribute='key') | list }}}}",
                }
            ]
        },
    ),
    Case(
        "member",
        "A disk is no longer in the list of its volume group",
        _GROUP + "lvcreate -qq -y -L 64m -n data $tag $1; mkfs.ext4 -q /dev/$tag/data; put /dev/$tag/data",
        f'echo "file=$(old /dev/$tag/data noload)"; {_MEMBERS}',
        _of_one,
        _keeps(members="the disk was taken out of the group unasked", file=_LOST),
        disks=2,
        role=lambda tag, links, _names: _pool(tag, links[:1]),
    ),
    Case(
        "full",
        "A volume of all that is left, a second time",
        _GROUP,
        'echo "size=$(lvs --noheadings -o lv_size $tag/data 2>/dev/null | xargs)"',
        lambda tag, serials: _volumes(tag, serials, {"data": {"size": "rest"}}),
        _second_run,
        "lvcreate -qq -y -l 100%FREE -n data $tag",
        runs=2,
        role=_pool_with({"name": "data", "size": "100%", "fs_type": "unformatted"}),
    ),
)
