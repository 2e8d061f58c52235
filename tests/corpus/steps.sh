# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# What the steps of recipes may call besides the real tools. The disk is $disk, of $size bytes; offsets are in bytes.
# shellcheck disable=SC2154  # disk, size and folder are of the one who sources this
set -eu
export LC_ALL=C MKE2FS_SYNC=0 LVM_SUPPRESS_FD_WARNINGS=1
# shellcheck disable=SC2034  # recipes use it
mib=1048576

zero() { # OFFSET LENGTH
    dd if=/dev/zero of="$disk" bs=65536 oflag=seek_bytes iflag=count_bytes seek="$1" count="$2" conv=notrunc status=none
}

fill() { # OFFSET LENGTH BYTE, as three octal digits
    head -c "$2" /dev/zero | tr '\000' "\\$3" |
        dd of="$disk" bs=65536 iflag=fullblock oflag=seek_bytes seek="$1" conv=notrunc status=none
}

flip() { # OFFSET: the lowest bit of this byte
    local byte
    byte=$(od -An -tu1 -j "$1" -N 1 "$disk")
    # shellcheck disable=SC2059  # the format is the byte
    printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$disk" bs=1 seek="$1" conv=notrunc status=none
}

copy() { # FROM TO LENGTH
    dd if="$disk" bs=65536 iflag=skip_bytes,count_bytes skip="$1" count="$3" status=none >"$folder/copied"
    paste_at "$2" <"$folder/copied"
}

paste_at() { # OFFSET: what standard input has
    dd of="$disk" bs=65536 iflag=fullblock oflag=seek_bytes seek="$1" conv=notrunc status=none
}

random() { # LENGTH: bytes without any meaning, the same each time
    python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random(1).randbytes(int(sys.argv[1])))' "$1"
}

partition() { # LABEL: a table with one partition for all of it, as sfdisk does when nobody clears the disk before
    echo ',,' | sfdisk --quiet --no-reread --no-tell-kernel --wipe never --wipe-partitions never --label "$1" "$disk"
}

luks() { # the rest are options
    printf secret | cryptsetup luksFormat -q --key-file - --pbkdf-force-iterations 1000 "$@" "$disk"
}

osd() { # the rest are options
    mkdir -p "$folder/osd"
    ln -s "$disk" "$folder/osd/block"
    echo bluestore >"$folder/osd/type"
    echo 7e57ab1e-0000-4000-8000-00000000005d >"$folder/osd/fsid"
    ceph-osd --conf /dev/null --no-mon-config --log-file /dev/null --fsid 7e57ab1e-0000-4000-8000-0000000000ce \
        --id 0 --osd-data "$folder/osd" --osd-uuid 7e57ab1e-0000-4000-8000-00000000005d \
        --keyring "$folder/osd/keyring" --osd-objectstore bluestore --mkfs "$@"
}

tree() { # a few files to put into images that are made whole
    mkdir -p "$folder/tree"
    echo "somebody's notes" >"$folder/tree/notes.txt"
    echo "$folder/tree"
}
