# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one manifest of what a site gets from outside: images, charts, binaries and packages, by name and version.

Versions of the pinned matrix (``versions.py``) are followed where a document asks for another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .versions import CEPH_DEFAULT, KUBERNETES_DEFAULT, ROOK, TOPOLVM_CHARTS


@dataclass(frozen=True)
class Artifact:
    """``source`` is where the maker has it, without the version; ``needs`` the document that asks for it."""

    name: str
    kind: str
    source: str
    version: str
    needs: str
    digest: str = ""
    reason: str = ""

    @property
    def reference(self) -> str:
        """What is fetched: ``quay.io/ceph/ceph:v20.2.4`` for an image, an address for the others."""
        if self.kind == "image":
            return f"{self.source}:{self.version}" + (f"@{self.digest}" if self.digest else "")
        return self.source.replace("{version}", self.version)


def _image(name: str, source: str, version: str, needs: str) -> Artifact:
    return Artifact(name, "image", source, version, needs)


_SIG = "registry.k8s.io/sig-storage"
_K8S = "registry.k8s.io"
# Tags of the images that go with kubeadm 1.34; kubeadm config images list prints those of another version.
_KUBERNETES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
)
IMAGES: tuple[Artifact, ...] = (
    *(_image(name, f"{_K8S}/{name}", f"v{KUBERNETES_DEFAULT}", "kubernetes") for name in _KUBERNETES),
    _image("pause", f"{_K8S}/pause", "3.10.1", "kubernetes"),
    _image("etcd", f"{_K8S}/etcd", "3.6.5-0", "kubernetes"),
    _image("coredns", f"{_K8S}/coredns/coredns", "v1.12.1", "kubernetes"),
    _image("flannel", "ghcr.io/flannel-io/flannel", "v0.27.4", "kubernetes"),
    _image("flannel-cni-plugin", "ghcr.io/flannel-io/flannel-cni-plugin", "v1.8.0-flannel1", "kubernetes"),
    # Rook v1.20.6, deploy/examples/images.txt.
    _image("rook", "docker.io/rook/ceph", ROOK[0], "ceph"),
    _image("ceph", "quay.io/ceph/ceph", CEPH_DEFAULT, "ceph"),
    _image("ceph-csi-operator", "quay.io/cephcsi/ceph-csi-operator", "v1.0.4", "ceph"),
    _image("cephcsi", "quay.io/cephcsi/cephcsi", "v3.17.0", "ceph"),
    _image("csi-addons-sidecar", "quay.io/csiaddons/k8s-sidecar", "v0.14.0", "ceph"),
    _image("csi-attacher", f"{_SIG}/csi-attacher", "v4.12.0", "ceph"),
    _image("csi-node-driver-registrar", f"{_SIG}/csi-node-driver-registrar", "v2.17.0", "ceph"),
    _image("csi-provisioner", f"{_SIG}/csi-provisioner", "v6.2.0", "ceph"),
    _image("csi-resizer", f"{_SIG}/csi-resizer", "v2.1.0", "ceph"),
    _image("csi-snapshotter", f"{_SIG}/csi-snapshotter", "v8.5.0", "ceph"),
    # TopoLVM's chart 17.1.0; the image with sidecars has the CSI sidecars in it.
    _image("topolvm", "ghcr.io/topolvm/topolvm-with-sidecar", "0.41.0", "topolvm"),
    _image("pvc-autoresizer", "ghcr.io/topolvm/pvc-autoresizer", "0.21.0", "autoresizer"),
)
CHARTS: tuple[Artifact, ...] = (
    Artifact("rook-ceph", "chart", "https://charts.rook.io/release", ROOK[0], "ceph"),
    Artifact("ceph-csi-drivers", "chart", "https://ceph.github.io/ceph-csi-operator", "1.0.4", "ceph"),
    Artifact("topolvm", "chart", "https://topolvm.github.io/topolvm", TOPOLVM_CHARTS[0], "topolvm"),
    Artifact("pvc-autoresizer", "chart", "https://topolvm.github.io/pvc-autoresizer", "0.19.0", "autoresizer"),
)
_RELEASE = "https://dl.k8s.io/v{version}/bin/linux/amd64"
BINARIES: tuple[Artifact, ...] = (
    *(
        Artifact(name, "binary", f"{_RELEASE}/{name}", KUBERNETES_DEFAULT, "kubernetes")
        for name in ("kubeadm", "kubelet", "kubectl")
    ),
    Artifact("helm", "binary", "https://get.helm.sh/helm-v{version}-linux-amd64.tar.gz", "3.19.0", "kubernetes"),
)
PACKAGES: tuple[Artifact, ...] = tuple(
    Artifact(name, "package", name, "", needs)
    for name, needs in (
        ("containerd", "kubernetes"),
        ("runc", "kubernetes"),
        ("containernetworking-plugins", "kubernetes"),
        ("conntrack", "kubernetes"),
        ("ebtables", "kubernetes"),
        ("ethtool", "kubernetes"),
        ("iptables", "kubernetes"),
        ("lvm2", "topolvm"),
    )
)


def wanted(sections: Mapping[str, Mapping[str, Any]]) -> tuple[Artifact, ...]:
    """What the documents of a site ask for, in the versions that they ask for, and the site's own images."""
    own = sections.get("sources", {}).get("images", {})
    needs = {name for name in ("kubernetes", "ceph", "topolvm") if name in sections}
    if "autoresizer" in sections.get("topolvm", {}):
        needs.add("autoresizer")
    return tuple(
        _own(_version(each, sections), own.get(each.name) if each.kind == "image" else None)
        for each in (*IMAGES, *CHARTS, *BINARIES, *PACKAGES)
        if each.needs in needs
    )


def _version(each: Artifact, sections: Mapping[str, Mapping[str, Any]]) -> Artifact:
    """The artifact in the version of the document, where that says one."""
    kubernetes = sections.get("kubernetes", {}).get("version", KUBERNETES_DEFAULT)
    if each.name in _KUBERNETES:
        return replace(each, version=f"v{kubernetes}")
    if each.name in ("kubeadm", "kubelet", "kubectl"):
        return replace(each, version=kubernetes)
    if each.name == "ceph" and each.kind == "image":
        return replace(each, version=sections["ceph"]["version"])
    if each.name in ("rook", "rook-ceph"):
        return replace(each, version=sections["ceph"].get("rook", ROOK[0]))
    if each.name == "topolvm" and each.kind == "chart":
        return replace(each, version=sections["topolvm"].get("chart", TOPOLVM_CHARTS[0]))
    return each


def _own(each: Artifact, own: Mapping[str, Any] | None) -> Artifact:
    if own is None:
        return each
    source, _colon, tag = own["source"].rpartition(":")
    return replace(each, source=source, version=tag, digest=own["digest"], reason=own["reason"])


def mirrored(reference: str, registry: str) -> str:
    """``quay.io/ceph/ceph:v20.2.4`` at a registry that has everything: ``REGISTRY/ceph/ceph:v20.2.4``."""
    host, _slash, rest = reference.partition("/")
    return f"{registry}/{rest if '.' in host or ':' in host else reference}"


def image(sections: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """The reference by which pods name an image: the maker's, that of the mirror, or the site's own."""
    sources = sections.get("sources", {})
    found = next(each for each in wanted(sections) if each.kind == "image" and each.name == name)
    if found.reason or sources.get("from", "internet") != "mirror":
        return found.reference
    return mirrored(found.reference, sources["registry"])


def images(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Each image by name, as pods name it."""
    return {each.name: image(sections, each.name) for each in wanted(sections) if each.kind == "image"}


def charts(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Each chart by name, as helm takes it: ``chart``, and ``repository`` and ``version`` where it is not a file."""
    sources = sections.get("sources", {})
    kind = sources.get("from", "internet")
    found = {}
    for each in wanted(sections):
        if each.kind != "chart":
            continue
        if kind == "bundle":
            found[each.name] = {"chart": f"{sources['bundle']}/{chart_file(each)}", "repository": "", "version": ""}
        elif kind == "mirror" and sources.get("charts", "").startswith("oci://"):
            chart = f"{sources['charts']}/{each.name}"
            found[each.name] = {"chart": chart, "repository": "", "version": each.version}
        else:
            place = sources.get("charts", each.source)
            found[each.name] = {"chart": each.name, "repository": place, "version": each.version}
    return found


def chart_file(each: Artifact) -> str:
    """Where a chart lies in a bundle."""
    return f"charts/{each.name}-{each.version}.tgz"


def unknown_images(document: Mapping[str, Any]) -> Iterator[str]:
    """Names of the site's own images that take no place in the manifest."""
    known = {each.name for each in IMAGES}
    yield from (name for name in document.get("images", {}) if name not in known)
