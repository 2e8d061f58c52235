# SPDX-License-Identifier: GPL-3.0-or-later
"""The charts of the pinned Rook and of its CSI drivers, put together from Go modules as their releases are.

A Go module has no links, so that the library which Rook's charts share is copied into them, as their release does.
``python -m tests.cluster.objects.charts FOLDER`` leaves them there as archives, as a bundle has them.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from barestore import collection

collection.prepare()

from ansible_collections.barestore.storage.plugins.module_utils.cluster.versions import (  # noqa: E402
    KUBERNETES_DEFAULT,
    ROOK,
)
from tests.cluster.bed import binaries  # noqa: E402
from tests.cluster.bed.folders import built  # noqa: E402
from tests.cluster.objects.crds import CSI_MODULE, ROOK_MODULE, module  # noqa: E402


def helm() -> str:
    """The real helm: ``BARESTORE_HELM``, that of the test bed, or that of the machine."""
    named = os.environ.get("BARESTORE_HELM") or shutil.which("helm")
    if named is None:
        [module_of_helm] = [each for each in binaries.MODULES if each.name == "helm"]
        named = str(binaries.ensure(module_of_helm, print)["helm"])
    return named


@functools.cache
def folder() -> Path:
    """The charts, put together once for all tests of a run."""
    made = Path(tempfile.mkdtemp(prefix="barestore-charts-"))
    put_together(made)
    return made


def put_together(target: Path) -> None:
    """Copy each chart into ``target``, with the charts that it depends on."""
    rook, csi = module(ROOK_MODULE) / "deploy/charts", module(CSI_MODULE) / "deploy/charts"
    for name in ("rook-ceph", "rook-ceph-cluster"):
        _copy(rook / name, target / name)
        _copy(rook / "library", target / name / "charts/library")
        _version(target / name, ROOK[0])
    _copy(csi / "ceph-csi-operator", target / "rook-ceph/charts/ceph-csi-operator")
    _version(target / "rook-ceph/charts/ceph-csi-operator", "1.0.4", "v1.0.4")
    _copy(csi / "ceph-csi-drivers", target / "ceph-csi-drivers")
    _version(target / "ceph-csi-drivers", "1.0.4", "v1.0.4")


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # the module cache is read-only


def _version(chart: Path, version: str, app: str | None = None) -> None:
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    about.update(version=version, appVersion=app or version)
    (chart / "Chart.yaml").write_text(yaml.safe_dump(about))


def rendered(chart: str, namespace: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects that helm makes of a chart with these values, as it would give them to the API server."""
    argv = [helm(), "template", chart, str(folder() / chart), "--namespace", namespace, "--values", "-"]
    argv += ["--kube-version", KUBERNETES_DEFAULT]
    done = subprocess.run(argv, input=json.dumps(values), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [each for each in yaml.load_all(done.stdout, Loader=loader) if each]


def archive(target: Path) -> None:
    """Write the charts as archives into ``target``, under the names that a bundle has."""
    target.mkdir(parents=True, exist_ok=True)
    for chart in ("rook-ceph", "ceph-csi-drivers"):
        argv = [helm(), "package", str(folder() / chart), "--destination", str(target)]
        subprocess.run(argv, check=True, stdout=sys.stderr)


def repository() -> Path:
    """A folder that is a chart repository, as a site's mirror has one; made once."""

    def build(made: Path) -> None:
        archive(made)
        subprocess.run([helm(), "repo", "index", str(made)], check=True)

    return built("charts", f"{ROOK_MODULE} {CSI_MODULE} {Path(__file__).read_text()}", build)


if __name__ == "__main__":
    archive(Path(sys.argv[1]))
