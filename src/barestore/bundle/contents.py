# SPDX-License-Identifier: GPL-3.0-or-later
"""What a site needs from outside, where it lies in a bundle, and what of it a bundle lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import Failed
from ..site import SiteError, load_site
from .layout import Layout

if TYPE_CHECKING:
    from ansible_collections.barestore.storage.plugins.module_utils.cluster.artifacts import Artifact


def of_inventory(inventory: Path) -> tuple[Artifact, ...]:
    """What the documents of the inventory ask for.

    :raises Failed: the inventory cannot be read, has mistakes, or asks for nothing of the kind.
    """
    try:
        site = load_site(inventory)
    except SiteError as error:
        raise Failed(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    sentences = [finding.sentence() for finding in site.all_findings()]
    if sentences:
        raise Failed("\n".join([*sentences, "Correct this and run again."]))
    from ansible_collections.barestore.storage.plugins.module_utils.cluster.artifacts import wanted
    from ansible_collections.barestore.storage.plugins.plugin_utils.cluster_document import with_defaults

    sections: dict[str, Mapping[str, Any]] = {}
    for host in site.hosts:
        for name, value in (host.cluster.sections if host.cluster else {}).items():
            sections.setdefault(name, with_defaults(name, value))
    found = wanted(sections)
    if not found:
        raise Failed(f"Inventory {inventory} has no kubernetes, ceph or topolvm, so it needs no bundle.")
    return found


def place(artifact: Artifact, layout: Layout) -> Path:
    """Where something that is no image lies in a bundle; packages share a folder and begin with their name."""
    if artifact.kind == "chart":
        return layout.folder / "charts" / f"{artifact.name}-{artifact.version}.tgz"
    if artifact.kind == "binary":
        return layout.folder / "binaries" / artifact.version / artifact.reference.rpartition("/")[2]
    return layout.folder / "packages"


def lacking(artifacts: tuple[Artifact, ...], layout: Layout, thorough: bool = False) -> Iterator[str]:
    """A sentence for each thing that the bundle lacks or has damaged: all of them, not the first."""
    named = layout.manifests()
    for each in artifacts:
        if each.kind == "image":
            if each.reference not in named:
                yield f"image {each.reference} is missing"
                continue
            yield from (f"image {each.reference}: {text}" for text in layout.wrong(named[each.reference], thorough))
        elif each.kind == "package":
            if not any(place(each, layout).glob(f"{each.name}_*.deb")):
                yield f"package {each.name} is missing"
        elif not place(each, layout).is_file():
            yield f"{each.kind} {each.name} {each.version} is missing"
