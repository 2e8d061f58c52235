# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps what Python compiles of the zip that Ansible sends: an emulated host needs eight seconds for it each time.

It becomes ``sitecustomize.py`` of the interpreter that the lab's tests tell Ansible of (``quick.py``); what runs, and
how Ansible sends it, is the same. Neither the demonstration nor the bench has it.
"""

import hashlib
import marshal
import os
import zipimport
from types import CodeType

_FOLDER = "/run/compiled"
_compile = zipimport._compile_source  # type: ignore[attr-defined]


def _kept(path: str, source: bytes) -> CodeType:
    kept = f"{_FOLDER}/{hashlib.sha256(source).hexdigest()}"
    try:
        with open(kept, "rb") as handle:
            found: CodeType = marshal.load(handle)  # noqa: S302  # written by this file, in a folder of root
            return found
    except (OSError, EOFError, ValueError):
        code: CodeType = _compile(path, source)
        os.makedirs(_FOLDER, mode=0o700, exist_ok=True)
        with open(f"{kept}.{os.getpid()}", "wb") as new:
            marshal.dump(code, new)
        os.replace(new.name, kept)
        return code


zipimport._compile_source = _kept  # type: ignore[attr-defined]
