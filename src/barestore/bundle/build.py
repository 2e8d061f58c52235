# SPDX-License-Identifier: GPL-3.0-or-later
"""Fill a bundle on a connected machine: what is there already is left, and what cannot be had is named at the end."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ..errors import Failed
from .contents import place
from .layout import Layout
from .registry import Registry, fetch, split

if TYPE_CHECKING:
    from ansible_collections.barestore.storage.plugins.module_utils.cluster.artifacts import Artifact

Say = Callable[[str], None]
_TIMEOUT = 60


def build(artifacts: tuple[Artifact, ...], layout: Layout, say: Say, plain: bool = False) -> list[str]:
    """Bring everything into the bundle; a sentence for each thing that could not be brought."""
    registries: dict[str, Registry] = {}
    failed = []
    packages = [each for each in artifacts if each.kind == "package"]
    for each in artifacts:
        try:
            if each.kind == "image":
                host = split(each.reference)[0]
                registry = registries.setdefault(host, Registry(host, plain))
                fetched = fetch(each.reference, layout, registry)
                say(f"image {each.reference}: {fetched} bytes")
            elif each.kind != "package" and not place(each, layout).is_file():
                _file(chart_address(each) if each.kind == "chart" else each.reference, place(each, layout))
                say(f"{each.kind} {each.name} {each.version}")
        except Failed as error:
            failed.append(str(error))
    if packages:
        failed += _packages(packages, layout, say)
    return failed


def chart_address(chart: Artifact) -> str:
    """Where the archive of a chart lies, as the index of its repository says.

    :raises Failed: there is no index, or it does not know the chart in this version.
    """
    index = f"{chart.source}/index.yaml"
    entries = yaml.safe_load(_read(index)).get("entries", {}).get(chart.name, [])
    known = {chart.version, f"v{chart.version}", chart.version.removeprefix("v")}
    for entry in entries:
        if str(entry["version"]) in known:
            address = str(entry["urls"][0])
            return address if "://" in address else f"{chart.source}/{address}"
    raise Failed(f"{index} has no chart {chart.name} {chart.version}; see that the version is right.")


def _read(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT) as answer:
            found: bytes = answer.read()
            return found
    except (OSError, ValueError) as error:
        reason = f"the server answers {error.code}" if isinstance(error, urllib.error.HTTPError) else str(error)
        raise Failed(f"{address} cannot be fetched: {reason}.") from error


def _file(address: str, target: Path) -> None:
    content = _read(address)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    part.write_bytes(content)
    part.replace(target)


def _packages(packages: list[Artifact], layout: Layout, say: Say) -> list[str]:
    """Packages with all that they depend on, by apt of this machine, so for its own release."""
    folder = place(packages[0], layout)
    missing = [each.name for each in packages if not any(folder.glob(f"{each.name}_*.deb"))]
    if not missing:
        return []
    if shutil.which("apt-get") is None:
        return [f"Packages {', '.join(missing)} cannot be fetched: this machine has no apt-get."]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as status:
        # An empty status file: nothing counts as installed, so that every dependency is fetched.
        (Path(status) / "status").touch()
        argv = ["apt-get", "install", "--download-only", "--yes", "--no-install-recommends"]
        argv += ["-o", f"Dir::State::status={status}/status", "-o", f"Dir::Cache::archives={folder.resolve()}"]
        argv += ["-o", "Debug::NoLocking=true", *missing]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = " ".join(done.stderr.split()) or "apt-get failed"
        return [f"Packages {', '.join(missing)} cannot be fetched: {reason}."]
    say(f"packages {', '.join(missing)}, with what they depend on")
    return []
