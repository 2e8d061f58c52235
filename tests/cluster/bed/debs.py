# SPDX-License-Identifier: GPL-3.0-or-later
"""An apt repository for sites without internet: our programs as packages, and Debian's that they and the roles need."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from barestore.lab import debian
from tests.cluster.bed.binaries import CONTAINERD, KUBERNETES, BedError
from tests.cluster.bed.folders import built

Say = Callable[[str], None]

# Of Debian, with all that they depend on and a node does not have.
DEBIAN = (
    "runc", "containernetworking-plugins", "iptables", "conntrack", "ethtool", "socat", "ipset", "keepalived", "curl",
    "chrony", "thin-provisioning-tools", "dosfstools", "cryptsetup-bin", "jq",
)  # fmt: skip

_CONTAINERD_UNIT = """\
[Unit]
Description=containerd container runtime
After=network.target dbus.service

[Service]
ExecStart=/usr/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
LimitNPROC=infinity
LimitCORE=infinity
LimitNOFILE=1048576
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
"""
_KUBELET_UNIT = """\
[Unit]
Description=kubelet: the Kubernetes node agent
Wants=network-online.target
After=network-online.target containerd.service

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=3

[Install]
WantedBy=multi-user.target
"""
_KUBEADM_DROP_IN = """\
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""  # noqa: E501


@dataclass(frozen=True)
class Package:
    """A package of our programs: what it needs, which programs go to /usr/bin, and files by their path."""

    name: str
    version: str
    programs: tuple[str, ...]
    depends: str = ""
    files: tuple[tuple[str, str], ...] = ()


PACKAGES = (
    Package(
        "containerd",
        f"{CONTAINERD.removeprefix('v')}-1bed",
        ("containerd", "containerd-shim-runc-v2", "ctr"),
        "runc",
        (("lib/systemd/system/containerd.service", _CONTAINERD_UNIT),),
    ),
    Package(
        "kubelet",
        f"{KUBERNETES.removeprefix('v')}-1bed",
        ("kubelet",),
        "iptables, conntrack, ethtool, socat, mount, util-linux",
        (
            ("lib/systemd/system/kubelet.service", _KUBELET_UNIT),
            ("usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", _KUBEADM_DROP_IN),
        ),
    ),
    Package("kubeadm", f"{KUBERNETES.removeprefix('v')}-1bed", ("kubeadm",), "kubelet, kubectl"),
    Package("kubectl", f"{KUBERNETES.removeprefix('v')}-1bed", ("kubectl",)),
)


def ensure(programs: Mapping[str, Path], node_root: Path, say: Say) -> Path:
    """The folder of the repository: Packages, Release and the packages themselves.

    :param node_root: the root of a node, whose packages need not be in it.
    """

    def build(folder: Path) -> None:
        say("making the apt repository")
        for package in PACKAGES:
            _make(package, programs, folder)
        _download(node_root, folder)
        _index(folder)

    found = {name: str(programs[name]) for package in PACKAGES for name in package.programs}
    return built("debs", json.dumps([found, str(node_root), Path(__file__).read_text()]), build)


def _make(package: Package, programs: Mapping[str, Path], out: Path) -> None:
    with tempfile.TemporaryDirectory(dir=out) as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "usr/bin").mkdir(parents=True)
        for program in package.programs:
            os.link(programs[program], root / "usr/bin" / program)
        for path, text in package.files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        fields = {
            "Package": package.name,
            "Version": package.version,
            "Architecture": "amd64",
            "Maintainer": "barestore test bed <bed@barestore.invalid>",
            "Description": f"{package.name}, compiled for the test bed",
            **({"Depends": package.depends} if package.depends else {}),
        }
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
        file = out / f"{package.name}_{package.version}_amd64.deb"
        # Not compressed: it crosses one bridge, and each node unpacks it.
        _run(["dpkg-deb", "-Znone", "--root-owner-group", "--build", str(root), str(file)])


def _download(node_root: Path, out: Path) -> None:
    """Debian's packages that a node lacks, by apt with a private state over the node's own list of packages."""
    with tempfile.TemporaryDirectory(prefix="barestore-apt-") as name:
        folder = Path(name)
        for part in ("lists/partial", "cache/archives/partial", "parts", "preferences", "state"):
            (folder / part).mkdir(parents=True)
        line = f"deb [arch=amd64 signed-by={debian.KEYRING}] {debian.mirror()} bookworm main\n"
        (folder / "sources.list").write_text(line)
        options = {
            "Dir::Etc::sourcelist": folder / "sources.list",
            "Dir::Etc::sourceparts": folder / "parts",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": folder / "preferences",
            "Dir::State": folder / "state",
            "Dir::State::lists": folder / "lists",
            "Dir::State::status": node_root / "var/lib/dpkg/status",
            "Dir::Cache": folder / "cache",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "",
            "APT::Install-Recommends": "false",
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "Acquire::Check-Valid-Until": "false",
            "Debug::NoLocking": "true",
        }
        words = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        _run(["apt-get", *words, "-qq", "update"])
        _run(["apt-get", *words, "-qq", "-y", "--download-only", "install", *DEBIAN])
        for file in sorted((folder / "cache/archives").glob("*.deb")):
            (out / file.name).write_bytes(file.read_bytes())


def _index(folder: Path) -> None:
    """The two files that make a folder an apt source."""
    listed = _run(["dpkg-scanpackages", "--multiversion", "."], folder).encode()
    (folder / "Packages").write_bytes(listed)
    (folder / "Packages.gz").write_bytes(gzip.compress(listed, mtime=0))
    lines = [f"Date: {formatdate(usegmt=True)}", "SHA256:"]
    for name in ("Packages", "Packages.gz"):
        content = (folder / name).read_bytes()
        lines.append(f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}")
    (folder / "Release").write_text("\n".join(lines) + "\n")


def _run(argv: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise BedError(f"{argv[0]} failed while the apt repository was made: {last}")
    return done.stdout
