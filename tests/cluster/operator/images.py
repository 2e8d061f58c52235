# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ceph image and the operator's image of the test bed, in one archive that containerd imports.

The archive is cached by content: the Ceph root by its recipe and package list, the archive by the root and by the
operator's files. ``python tests/cluster/operator/images.py`` makes it where it is missing, lets the bed's mirror serve
it, and prints its path.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from barestore.lab.debian import mirror  # noqa: E402
from barestore.lab.files import locked  # noqa: E402
from tests.cluster.bed.folders import CACHE  # noqa: E402
from tests.cluster.bed.ociimage import File, Files, Folder, Image, Link, Tarball, write_archive  # noqa: E402

CEPH = "quay.io/ceph/ceph:v20.2.4"
OPERATOR = "docker.io/rook/ceph:v1.20.6"
SUITE = "forky"
# The version that the images are called by; another one in the suite must not pass for it.
CEPH_VERSION = "20.2.4"
PACKAGES = (
    "ceph-base",
    "ceph-common",
    "ceph-mds",
    "ceph-mgr",
    "ceph-mgr-modules-core",
    "ceph-mon",
    "ceph-osd",
    "ceph-volume",
    "gdisk",
    "iproute2",
    "libqatzip3",
    "lvm2",
    "procps",
    "python3",
    "radosgw",
    "util-linux",
)
# Rook's log collector edits this file, which Debian calls by another name.
_LOGS = Link("etc/logrotate.d/ceph", "ceph-common")
_ROOK = b"""#!/bin/sh
PYTHONPATH=/usr/lib/rook-standin exec python3 -m standin "$@"
"""


def _digest(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part).digest())
    return whole.hexdigest()[:16]


def root_tar() -> Path:
    """The Ceph root, made from Debian packages where the cache has none of this recipe."""
    recipe = (HERE / "root.sh").read_bytes()
    path = CACHE / f"ceph-root-{_digest(recipe, SUITE.encode(), ' '.join(PACKAGES).encode())}.tar"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    print(f"building the Ceph root from Debian {SUITE}, about 1 to 6 minutes", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".root-") as work:
        made = Path(work) / "root.tar"
        settings = {"MIRROR": mirror(), "SUITE": SUITE, "PACKAGES": ",".join(PACKAGES), "OUT": str(made)}
        log = path.with_suffix(".log")
        with log.open("w") as record:
            done = subprocess.run(
                [str(HERE / "root.sh")], env={**os.environ, **settings}, stdout=record, stderr=record, check=False
            )
        if done.returncode:
            raise SystemExit(f"no Ceph root was built: root.sh ended with {done.returncode}; its output is in {log}")
        _check_version(made)
        os.replace(made, path)
    return path


def _check_version(root: Path) -> None:
    listed = subprocess.run(
        ["tar", "--extract", "--to-stdout", "--file", str(root), "./var/lib/dpkg/status"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paragraph = next(part for part in listed.split("\n\n") if part.startswith("Package: ceph-osd\n"))
    version = next(line for line in paragraph.splitlines() if line.startswith("Version: ")).removeprefix("Version: ")
    if not version.startswith(f"{CEPH_VERSION}"):
        raise SystemExit(
            f"Debian {SUITE} has Ceph {version}, and the test bed's image is called {CEPH}: change the pin of Ceph, "
            "or name a mirror with the pinned version in BARESTORE_DEBIAN_MIRROR"
        )


def program() -> tuple[File, ...]:
    """The operator's files, as they lie in its image."""
    sources = sorted((HERE / "standin").glob("*.py"))
    files = tuple(File(f"usr/lib/rook-standin/standin/{path.name}", path, 0o644) for path in sources)
    return (*files, File("usr/local/bin/rook", _ROOK, 0o755))


def missing() -> tuple[File, ...]:
    """What Rook's own operator asks for in the Ceph image and test beds or Debian lack, found before Debian's."""
    return tuple(File(f"usr/local/sbin/{path.name}", path, 0o755) for path in sorted((HERE / "missing").iterdir()))


def archive() -> Path:
    """The archive with both images, written where the cache has none with these contents."""
    with locked(CACHE / "images.lock"):
        root = root_tar()
        own = [
            file.target.encode() + b"\0" + (file.source if isinstance(file.source, bytes) else file.source.read_bytes())
            for file in (*missing(), *program())
        ]
        path = CACHE / f"ceph-images-{_digest(root.name.encode(), repr(_LOGS).encode(), *own)}.tar"
        if not path.exists():
            # What mmdebstrap empties at its end.
            folders = Files((Folder("run/ceph", 0o770, 167, 167), _LOGS, *missing()))
            ceph = (Tarball(root), folders)
            entry = {"Entrypoint": ["/usr/local/bin/rook"]}
            images = [Image(CEPH, ceph), Image(OPERATOR, (*ceph, Files(program())), entry)]
            write_archive(path, images)
            for old in path.parent.glob("ceph-images-*.tar"):
                if old != path:
                    old.unlink()
        return path


def serve() -> Path:
    """The archive, with a link where the bed's mirror finds it."""
    made = archive()
    link = CACHE / "served/ceph.tar"
    link.parent.mkdir(parents=True, exist_ok=True)
    new = link.with_suffix(".new")
    new.unlink(missing_ok=True)
    new.symlink_to(made)
    os.replace(new, link)
    return made


if __name__ == "__main__":
    print(serve())
