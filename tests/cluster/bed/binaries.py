# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes, etcd, containerd and what belongs to them, compiled from the Go module proxy where no registry has them.

Each module is required by a main module of our own, so that its exact version is what the checksum database knows.
Compiled packages stay in Go's own cache: only the first build of a version is slow (10 minutes on two processors).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.cluster.bed.folders import CACHE, built

Say = Callable[[str], None]

KUBERNETES = "v1.34.4"
CONTAINERD = "v2.2.0"
ETCD = "v3.6.5"
COREDNS = "v1.12.1"
HELM = "v3.19.0"
FLANNEL = "v0.27.4"
# The last release of the plugins that has flannel's.
CNI_PLUGINS = "v0.9.1"


class BedError(Exception):
    """Something that a person can act upon; the text is complete without a traceback."""


@dataclass(frozen=True)
class Module:
    """A Go module and its programs, by the path of their package below it ('' is the module itself)."""

    name: str
    path: str
    version: str
    programs: tuple[str, ...]
    tags: str = ""
    variables: tuple[str, ...] = ()  # what the linker writes into the program, as package.Name=value
    c: bool = False  # has parts in C, so that it runs where this machine's libc does


_VERSION = "k8s.io/component-base/version"

MODULES = (
    Module(
        "kubernetes",
        "k8s.io/kubernetes",
        KUBERNETES,
        (
            "cmd/kube-apiserver", "cmd/kube-controller-manager", "cmd/kube-scheduler", "cmd/kubelet", "cmd/kubeadm",
            "cmd/kubectl", "cmd/kube-proxy",
        ),
        variables=(
            f"{_VERSION}.gitVersion={KUBERNETES}",
            f"{_VERSION}.gitMajor=1",
            f"{_VERSION}.gitMinor={KUBERNETES.split('.')[1]}",
        ),
    ),
    Module(
        "containerd",
        "github.com/containerd/containerd/v2",
        CONTAINERD,
        ("cmd/containerd", "cmd/containerd-shim-runc-v2", "cmd/ctr"),
        "no_btrfs,no_devmapper,no_zfs,no_aufs",
        (f"github.com/containerd/containerd/v2/version.Version={CONTAINERD}",),
    ),
    Module("etcd", "go.etcd.io/etcd/server/v3", ETCD, ("",)),
    Module("etcdctl", "go.etcd.io/etcd/etcdctl/v3", ETCD, ("",)),
    Module("coredns", "github.com/coredns/coredns", COREDNS, ("",)),
    Module("flannel", "github.com/flannel-io/flannel", FLANNEL, ("",), c=True),
    Module("flannel-plugin", "github.com/containernetworking/plugins", CNI_PLUGINS, ("plugins/meta/flannel",)),
    Module("helm", "helm.sh/helm/v3", HELM, ("cmd/helm",)),
)  # fmt: skip
# The process that holds a pod's namespaces: it waits, and reaps what the pod's other processes leave behind.
_PAUSE = """\
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for one := range signals {
		if one != syscall.SIGCHLD {
			os.Exit(0)
		}
		for {
			if pid, _ := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 {
				break
			}
		}
	}
}
"""


def ensure(module: Module, say: Say) -> dict[str, Path]:
    """The module's programs by name, compiled now if they are not in the cache."""

    def build(folder: Path) -> None:
        say(f"compiling {module.name} {module.version}; the first time this takes minutes")
        _compile(module, folder)

    folder = built("programs", json.dumps([asdict(module), _go("version")], sort_keys=True), build)
    return {path.name: path for path in sorted((folder / "bin").iterdir())}


def everything(say: Say) -> dict[str, Path]:
    """All programs by name, with ``pause``; ``flannel`` is the plugin, ``flanneld`` the daemon."""
    found: dict[str, Path] = {"pause": _pause()}
    for module in MODULES:
        found.update(ensure(module, say))
    return found


def _compile(module: Module, folder: Path) -> None:
    (folder / "bin").mkdir()
    text = f"module barestore.invalid/bed/{module.name}\n\ngo 1.24.0\n\nrequire {module.path} {module.version}\n"
    (folder / "go.mod").write_text(text + _replacements(module))
    flags = ["-s", "-w", *(f"-X {variable}" for variable in module.variables)]
    packages = [f"{module.path}/{program}".rstrip("/") for program in module.programs]
    for package in packages:
        # -mod=mod: what the module needs besides is written into our go.mod, and its sums are checked.
        _go(
            "build", "-mod=mod", "-tags", module.tags, "-ldflags", " ".join(flags),
            "-o", str(folder / "bin" / _program(module, package)), package, folder=folder, c=module.c,
        )  # fmt: skip


def _program(module: Module, package: str) -> str:
    if package == module.path:
        return {"flannel": "flanneld"}.get(module.name, module.name)
    return package.rpartition("/")[2]


def _replacements(module: Module) -> str:
    """Kubernetes names its own parts as v0.0.0, which its release process publishes as v0.X.Y."""
    if module.name != "kubernetes":
        return ""
    described = json.loads(_go("mod", "download", "-json", f"{module.path}@{module.version}"))
    required = json.loads(_go("mod", "edit", "-json", described["GoMod"]))["Require"]
    parts = [entry["Path"] for entry in required if entry["Version"] == "v0.0.0"]
    version = module.version.replace("v1.", "v0.")
    return "".join(f"replace {part} => {part} {version}\n" for part in parts)


def _pause() -> Path:
    def build(folder: Path) -> None:
        (folder / "go.mod").write_text("module barestore.invalid/bed/pause\n\ngo 1.24.0\n")
        (folder / "main.go").write_text(_PAUSE)
        _go("build", "-ldflags", "-s -w", "-o", "pause", ".", folder=folder)

    return built("programs", _PAUSE + _go("version"), build) / "pause"


def _go(*words: str, folder: Path | None = None, c: bool = False) -> str:
    environment = {
        **os.environ,
        # Where this machine's Go is too old, tests/setup/cluster-host.sh has put another one there.
        "PATH": f"{CACHE}/go/bin:{os.environ.get('PATH', os.defpath)}:/usr/local/go/bin:/usr/lib/go/bin",
        "CGO_ENABLED": "1" if c else "0",
        "GOFLAGS": "-trimpath",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    try:
        done = subprocess.run(
            ["go", *words], cwd=folder or "/", env=environment, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise BedError("Kubernetes is compiled with Go, which is not here; run tests/setup/cluster-host.sh") from error
    if done.returncode:
        last = "; ".join(line for line in done.stderr.splitlines() if not line.startswith("go: downloading"))[-800:]
        raise BedError(f"go {' '.join(words[:2])} {words[-1]} failed: {last}")
    return done.stdout
