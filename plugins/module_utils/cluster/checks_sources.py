# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Sources that lack what their kind needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..host.problems import Problem, did_you_mean
from .artifacts import IMAGES, unknown_images

_NEEDS = {"mirror": ("registry",), "bundle": ("bundle",)}
_OF = {"registry": "mirror", "charts": "mirror", "binaries": "mirror", "packages": "mirror", "bundle": "bundle"}
_EXAMPLES = {"registry": "registry.example.net:5000", "bundle": "/srv/barestore-bundle"}


def check_sources(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Problems of ``sources``."""
    kind = document.get("from", "internet")
    for key in _NEEDS.get(kind, ()):
        if key not in document:
            yield Problem(("from",), f"from: {kind} needs {key}", f"add {key}, such as {key}: {_EXAMPLES[key]}")
    for key, owner in _OF.items():
        if key in document and kind != owner:
            message = f"{key} counts only with from: {owner}, and this is {kind}"
            yield Problem((key,), message, f"remove it, or write from: {owner}")
    for name in unknown_images(document):
        known = [image.name for image in IMAGES]
        yield Problem(("images", name), f"no image of the manifest is called '{name}'", did_you_mean(name, known))
