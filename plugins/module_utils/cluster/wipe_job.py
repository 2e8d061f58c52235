# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Job that wipes a disk on its host: it writes only where the disk carries exactly the OSD that went."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ..host.signatures.area import BLUESTORE_LABELS, BTRFS_MIRRORS, LUKS2_SECOND
from .state import Cluster, Volume

_VOLUMES = "/var/lib/barestore/local-volumes"

# Runs with the Python of the Ceph image and nothing else. It never writes unless it holds the device alone and each
# label that is there is the OSD's own; an empty device is one that an earlier try has wiped.
_SCRIPT = r"""
import errno, fcntl, json, os, stat, subprocess, sys
want = json.loads(sys.argv[1])
TEXT, BLOCK, MIB = b"bluestore block device\n", 4096, 1 << 20
def end(sentence):
    print(sentence)
    with open("/dev/termination-log", "w") as log:
        log.write(sentence)
    sys.exit(1)
path = os.path.realpath(want["path"])
if not os.path.exists(path) or not stat.S_ISBLK(os.stat(path).st_mode):
    end(want["path"] + " leads to no block device")
told = subprocess.run(["lsblk", "--nodeps", "--noheadings", "--output=SERIAL", path], capture_output=True, text=True)
serial = told.stdout.strip()
links = [os.path.basename(os.readlink(want["path"]))] if os.path.islink(want["path"]) else []
if want["serial"] and serial != want["serial"] and (serial or not any(want["serial"] in one for one in links)):
    end("%s has serial %r and not %s" % (path, serial, want["serial"]))
try:
    disk = os.open(path, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)
except OSError as error:
    end("%s cannot be had alone: %s" % (path, error.strerror))
fcntl.ioctl(disk, 0x1261)
size = os.lseek(disk, 0, os.SEEK_END)
def field(label, key):
    start = label.find(len(key).to_bytes(4, "little") + key)
    if start < 0:
        return None
    start += 4 + len(key)
    length = int.from_bytes(label[start:start + 4], "little")
    return label[start + 4:start + 4 + length].decode("ascii", "replace")
found = 0
for offset in want["labels"]:
    label = os.pread(disk, BLOCK, offset) if offset + BLOCK <= size else b""
    if not label.startswith(TEXT):
        continue
    found += 1
    uuid = label[len(TEXT):len(TEXT) + 36].decode("ascii", "replace")
    seen = [uuid, field(label, b"whoami"), field(label, b"ceph_fsid")]
    # A label copy may lack the fields; the UUID is in each.
    if any(have not in (None, need) for have, need in zip(seen, [want["uuid"], want["osd"], want["fsid"]])):
        end("%s carries %s at %d and not osd.%s (%s) of %s"
            % (path, seen, offset, want["osd"], want["uuid"], want["fsid"]))
places = [(0, min(MIB, size)), (max(0, size - MIB), min(MIB, size))]
places += [(spot, BLOCK) for spot in want["spots"] if spot >= MIB and spot + BLOCK <= size - MIB]
if not found and any(any(os.pread(disk, length, offset)) for offset, length in places[:1]):
    end("%s carries something, and no label of a Ceph OSD" % path)
for offset, length in sorted(places, reverse=True):
    done = 0
    while done < length:
        done += os.pwrite(disk, bytes(length - done), offset + done)
os.fsync(disk)
fcntl.ioctl(disk, 0x1261)
for offset, length in places:
    if any(os.pread(disk, length, offset)):
        end("%s does not keep zeros at %d" % (path, offset))
print("wiped" if found else "was empty")
"""


def job_name(volume: str) -> str:
    """A name for the Job that no other volume has, whatever the length of the volume's."""
    return f"barestore-wipe-{hashlib.sha256(volume.encode()).hexdigest()[:12]}"


def job(cluster: Cluster, volume: Volume, number: str, uuid: str) -> dict[str, Any]:
    """The manifest: one try, on the volume's node, with the Ceph image that the cluster has."""
    want = {
        "path": volume.path,
        "serial": volume.serial,
        "fsid": cluster.fsid,
        "osd": number,
        "uuid": uuid,
        "labels": list(BLUESTORE_LABELS),
        "spots": sorted({*BLUESTORE_LABELS, *BTRFS_MIRRORS, *LUKS2_SECOND}),
    }
    folders = {"dev": "/dev", "volumes": _VOLUMES, "udev": "/run/udev"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(volume.name),
            "namespace": cluster.name,
            "labels": {"app.kubernetes.io/managed-by": "barestore"},
            "annotations": {"barestore.storage/volume": volume.name},
        },
        "spec": {
            "backoffLimit": 0,
            "template": {
                "spec": {
                    "restartPolicy": "Never",
                    "nodeSelector": {"kubernetes.io/hostname": volume.node},
                    "tolerations": [{"operator": "Exists"}],
                    "containers": [
                        {
                            "name": "wipe",
                            "image": cluster.image,
                            "command": ["python3", "-c", _SCRIPT, json.dumps(want, sort_keys=True)],
                            "securityContext": {"privileged": True, "runAsUser": 0},
                            "volumeMounts": [
                                {"name": name, "mountPath": path, "readOnly": name == "udev"}
                                for name, path in folders.items()
                            ],
                        }
                    ],
                    "volumes": [{"name": name, "hostPath": {"path": path}} for name, path in folders.items()],
                }
            },
        },
    }
