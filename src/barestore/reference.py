# SPDX-License-Identifier: GPL-3.0-or-later
"""The reference of the documents, written from the schemas: ``python -m barestore.reference host_storage|cluster``.

``ceph_settings`` prints the table of ``docs/ceph.md`` from what is chosen for each Ceph cluster.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .collection import prepare

Schema = Mapping[str, Any]

_INTRODUCTION = """\
<!-- Written from schemas/ by `python -m barestore.reference host_storage`. Do not edit. -->

# host_storage

{description}

A document lies in the variable `host_storage` of a host or group, and in any number of fragments
`host_storage__<word>`, which are merged; the same key in two of them is an error. `barestore validate` checks it
without contacting a host.
"""

_WORDS = """
## Words used below

| word | meaning |
| --- | --- |
| disk reference | `group`: each whole disk of a disk group; `group.partition`: that partition of each disk |
| device reference | a disk reference, or `volume_group/volume` for a logical volume |
| size | a number and a unit (`16 GiB`, `4 TB`), a share (`70%`) or `rest` |
| vdev | exactly one of `stripe`, `mirror`, `raidz1` to `raidz3`, `draid1` to `draid3` with a list of disk references |
"""

_CLUSTER = """\
<!-- Written from schemas/ by `python -m barestore.reference cluster`. Do not edit. -->

# The documents of a site

Kubernetes, the storage on it and where its software comes from are variables of the whole site. They lie in
`group_vars/all`, each as a variable of its own name and any number of fragments such as `ceph__hdd`, which are merged;
the same key in two of them is an error. `barestore validate` checks them, by themselves and against the hosts'
`host_storage` and `rack`, without contacting a host.
"""
CLUSTER_DOCUMENTS = ("kubernetes", "topolvm", "ceph", "sources")


class Reference:
    """Writes one schema, following its references."""

    def __init__(self, schemas: Mapping[str, Schema], flow: Callable[[object], str]) -> None:
        self.schemas = schemas
        self.flow = flow
        self._written: dict[int, str] = {}  # the heading under which a set of keys was listed

    def page(self) -> Iterator[str]:
        """The whole page, piece by piece."""
        root = self.schemas["host_storage.schema.json"]
        yield _INTRODUCTION.format(description=root["description"])
        yield _WORDS
        for name, schema in root["properties"].items():
            yield from self.section(name, schema, "host_storage.schema.json", 2)
        consent = "host_storage_consent.schema.json"
        yield from self.section("host_storage_consent", self.schemas[consent], consent, 1)

    def cluster_page(self) -> Iterator[str]:
        """The page of the documents of a site."""
        yield _CLUSTER
        for name in CLUSTER_DOCUMENTS:
            file = f"{name}.schema.json"
            yield from self.section(name, self.schemas[file], file, 2)

    def resolve(self, schema: Schema, base: str) -> tuple[dict[str, Any], str]:
        """A schema with its reference followed; what stands beside the reference wins."""
        if "$ref" not in schema:
            return dict(schema), base
        name, _hash, pointer = schema["$ref"].partition("#")
        base = name or base
        target: Any = self.schemas[base]
        for step in filter(None, pointer.split("/")):
            target = target[step]
        resolved, base = self.resolve(target, base)
        return {**resolved, **{key: value for key, value in schema.items() if key != "$ref"}}, base

    def section(self, path: str, schema: Schema, base: str, level: int) -> Iterator[str]:
        """A heading, a description, a table of keys and the sections below."""
        full, base = self.resolve(schema, base)
        yield f"\n{'#' * level} {_heading(path)}\n\n{full['description']}\n"
        if full.get("examples"):
            yield f"\n```yaml\n{_last(path)}: {self.flow(full['examples'][0])}\n```\n"
        entry = self._entry(full, base)
        if entry is not None:
            key, inner, base = entry
            full, base = self.resolve(inner, base)
            if full.get("type") == "array":
                full, base = self.resolve(full["items"], base)
                key += "[]"
            path = f"{path}{'' if key == '[]' else '.'}{key}"
            yield f"\n`{path}`: {full['description']}\n"
        below: list[tuple[str, Schema]] = []
        branches = [self.resolve(branch, base) for branch in full.get("anyOf", ())]
        objects = [(branch, where) for branch, where in branches if "properties" in branch]
        if objects:
            full, base = objects[0]
        listed = self._written.setdefault(id(full.get("properties")), path)
        if "properties" in full and listed != path:
            yield f"\nThe keys are those of `{listed}`.\n"
        elif "properties" in full:
            yield "\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
            for name, inner in full["properties"].items():
                resolved, where = self.resolve(inner, base)
                needed = " *" if name in full.get("required", ()) else ""
                default = f"`{self.flow(resolved['default'])}`" if "default" in resolved else ""
                meaning = _cell(resolved["description"])
                yield f"| `{name}`{needed} | {self.values(resolved, where)} | {default} | {meaning} |\n"
                if self._has_section(resolved, where):
                    below.append((f"{path}.{name}", inner))
            if full.get("required"):
                yield "\n\\* must be there.\n"
        for name, inner in below:
            yield from self.section(name, inner, base, min(level + 1, 4))

    def _entry(self, schema: Schema, base: str) -> tuple[str, Schema, str] | None:
        """What a mapping with free names, or a list, holds in each entry."""
        extra = schema.get("additionalProperties")
        if isinstance(extra, Mapping) and "properties" not in schema:
            return "NAME", extra, base
        if schema.get("type") == "array":
            return "[]", schema["items"], base
        return None

    def _has_section(self, schema: Schema, base: str) -> bool:
        if "properties" in schema:
            return True
        if any("properties" in self.resolve(branch, base)[0] for branch in schema.get("anyOf", ())):
            return True
        entry = self._entry(schema, base)
        return entry is not None and self._has_section(self.resolve(entry[1], entry[2])[0], entry[2])

    def values(self, schema: Schema, base: str) -> str:
        """What a key may have, in the words of its examples."""
        if "enum" in schema:
            return ", ".join(f"`{self.flow(value)}`" for value in schema["enum"] if not isinstance(value, bool))
        if "const" in schema:
            return f"`{self.flow(schema['const'])}`"
        if "anyOf" in schema:
            branches = [self.resolve(branch, base)[0] for branch in schema["anyOf"]]
            if all(branch.get("type") in ("object", "array") for branch in branches):
                return "mapping, or list of such"
            return " or ".join(self.values(branch, base) for branch in branches)
        if "minimum" in schema and "maximum" in schema and schema.get("type") == "integer":
            return f"{schema['minimum']} to {schema['maximum']}"
        kind = schema.get("type", "")
        kinds = [kind] if isinstance(kind, str) else [each for each in kind if each != "boolean"]
        kind = " or ".join(_TYPES[each] for each in kinds)
        example = schema.get("examples", [None])[0]
        shown = example is not None and not isinstance(example, bool) and "properties" not in schema
        shown = shown and not ("object" in kinds or len(self.flow(example)) > 60)
        return f"{kind}, such as `{_cell(self.flow(example))}`" if shown else kind


_TYPES = {
    "": "",
    "object": "mapping",
    "array": "list",
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true`, `false`",
}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _last(path: str) -> str:
    return path.rsplit(".", 1)[-1]


def _heading(path: str) -> str:
    return path if "." not in path else f"`{path}`"


def page(name: str = "host_storage") -> str:
    """The reference of ``host_storage`` or ``cluster``, or the table of ``ceph_settings``, as Markdown."""
    prepare()
    from ansible_collections.barestore.storage.plugins.plugin_utils.schema import load_schemas
    from ansible_collections.barestore.storage.plugins.plugin_utils.yaml_words import flow

    if name == "ceph_settings":
        return "".join(_settings(flow))
    reference = Reference(load_schemas(), flow)
    return "".join(reference.page() if name == "host_storage" else reference.cluster_page())


def _settings(flow: Callable[[object], str]) -> Iterator[str]:
    from ansible_collections.barestore.storage.plugins.module_utils.cluster.objects import settings

    yield "| setting | value | why | where that comes from |\n| --- | --- | --- | --- |\n"
    parts = (("", settings.SPEC), ("rook-config-override: ", settings.FILE), ("cephConfig: ", settings.CONFIG))
    for where, chosen in parts:
        for each in chosen:
            value = _cell(flow(each.value))
            yield f"| {where}`{each.path}` | `{value}` | {_cell(each.reason)} | {_cell(each.source)} |\n"
    yield "\n| OSD | processors | memory | tuning |\n| --- | --- | --- | --- |\n"
    kinds = [*settings.BY_CLASS.items(), ("below 100 GiB", settings.SMALL_OSD)]
    for name, kind in kinds:
        yield f"| {name} | {kind.cpu} | {kind.memory} | {kind.reason} |\n"


if __name__ == "__main__":
    print(page(*sys.argv[1:]), end="")
