# SPDX-License-Identifier: GPL-3.0-or-later
"""Container images without a registry: an OCI layout in one tar, which ``ctr images import`` takes.

    kubectl = File("usr/bin/kubectl", Path("build/kubectl"))
    write_archive(Path("tools.tar"), [Image("registry.example/tools:1", (Files((kubectl,)),))])
    ctr -n k8s.io images import tools.tar

Equal contents give equal bytes: no time, owner or name of this machine gets into a layer that is made here. Layers
that images share, by content, are in the archive once. Layers are not compressed: they never leave the machine.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

_CHUNK = 1 << 22
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class File:
    """A file of a layer: its path in the image, and where its bytes are, on disk or here."""

    target: str
    source: Path | bytes
    mode: int = 0o755


@dataclass(frozen=True)
class Link:
    """A symbolic link of a layer, such as ``Link("bin/sh", "busybox")``."""

    target: str
    to: str


@dataclass(frozen=True)
class Folder:
    """A folder of a layer; those above files and links come by themselves, with mode 0755 and root as owner."""

    target: str
    mode: int = 0o755
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True)
class Files:
    """A layer of single files, links and folders, all owned by root."""

    entries: tuple[File | Link | Folder, ...]


@dataclass(frozen=True)
class Tarball:
    """A layer that is a tar already, not compressed, such as the root that mmdebstrap wrote; it is taken as it is."""

    path: Path


@dataclass(frozen=True)
class Image:
    """An image by its whole name, such as ``docker.io/library/busybox:1``; later layers lie over earlier ones.

    ``config`` is the OCI one: Env, Entrypoint, Cmd, User, WorkingDir. Env has a PATH unless it is given.
    """

    name: str
    layers: tuple[Files | Tarball, ...]
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Blob:
    digest: str  # sha256:...
    size: int

    def descriptor(self, media_type: str) -> dict[str, Any]:
        return {"mediaType": media_type, "digest": self.digest, "size": self.size}


def write_archive(path: Path, images: Sequence[Image]) -> None:
    """Write the images into one tar, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
            _Writer(archive, path.parent).write(images)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


class _Writer:
    """One archive in the making; a blob that is in it already is not written again."""

    def __init__(self, archive: tarfile.TarFile, scratch: Path) -> None:
        self._archive = archive
        self._scratch = scratch
        self._written: set[str] = set()
        self._layers: dict[Files | Tarball, _Blob] = {}

    def write(self, images: Sequence[Image]) -> None:
        _add_bytes(self._archive, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        manifests = [self._image(image) for image in images]
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": manifests}
        _add_bytes(self._archive, "index.json", _json(index))

    def _image(self, image: Image) -> dict[str, Any]:
        layers = [self._layer(layer) for layer in image.layers]
        platform = {"architecture": "amd64", "os": "linux"}
        config = {
            **platform,
            "config": {"Env": [_PATH], **image.config},
            "rootfs": {"type": "layers", "diff_ids": [layer.digest for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": self._blob(io.BytesIO(_json(config))).descriptor(_CONFIG),
            "layers": [layer.descriptor(_LAYER) for layer in layers],
        }
        return {
            **self._blob(io.BytesIO(_json(manifest))).descriptor(_MANIFEST),
            # containerd takes the image's name from the first, other tools know only the second.
            "annotations": {
                "io.containerd.image.name": image.name,
                "org.opencontainers.image.ref.name": image.name.rpartition(":")[2],
            },
            "platform": platform,
        }

    def _layer(self, layer: Files | Tarball) -> _Blob:
        if layer not in self._layers:
            with _opened(layer, self._scratch) as stream:
                self._layers[layer] = self._blob(stream)
        return self._layers[layer]

    def _blob(self, stream: IO[bytes]) -> _Blob:
        digest = hashlib.sha256()
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
        blob = _Blob(f"sha256:{digest.hexdigest()}", stream.tell())
        if blob.digest not in self._written:
            stream.seek(0)
            self._archive.addfile(_entry(f"blobs/sha256/{digest.hexdigest()}", blob.size, 0o644), stream)
            self._written.add(blob.digest)
        return blob


@contextmanager
def _opened(layer: Files | Tarball, scratch: Path) -> Iterator[IO[bytes]]:
    """A layer's tar, to be read twice: once for its digest, once for the archive."""
    if isinstance(layer, Tarball):
        with layer.path.open("rb") as stream:
            yield stream
        return
    with tempfile.TemporaryFile(dir=scratch) as made:
        with tarfile.open(fileobj=made, mode="w") as archive:
            for entry in _with_folders(layer.entries):
                _add(archive, entry)
        made.seek(0)
        yield made


def _with_folders(entries: Sequence[File | Link | Folder]) -> Iterator[File | Link | Folder]:
    """The entries, each after the folders above it."""
    seen = {_clean(entry.target) for entry in entries if isinstance(entry, Folder)}
    for entry in entries:
        for parent in reversed(PurePosixPath(_clean(entry.target)).parents):
            if str(parent) not in (".", *seen):
                seen.add(str(parent))
                yield Folder(str(parent))
        yield entry


def _add(archive: tarfile.TarFile, entry: File | Link | Folder) -> None:
    target = _clean(entry.target)
    if isinstance(entry, Link):
        made = _entry(target, 0, 0o777)
        made.type, made.linkname = tarfile.SYMTYPE, entry.to
        archive.addfile(made)
    elif isinstance(entry, Folder):
        made = _entry(target, 0, entry.mode)
        made.type, made.uid, made.gid = tarfile.DIRTYPE, entry.uid, entry.gid
        archive.addfile(made)
    elif isinstance(entry.source, bytes):
        _add_bytes(archive, target, entry.source, entry.mode)
    else:
        with entry.source.open("rb") as stream:
            archive.addfile(_entry(target, entry.source.stat().st_size, entry.mode), stream)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    archive.addfile(_entry(name, len(content), mode), io.BytesIO(content))


def _entry(name: str, size: int, mode: int) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.mode = size, mode
    return made


def _clean(target: str) -> str:
    return str(PurePosixPath(target)).lstrip("/")


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
