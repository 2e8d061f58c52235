# SPDX-License-Identifier: GPL-3.0-or-later
"""The real CustomResourceDefinitions of the pinned Rook, from its Go module, and objects checked by them."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from ansible_collections.barestore.storage.plugins.module_utils.cluster.versions import ROOK

GO = shutil.which("go") or "/usr/local/go/bin/go"
ROOK_MODULE = f"github.com/rook/rook@{ROOK[0]}"
# The last release of the CSI operator that the module proxy's checksums know; its charts are those of v1.0.4.
CSI_MODULE = "github.com/ceph/ceph-csi-operator@v1.0.3"


@functools.cache
def module(name: str) -> Path:
    """The folder of a Go module in the module cache; it is downloaded where it is not there."""
    argv = [GO, "mod", "download", "-json", name]
    done = subprocess.run(argv, capture_output=True, text=True, cwd="/", check=False, env={**os.environ, "GOFLAGS": ""})
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return Path(json.loads(done.stdout)["Dir"])


@functools.cache
def schemas() -> Mapping[str, Mapping[str, Any]]:
    """The schema of each kind of Rook."""
    found = {}
    text = (module(ROOK_MODULE) / "deploy/examples/crds.yaml").read_text()
    for crd in filter(None, yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))):
        [version] = [each for each in crd["spec"]["versions"] if each["storage"]]
        found[crd["spec"]["names"]["kind"]] = closed(version["schema"]["openAPIV3Schema"])
    return found


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A structural schema as JSON Schema: unknown fields, which an API server would drop silently, are mistakes."""
    found: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            found[key] = {name: closed(each) for name, each in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, Mapping):
            found[key] = closed(value)
        elif not key.startswith("x-") and key not in ("nullable", "format"):
            found[key] = value
    if schema.get("x-kubernetes-int-or-string"):
        found.pop("anyOf", None)
        found["type"] = ["integer", "string"]
    elif schema.get("nullable") and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if "properties" in found and not open_ended:
        found["additionalProperties"] = False
    return found


def mistakes(document: Mapping[str, Any]) -> Iterator[str]:
    """What the definition of its kind finds wrong with an object."""
    schema = dict(schemas()[document["kind"]])
    schema["properties"] = {**schema["properties"], "metadata": {"type": "object"}}
    for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
        yield f"{document['kind']} {document['metadata']['name']} {error.json_path}: {error.message[:300]}"
