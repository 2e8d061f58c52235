# SPDX-License-Identifier: GPL-3.0-or-later
"""A source of documents for tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.barestore.storage.plugins.plugin_utils.located_yaml import LocatedYaml, Place

Path = tuple[str | int, ...]


@dataclass
class OneFile:
    """The source of a document that is one variable in one file."""

    yaml: LocatedYaml
    root: Path = field(default=("host_storage",))
    name: str = "host_storage"

    def variable(self, path: Path) -> str:
        return self.name

    def place(self, path: Path, key: bool) -> Place | None:
        full = (*self.root, *path)
        return self.yaml.key_place(full) if key else self.yaml.value_place(full)

    def text(self, path: Path) -> str | None:
        return self.yaml.texts.get((*self.root, *path))
