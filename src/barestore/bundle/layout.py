# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a bundle: images as an OCI layout in ``images/``, charts, binaries and packages as files.

Blobs are named by their digest, so that what is there already is never fetched again, and what is damaged is seen.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REF = "org.opencontainers.image.ref.name"
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Layout:
    """One bundle; nothing is there until something is put."""

    folder: Path

    @property
    def images(self) -> Path:
        """The OCI layout."""
        return self.folder / "images"

    def blob(self, digest: str) -> Path:
        """Where a blob lies."""
        kind, _colon, value = digest.partition(":")
        return self.images / "blobs" / kind / value

    def has(self, digest: str, size: int | None = None) -> bool:
        """Whether a blob is there, whole as far as its size tells."""
        path = self.blob(digest)
        return path.is_file() and (size is None or path.stat().st_size == size)

    def put(self, digest: str, chunks: Iterator[bytes]) -> None:
        """Keep a blob under its name when it is what the name says.

        :raises ValueError: its contents have another digest; nothing is kept.
        """
        path = self.blob(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        found = hashlib.sha256()
        try:
            with part.open("wb") as stream:
                for chunk in chunks:
                    found.update(chunk)
                    stream.write(chunk)
            if f"sha256:{found.hexdigest()}" != digest:
                raise ValueError(f"what came as {digest} is sha256:{found.hexdigest()}")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def manifests(self) -> dict[str, Mapping[str, Any]]:
        """The descriptor of each image by its reference."""
        index = self.images / "index.json"
        if not index.is_file():
            return {}
        found = json.loads(index.read_text(encoding="utf-8"))["manifests"]
        return {each.get("annotations", {}).get(REF, ""): each for each in found}

    def name(self, reference: str, descriptor: Mapping[str, Any]) -> None:
        """Say that an image of this reference is in the layout."""
        known = {**self.manifests(), reference: {**descriptor, "annotations": {REF: reference}}}
        self.images.mkdir(parents=True, exist_ok=True)
        (self.images / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}\n', encoding="utf-8")
        index = {"schemaVersion": 2, "manifests": [known[each] for each in sorted(known)]}
        part = self.images / ".index.json"
        part.write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
        part.replace(self.images / "index.json")

    def wrong(self, descriptor: Mapping[str, Any], thorough: bool) -> Iterator[str]:
        """What is wrong with an image: blobs that are missing or cut off, or damaged where ``thorough``."""
        digest = str(descriptor["digest"])
        if not self.has(digest, descriptor.get("size")):
            yield f"{digest} is missing"
            return
        if thorough and _digest(self.blob(digest)) != digest:
            yield f"{digest} is damaged"
            return
        if "manifest" not in str(descriptor.get("mediaType")) and "index" not in str(descriptor.get("mediaType")):
            return
        content = json.loads(self.blob(digest).read_text(encoding="utf-8"))
        for each in (*content.get("manifests", ()), *content.get("layers", ()), *filter(None, [content.get("config")])):
            yield from self.wrong(each, thorough)


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            found.update(chunk)
    return f"sha256:{found.hexdigest()}"
