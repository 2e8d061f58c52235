# SPDX-License-Identifier: GPL-3.0-or-later
"""The mirror of a site without internet: packages, charts, and a registry that answers for images in archives.

An archive that :mod:`ociimage` wrote is served as it lies there: nothing is unpacked or copied. Every registry's names
are answered for, as a site's mirror would: docker.io/rook/ceph is asked for as rook/ceph.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_MANIFEST = re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]+)")
_BLOB = re.compile(r"/v2/.+/blobs/(?P<digest>sha256:[0-9a-f]{64})")
_CHUNK = 1 << 24


@dataclass(frozen=True)
class Blob:
    """Bytes in a file."""

    file: Path
    offset: int
    size: int


class Images:
    """The images of archives; an archive that is added or written anew while this runs is seen at the next question."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        self._known: dict[Path, tuple[float, dict[str, str], dict[str, Blob]]] = {}

    def manifest(self, name: str, reference: str) -> str | None:
        """The digest of ``rook/ceph`` with a tag; a digest is its own answer."""
        if reference.startswith("sha256:"):
            return reference
        for _time, tags, _blobs in self._all():
            if found := tags.get(f"{name}:{reference}"):
                return found
        return None

    def blob(self, digest: str) -> Blob | None:
        """Where the bytes with this digest are."""
        return next((blobs[digest] for _time, _tags, blobs in self._all() if digest in blobs), None)

    def _all(self) -> list[tuple[float, dict[str, str], dict[str, Blob]]]:
        present = {path: path.stat().st_mtime for folder in self._folders for path in sorted(folder.glob("**/*.tar"))}
        for path, changed in present.items():
            if path not in self._known or self._known[path][0] != changed:
                self._known[path] = (changed, *_read(path))
        return [self._known[path] for path in present]


def _read(path: Path) -> tuple[dict[str, str], dict[str, Blob]]:
    """Tags and blobs of an archive; a tar that is no archive of images has neither."""
    blobs: dict[str, Blob] = {}
    index: dict[str, Any] = {"manifests": []}
    with tarfile.open(path) as archive:
        for member in archive:
            folder, _slash, digest = member.name.rpartition("/")
            if folder == "blobs/sha256":
                blobs[f"sha256:{digest}"] = Blob(path, member.offset_data, member.size)
            elif member.name == "index.json" and (stream := archive.extractfile(member)):
                index = json.load(stream)
            elif not blobs and member.name not in ("oci-layout", "index.json"):
                break  # the root of a Debian, perhaps: thousands of members that say nothing
    tags = {}
    for entry in index["manifests"]:
        _registry, _slash, name = entry["annotations"]["io.containerd.image.name"].partition("/")
        tags[name] = entry["digest"]
    return tags, blobs


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD for packages, charts and images."""

    protocol_version = "HTTP/1.1"
    folders: Mapping[str, Path]
    images: Images

    def do_GET(self) -> None:
        """Send a file, a manifest or a blob."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Say what would be sent."""
        self._answer(body=False)

    def log_message(self, format: str, *args: Any) -> None:
        """What was asked for, to standard error."""
        super().log_message(format, *args)

    def _answer(self, *, body: bool) -> None:
        path = unquote(self.path.partition("?")[0])  # apt writes + and ~ as hexadecimal
        if path in ("/v2", "/v2/"):
            self._send("application/json", None, b"{}", body=body)
        elif found := _MANIFEST.fullmatch(path):
            digest = self.images.manifest(found["name"], found["reference"])
            self._blob(digest, "application/vnd.oci.image.manifest.v1+json", body=body)
        elif found := _BLOB.fullmatch(path):
            self._blob(found["digest"], "application/octet-stream", body=body)
        else:
            self._served(*path.removeprefix("/").split("/", 1), body=body)

    def _served(self, top: str, name: str = "", *, body: bool) -> None:
        folder = self.folders.get(top)
        file = (folder / name).resolve() if folder else None
        if folder is None or file is None or folder.resolve() not in file.parents or not file.is_file():
            self.send_error(404)
            return
        self._file(Blob(file, 0, file.stat().st_size), "application/octet-stream", None, body=body)

    def _blob(self, digest: str | None, media_type: str, *, body: bool) -> None:
        found = self.images.blob(digest) if digest else None
        if found is None:
            self._send("application/json", None, b'{"errors":[{"code":"NAME_UNKNOWN"}]}', body=body, status=404)
            return
        self._file(found, media_type, digest, body=body)

    def _send(self, media_type: str, digest: str | None, content: bytes, *, body: bool, status: int = 200) -> None:
        self.send_response(status)
        self._headers(media_type, digest, len(content))
        if body:
            self.wfile.write(content)

    def _file(self, blob: Blob, media_type: str, digest: str | None, *, body: bool) -> None:
        self.send_response(200)
        self._headers(media_type, digest, blob.size)
        if not body:
            return
        self.wfile.flush()
        with blob.file.open("rb") as stream:
            offset, end = blob.offset, blob.offset + blob.size
            while offset < end:
                sent = os.sendfile(self.connection.fileno(), stream.fileno(), offset, min(_CHUNK, end - offset))
                if not sent:
                    break
                offset += sent

    def _headers(self, media_type: str, digest: str | None, length: int) -> None:
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(length))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()


def serve(address: str, port: int, folders: Mapping[str, Path], images: Iterable[Path]) -> ThreadingHTTPServer:
    """A server, bound and not yet answering: call ``serve_forever``.

    :param folders: what is served as it lies there, by the first part of its path: ``apt``, ``charts``.
    """
    handler = type("BoundHandler", (Handler,), {"folders": folders, "images": Images(images)})
    ThreadingHTTPServer.allow_reuse_address = True
    return ThreadingHTTPServer((address, port), handler)
