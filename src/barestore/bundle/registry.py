# SPDX-License-Identifier: GPL-3.0-or-later
"""Images from a registry into a bundle, by the distribution protocol: one platform, blobs checked by digest."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Failed
from .layout import Layout

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_CHUNK = 1024 * 1024
_TIMEOUT = 60
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class Registry:
    """One registry; ``plain`` speaks http, as a registry on this machine does."""

    def __init__(self, host: str, plain: bool = False) -> None:
        self._base = f"{'http' if plain else 'https'}://{'registry-1.docker.io' if host == 'docker.io' else host}/v2"
        self._tokens: dict[str, str] = {}

    def open(self, repository: str, path: str, accept: tuple[str, ...] = ()) -> Any:
        """An answer to be read; a token is asked for where the registry wants one."""
        headers = {"Accept": ", ".join(accept)} if accept else {}
        for _attempt in range(2):
            if repository in self._tokens:
                headers["Authorization"] = f"Bearer {self._tokens[repository]}"
            request = urllib.request.Request(f"{self._base}/{repository}/{path}", headers=headers)
            try:
                return urllib.request.urlopen(request, timeout=_TIMEOUT)
            except urllib.error.HTTPError as error:
                if error.code != 401 or repository in self._tokens:
                    raise
                self._tokens[repository] = _token(error.headers.get("WWW-Authenticate", ""), repository)
        raise AssertionError("a second attempt answers or raises")


def _token(challenge: str, repository: str) -> str:
    told = dict(_CHALLENGE.findall(challenge))
    query = urllib.parse.urlencode({"service": told.get("service", ""), "scope": f"repository:{repository}:pull"})
    with urllib.request.urlopen(f"{told['realm']}?{query}", timeout=_TIMEOUT) as answer:
        found = json.loads(answer.read())
    return str(found.get("token") or found["access_token"])


def split(reference: str) -> tuple[str, str, str]:
    """``quay.io/ceph/ceph:v20.2.4`` as host, repository and tag; a digest takes the place of the tag."""
    name, _at, digest = reference.partition("@")
    host, _slash, rest = name.partition("/")
    repository, _colon, tag = rest.rpartition(":")
    return host, repository, digest or tag


def fetch(reference: str, layout: Layout, registry: Registry, architecture: str = "amd64") -> int:
    """Bring an image into the layout; the number of bytes that had to be fetched.

    :raises Failed: the registry has no such image, cannot be reached, or gives something else than it names.
    """
    _host, repository, tag = split(reference)
    try:
        manifest, descriptor, fetched = _manifest(registry, repository, tag, architecture)
        digest = str(descriptor["digest"])
        if "@" in reference and tag not in (digest, descriptor["asked"]):
            raise Failed(f"The registry gives {digest} for {reference}; nothing of it is kept.")
        for each in (manifest["config"], *manifest["layers"]):
            if not layout.has(each["digest"], each["size"]):
                with registry.open(repository, f"blobs/{each['digest']}") as answer:
                    layout.put(each["digest"], _chunks(answer))
                fetched += each["size"]
        layout.put(digest, iter([descriptor["content"]]))
    except (OSError, ValueError, KeyError) as error:
        raise Failed(f"Image {reference} cannot be fetched: {_reason(error)}; see that the name is right.") from error
    layout.name(reference, {key: descriptor[key] for key in ("mediaType", "digest", "size")})
    return fetched


def _manifest(
    registry: Registry, repository: str, tag: str, architecture: str
) -> tuple[Mapping[str, Any], dict[str, Any], int]:
    """The manifest of the one platform, its descriptor with the content, and how many bytes that took."""
    content, kind = _read(registry, repository, tag)
    asked = f"sha256:{hashlib.sha256(content).hexdigest()}"
    fetched = len(content)
    found = json.loads(content)
    if kind in _INDEXES or "manifests" in found:
        platforms = [each for each in found["manifests"] if each.get("platform", {}).get("os") == "linux"]
        chosen = [each for each in platforms if each["platform"].get("architecture") == architecture]
        if not chosen:
            raise ValueError(f"it is not built for linux/{architecture}")
        content, kind = _read(registry, repository, chosen[0]["digest"])
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != chosen[0]["digest"]:
            raise ValueError(f"its manifest is not {chosen[0]['digest']}")
        fetched += len(content)
        found = json.loads(content)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    kind = found.get("mediaType") or kind or _MANIFESTS[0]
    return (
        found,
        {"mediaType": kind, "digest": digest, "size": len(content), "content": content, "asked": asked},
        fetched,
    )


def _read(registry: Registry, repository: str, tag: str) -> tuple[bytes, str]:
    with registry.open(repository, f"manifests/{tag}", (*_INDEXES, *_MANIFESTS)) as answer:
        return answer.read(), answer.headers.get_content_type()


def _chunks(answer: Any) -> Iterator[bytes]:
    while chunk := answer.read(_CHUNK):
        yield chunk


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return "the registry has no such image" if error.code == 404 else f"the registry answers {error.code}"
    if isinstance(error, urllib.error.URLError):
        return f"the registry cannot be reached ({error.reason})"
    return " ".join(str(error).split())
