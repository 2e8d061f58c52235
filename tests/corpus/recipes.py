# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of the corpus: what each is, and the steps that make it, in the words of steps.sh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MIB = 1024**2
GIB = 1024**3


@dataclass(frozen=True)
class Recipe:
    """One image. It starts as ``base`` (another image, or ``recording:NAME``), else as ``size`` bytes of nothing.

    ``start`` and ``size`` take a partition out of a recording. ``cut`` shortens the image when the steps are done.
    ``carries`` says what is right, whatever a detector thinks. ``partitions`` has the kernel told of them.
    ``lost_members`` says that it belongs to something whose other devices are not here, so that it must be kept.
    """

    name: str
    family: str
    steps: str = ""
    size: int = 64 * MIB
    base: str = ""
    start: int = 0
    cut: int = 0
    sector: int = 512
    carries: bool = True
    partitions: bool = False
    lost_members: bool = False

    @property
    def made_by(self) -> str:
        words = [f"{self.base.removeprefix('recording:')}:" if self.base else "", self.steps]
        words += [f"partition at {self.start:#x}" if self.start else "", f"cut at {self.cut:#x}" if self.cut else ""]
        return " ".join(one for one in words if one).strip(": ")


def _filesystems() -> Iterator[Recipe]:
    """As people make them: a whole disk that is a file system."""
    made = {
        "ext2": ("mkfs.ext2 -q -F $disk", 64),
        "ext3": ("mkfs.ext3 -q -F $disk", 64),
        "ext4": ("mkfs.ext4 -q -F -b 4096 $disk", 256),
        "ext4-1k": ("mkfs.ext4 -q -F -b 1024 $disk", 64),
        "ext4-journal": ("mke2fs -q -F -O journal_dev $disk", 64),
        "xfs": ("mkfs.xfs -q $disk", 320),
        "btrfs": ("mkfs.btrfs -q $disk", 256),
        "vfat": ("mkfs.vfat -F 32 $disk", 64),
        "fat16": ("mkfs.vfat -F 16 $disk", 64),
        "exfat": ("mkfs.exfat $disk", 64),
        "ntfs": ("mkfs.ntfs -Q -F $disk", 64),
        "f2fs": ("mkfs.f2fs -q $disk", 64),
        "jfs": ("mkfs.jfs -q $disk", 32),
        "reiserfs": ("mkfs.reiserfs -q -f $disk", 64),
        "reiser4": ("mkfs.reiser4 -y $disk", 32),
        "nilfs2": ("mkfs.nilfs2 -q $disk", 160),
        "udf": ("mkudffs $disk", 32),
        "udf-4k": ("mkudffs --blocksize=4096 $disk", 32),
        "iso9660": ("genisoimage -quiet -R $(tree) | paste_at 0", 16),
        "squashfs": ("mksquashfs $(tree) $disk -noappend -quiet -no-progress", 16),
        "erofs": ("mkfs.erofs $disk $(tree)", 16),
        "cramfs": ("mkfs.cramfs $(tree) $disk", 16),
        "romfs": ("genromfs -d $(tree) -f $disk", 16),
        "minix": ("mkfs.minix $disk", 16),
        "bfs": ("mkfs.bfs $disk", 16),
        "hfs": ("hformat -l old $disk", 16),
        "apfs": ("mkapfs $disk", 1024),
        "ocfs2": ("mkfs.ocfs2 -q -M local -b 4K -C 4K -N 1 $disk </dev/null", 64),
        "gfs2": ("mkfs.gfs2 -q -O -p lock_nolock -j 1 -J 8 $disk", 160),
        "swap": ("mkswap $disk", 16),
    }
    for name, (steps, size) in made.items():
        yield Recipe(name, "file systems", steps, size * MIB)


def _layers() -> Iterator[Recipe]:
    family = "LVM, encryption, caches, object stores"
    yield Recipe("lvm", family, "pvcreate -qq $disk")
    for sector in range(4):
        yield Recipe(f"lvm-sector-{sector}", family, f"pvcreate -qq --labelsector {sector} $disk")
    yield Recipe("lvm-two-copies", family, "pvcreate -qq --metadatacopies 2 $disk")
    yield Recipe("lvm-no-metadata", family, "pvcreate -qq --metadatacopies 0 $disk")
    yield Recipe("lvm-group", family, "pvcreate -qq $disk; vgcreate -qq corpus $disk")
    yield Recipe("lvm-thin", family, base="recording:lvm-thin", lost_members=True)
    yield Recipe("lvm-removed", family, "pvremove -qq $disk", base="lvm")
    yield Recipe("luks1", family, "luks --type luks1")
    yield Recipe("luks2", family, "luks --type luks2 --pbkdf pbkdf2")
    large = "luks --type luks2 --pbkdf pbkdf2 --luks2-metadata-size 4m --luks2-keyslots-size 16m"
    yield Recipe("luks2-large", family, large)
    yield Recipe("verity", family, "head -c 1M /dev/zero >$folder/data; veritysetup format $folder/data $disk")
    yield Recipe("bcache", family, "make-bcache -B $disk")
    yield Recipe("bcache-cache", family, "make-bcache -C $disk")
    yield Recipe("drbd-8", family, "drbdmeta --force 0 v08 $disk internal create-md")
    yield Recipe("drbd-9", family, "drbdmeta --force 0 v09 $disk internal create-md 1")
    yield Recipe("bluestore", family, "osd", GIB)
    other = "truncate -s 1G $folder/main; other=$disk; disk=$folder/main; osd --bluestore-block-{0}-path $other"
    for one in ("db", "wal"):
        yield Recipe(f"bluestore-{one}", family, other.format(one), GIB)


def _recorded() -> Iterator[Recipe]:
    zfs = ("mirror", "special", "log", "cache", "spare", "raidz1", "draid1", "destroyed", "labelclear")
    for name in zfs:
        yield Recipe(f"zfs-{name}-disk", "ZFS", base=f"recording:zfs-{name}", size=128 * MIB, partitions=True)
        yield Recipe(f"zfs-{name}", "ZFS", base=f"recording:zfs-{name}", start=MIB, size=118 * MIB)
    for name in ("md-0.90", "md-1.0", "md-1.1", "md-1.2", "md-raid5", "md-spare", "ddf", "imsm"):
        yield Recipe(name, "arrays", base=f"recording:{name}")


def _tables() -> Iterator[Recipe]:
    family = "partition tables"
    yield Recipe("gpt", family, "partition gpt")
    yield Recipe("gpt-empty", family, "sgdisk --clear $disk")
    yield Recipe("gpt-4096", family, "partition gpt", sector=4096)
    yield Recipe("gpt-sgdisk", family, "sgdisk --new 1:0:+20M --new 2:0:0 $disk")
    yield Recipe("gpt-hybrid", family, "sgdisk --hybrid 1 $disk", base="gpt-sgdisk")
    yield Recipe("gpt-parted", family, "parted -s $disk mklabel gpt mkpart one 1MiB 20MiB")
    yield Recipe("dos", family, "partition dos")
    logical = r"printf '8M,20M\n32M,,E\n34M,8M\n'"
    yield Recipe("dos-logical", family, f"{logical} | sfdisk --quiet --no-reread --label dos $disk")
    for name in ("sgi", "sun"):
        yield Recipe(name, family, f"partition {name}")
    for name in ("amiga", "bsd", "dvh", "mac", "pc98", "sun"):
        yield Recipe(f"{name}-parted", family, f"parted -s $disk mklabel {name}")
    inside = "partx --add $disk; mkfs.ext4 -q -F ${disk}p1; mkswap ${disk}p2; partx --delete $disk"
    yield Recipe("gpt-with-contents", family, inside, base="gpt-sgdisk", partitions=True)


# Where the bytes lie that a tool compares: byte 0 of the magic, and one of the checksum.
_DAMAGE: dict[str, dict[str, int | str]] = {
    "ext4": {"magic": 1080, "checksum": 2044},
    "xfs": {"magic": 0, "checksum": 224},
    "btrfs": {"magic": 65600, "checksum": 65536},
    "vfat": {"magic": 510},
    "exfat": {"magic": 3},
    "ntfs": {"magic": 3},
    "f2fs": {"magic": 1024},
    "nilfs2": {"magic": 1030, "checksum": 1040},
    "udf": {"magic": 32769},
    "iso9660": {"magic": 32769},
    "squashfs": {"magic": 0},
    "erofs": {"magic": 1024, "checksum": 1028},
    "hfs": {"magic": 1024},
    "apfs": {"magic": 32, "checksum": 0},
    "swap": {"magic": 4086},
    "lvm": {"magic": 512, "checksum": 528},
    "luks1": {"magic": 0},
    "luks2": {"magic": 0, "checksum": 448},
    "bcache": {"magic": 4120, "checksum": 4096},
    "bluestore": {"magic": 0},
    "gpt": {"magic": 512, "checksum": 528},
    "dos": {"magic": 510},
}


def _damaged() -> Iterator[Recipe]:
    for base, places in _DAMAGE.items():
        for what, at in places.items():
            yield Recipe(f"{base}-bad-{what}", "one bit wrong", f"flip {at}", base=base)


def _truncated() -> Iterator[Recipe]:
    """The first half of a disk: what a failed copy leaves, or a controller that hides the rest."""
    for base, size in {
        "ext4": 256, "xfs": 320, "btrfs": 256, "vfat": 64, "exfat": 64, "ntfs": 64, "f2fs": 64, "lvm": 64,
        "lvm-group": 64, "luks1": 64, "luks2": 64, "bluestore": 1024, "gpt": 64, "dos": 64, "zfs-mirror": 118,
        "zfs-cache": 118, "bcache": 64, "apfs": 1024,
    }.items():  # fmt: skip
        yield Recipe(f"{base}-cut", "truncated", base=base, cut=size * MIB // 2)


def _backups() -> Iterator[Recipe]:
    family = "only a copy is left"
    zero = "zero 0 $mib"
    yield Recipe("gpt-backup-only", family, "zero 0 17408", base="gpt")
    yield Recipe("gpt-backup-header-only", family, "zero 0 $((size - 512))", base="gpt-empty")
    yield Recipe("gpt-protective-only", family, "zero 512 $((size - 512))", base="gpt-empty")
    for number, label in enumerate(("0", "262144", "$((size - 524288))", "$((size - 262144))")):
        steps = f"dd if=$disk bs=262144 count=1 iflag=skip_bytes skip={label} status=none >$folder/label; "
        steps += f"zero 0 $size; paste_at {label} <$folder/label"
        yield Recipe(f"zfs-label-{number}-only", family, steps, base="zfs-mirror")
        yield Recipe(f"zfs-spare-label-{number}-only", family, steps, base="zfs-spare")
    yield Recipe("luks2-second-only", family, "zero 0 16384; zero 32768 $((size - 32768))", base="luks2")
    yield Recipe(
        "luks2-large-second-only", family, "zero 0 $((4 * mib)); zero $((8 * mib)) $((8 * mib))", base="luks2-large"
    )
    yield Recipe("lvm-second-metadata-only", family, zero, base="lvm-two-copies")
    yield Recipe("ext4-backup-only", family, zero, base="ext4")
    yield Recipe("ext4-1k-backup-only", family, zero, base="ext4-1k")
    yield Recipe("ext4-2k-backup-only", family, f"mkfs.ext4 -q -F -b 2048 $disk; {zero}")
    yield Recipe("xfs-backup-only", family, zero, base="xfs")
    yield Recipe("btrfs-mirror-only", family, f"{zero}; zero $((65 * mib)) $((size - 65 * mib))", base="btrfs")
    yield Recipe("vfat-backup-only", family, "zero 0 3072", base="vfat")
    yield Recipe("exfat-backup-only", family, "zero 0 6144; zero $mib $((size - mib))", base="exfat")
    yield Recipe("ntfs-backup-only", family, "zero 0 $((size - 512))", base="ntfs")
    yield Recipe("f2fs-second-only", family, "zero 0 4096; zero 8192 $((size - 8192))", base="f2fs")
    yield Recipe("nilfs2-second-only", family, "zero 0 $((size - 4096))", base="nilfs2")
    yield Recipe("jfs-second-only", family, "zero 0 61440; zero 65536 $((size - 65536))", base="jfs")
    yield Recipe("hfs-alternate-only", family, "zero 0 $((size - 1024))", base="hfs")
    yield Recipe("udf-last-anchor-only", family, "zero 0 $((size - mib))", base="udf")
    yield Recipe("apfs-checkpoint-only", family, "zero 0 4096", base="apfs")
    for at in (1, 10, 100, 1000):
        # Debian's Ceph writes no copies yet: the first label is put where later releases have them.
        label = f"head -c 4096 $folder/main | paste_at $(({at} << 30))"
        steps = f"truncate -s 1G $folder/main; (disk=$folder/main; osd); {label}"
        yield Recipe(f"bluestore-copy-{at}-only", family, steps, (at + 1) * GIB)


def _disagreeing() -> Iterator[Recipe]:
    family = "two that disagree"
    yield Recipe("ext4-over-zfs", family, "mkfs.ext4 -q -F -E nodiscard $disk", base="zfs-mirror")
    yield Recipe("ext4-over-zfs-cache", family, "mkfs.ext4 -q -F -E nodiscard $disk", base="zfs-cache")
    yield Recipe("swap-over-btrfs", family, "mkswap $disk", base="btrfs")
    yield Recipe(
        "vfat-and-ext4", family, "mkfs.vfat $folder/fat -C 8192; head -c 512 $folder/fat | paste_at 0", base="ext4"
    )
    yield Recipe(
        "ntfs-and-lvm",
        family,
        "truncate -s 64M $folder/n; mkfs.ntfs -Q -F $folder/n; head -c 512 $folder/n | paste_at 0",
        base="lvm",
    )
    yield Recipe("bluestore-and-gpt-backup", family, "partition gpt; zero 0 $mib; osd", GIB)


def _over() -> Iterator[Recipe]:
    for base in ("ext4", "xfs", "btrfs", "ntfs", "vfat", "swap", "iso9660", "lvm", "luks2", "zfs-mirror"):
        yield Recipe(f"gpt-over-{base}", "a table over something", "partition gpt", base=base)
    for base in ("ext4", "xfs", "iso9660", "zfs-spare"):
        yield Recipe(f"dos-over-{base}", "a table over something", "partition dos", base=base)
    over = {
        "ext4": "mkfs.ext4 -q -F -E nodiscard $disk", "xfs": "mkfs.xfs -q -f -K $disk",
        "btrfs": "mkfs.btrfs -q -f -K $disk",
        "vfat": "mkfs.vfat -I $disk", "exfat": "mkfs.exfat $disk", "ntfs": "mkfs.ntfs -Q -F $disk",
        "swap": "mkswap -f $disk", "luks2": "luks --type luks2 --pbkdf pbkdf2", "f2fs": "mkfs.f2fs -q -f -t 0 $disk",
    }  # fmt: skip
    for name, steps in over.items():
        yield Recipe(f"{name}-over-gpt", "something over a table", f"partition gpt; {steps}", 384 * MIB)
    yield Recipe("swap-over-dos", "something over a table", f"partition dos; {over['swap']}")


def _nameless() -> Iterator[Recipe]:
    family = "no signature"
    yield Recipe("random", family, "random $size | paste_at 0", 16 * MIB)
    yield Recipe("random-at-the-start", family, "random 4096 | paste_at 0")
    yield Recipe("random-at-the-end", family, "random 4096 | paste_at $((size - 4096))")
    yield Recipe("text", family, "yes 'all work and no play' | head -c 4096 | paste_at 0")
    yield Recipe("tar", family, "tar -C $(tree) -cf - . | paste_at 0")
    yield Recipe("gzip", family, "tar -C $(tree) -czf - . | paste_at 0")
    yield Recipe("one-byte", family, "echo -n x | paste_at 70000")
    yield Recipe("ff-in-zeros", family, "fill 65536 4096 377")
    yield Recipe("cleared-by-wipefs", family, "wipefs -qa $disk", base="ext4")
    for name, steps in {
        "blank": "",
        "zeroed": "zero 0 $size",
        "ff": "fill 0 $size 377",
        "zeros-then-ff": "fill $((size / 2)) $((size / 2)) 377",
    }.items():
        yield Recipe(name, "blank", steps, 16 * MIB, carries=False)
    yield Recipe("blank-large", "blank", size=2000 * GIB, carries=False)


def _all() -> Iterator[Recipe]:
    for one in (
        _filesystems,
        _layers,
        _recorded,
        _tables,
        _damaged,
        _truncated,
        _backups,
        _disagreeing,
        _over,
        _nameless,
    ):
        yield from one()


RECIPES = {one.name: one for one in _all()}

NO_TOOL = {
    "HFS+": "hfsprogs is not in Debian 12",
    "BitLocker": "only Windows writes it; nothing in Debian does",
    "Stratis, VDO": "neither is in Debian 12",
    "bcachefs": "bcachefs-tools is not in Debian 12",
    "Adaptec, HighPoint, LSI, Promise, Silicon Image, NVIDIA, VIA, JMicron RAID": "dmraid reads them and writes none",
    "VMFS, ReFS, ZoneFS, LVM1": "nothing in Debian writes one",
}
"""What libblkid knows and no image is made of, with the reason."""
