# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that a Kubernetes of the bed pulls, under the names that the manifest of artifacts gives them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from barestore import collection
from barestore.lab import debian
from tests.cluster.bed import binaries
from tests.cluster.bed.folders import built
from tests.cluster.bed.ociimage import File, Files, Image, Link, Tarball, write_archive

collection.prepare()

from ansible_collections.barestore.storage.plugins.module_utils.cluster.artifacts import IMAGES  # noqa: E402

Say = Callable[[str], None]

NAMES = {each.name: each.reference for each in IMAGES if each.needs == "kubernetes"}
BUSYBOX = Path("/bin/busybox")
_APPLETS = ("sh", "cp", "cat", "sleep", "wget", "nc", "dd", "sha256sum")
# What kube-proxy and flannel start on a node's behalf.
_NETWORK_TOOLS = "iptables,nftables,conntrack,ipset,iproute2,ca-certificates"


def ensure(programs: Mapping[str, Path], say: Say) -> Path:
    """The archive of all images."""
    root = _network_root(say)

    def build(folder: Path) -> None:
        say("putting the images together")
        write_archive(folder / "kubernetes.tar", wanted(programs, root))

    found = {name: str(path) for name, path in sorted(programs.items())}
    recipe = json.dumps([found, NAMES, str(root), Path(__file__).read_text()])
    return built("images", recipe, build) / "kubernetes.tar"


def wanted(programs: Mapping[str, Path], network_root: Path) -> list[Image]:
    """The images; ``network_root`` is a tar of Debian with the tools of the network."""
    tools = Tarball(network_root)
    busybox = Files((File("bin/busybox", BUSYBOX), *(Link(f"bin/{name}", "busybox") for name in _APPLETS)))

    def holding(*names: str, folder: str = "usr/local/bin") -> Files:
        return Files(tuple(File(f"{folder}/{name}", programs[name]) for name in names))

    control_plane = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
    return [
        *(Image(NAMES[name], (holding(name),)) for name in control_plane),
        Image(NAMES["kube-proxy"], (tools, holding("kube-proxy"))),
        Image(NAMES["etcd"], (holding("etcd", "etcdctl"),)),
        Image(NAMES["pause"], (holding("pause", folder=""),), {"Entrypoint": ["/pause"], "User": "65535:65535"}),
        Image(NAMES["coredns"], (holding("coredns", folder=""),), {"Entrypoint": ["/coredns"]}),
        Image(NAMES["flannel"], (tools, holding("flanneld", folder="opt/bin"))),
        Image(NAMES["flannel-cni-plugin"], (busybox, holding("flannel", folder=""))),
        Image("docker.io/library/busybox:stable", (busybox,), {"Cmd": ["sh"]}),
    ]


def _network_root(say: Say) -> Path:
    def build(folder: Path) -> None:
        say("building a small Debian with the tools of the network")
        argv = [
            "mmdebstrap", "--mode=root", "--variant=minbase", "--aptopt=Acquire::Check-Valid-Until \"false\"",
            "--aptopt=Apt::Install-Recommends \"false\"", "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*",
            f"--include={_NETWORK_TOOLS}", "--customize-hook=rm -rf \"$1\"/var/lib/apt/lists/* \"$1\"/var/cache/apt/*",
            "bookworm", str(folder / "root.tar"), debian.mirror(),
        ]  # fmt: skip
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise binaries.BedError(f"mmdebstrap failed: {done.stderr.strip().splitlines()[-1]}")

    return built("images", f"bookworm {_NETWORK_TOOLS}", build) / "root.tar"
