# SPDX-License-Identifier: GPL-3.0-or-later
"""The interpreter that Ansible is told of in tests: the host's own, keeping until the next boot what it compiled."""

from __future__ import annotations

from pathlib import Path

from barestore.lab.vm import VirtualMachine

_HOOK = Path(__file__).with_name("quick_hook.py")
_FOLDER = "/usr/local/lib/quick-python3"
_PYTHON = f"{_FOLDER}/python3"
_PUT = f"""mkdir -p {_FOLDER} && cat >{_FOLDER}/sitecustomize.py
printf '#!/bin/sh\\nPYTHONPATH={_FOLDER} exec /usr/bin/python3 "$@"\\n' >{_PYTHON} && chmod 755 {_PYTHON}; sync
"""
_have: set[Path] = set()


def quick_python(vm: VirtualMachine) -> str:
    """Its path on this host, where it is put once."""
    if vm.folder not in _have:
        vm.ssh(_PUT, input=_HOOK.read_text())
        _have.add(vm.folder)
    return _PYTHON
