# SPDX-License-Identifier: GPL-3.0-or-later
"""A module launched on a host from files, without all of Ansible, with a hook in its Python that may stop it.

No code of the product knows of any of this.
"""

from __future__ import annotations

import base64
import io
import json
import shlex
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ansible.module_utils
from ansible import release

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "/opt/fault"
_COLLECTION = "ansible_collections.barestore.storage.plugins"
_LEFT_OUT = ("powershell", "csharp", "urls.py", "__pycache__")
# Reads the archive from its standard input.
UNPACK = f"rm -rf {FOLDER}; mkdir -p {FOLDER} /run/fault; base64 -d | tar -xz -C {FOLDER}; sync"


def archive(hook: Path, *more: Path) -> str:
    """Our modules and what they use of Ansible, with the hook as ``sitecustomize``: a tar archive in base64.

    ``more`` are modules beside them.
    """
    package = io.BytesIO()
    with tarfile.open(fileobj=package, mode="w:gz") as tar:
        utils = Path(next(iter(ansible.module_utils.__path__)))
        tar.add(utils, "lib/ansible/module_utils", filter=_wanted)
        tar.add(release.__file__, "lib/ansible/release.py")
        tar.addfile(tarfile.TarInfo("lib/ansible/__init__.py"))
        for name in ("modules", "module_utils"):
            tar.add(ROOT / "plugins" / name, f"lib/{_COLLECTION.replace('.', '/')}/{name}", filter=_wanted)
        tar.add(hook, "hook/sitecustomize.py")
        for file in more:
            tar.add(file, f"lib/{file.name}")
    return base64.b64encode(package.getvalue()).decode()


def _wanted(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if Path(info.name).name in _LEFT_OUT else info


class Launch:
    """One launch of a module, under way. ``fault`` is told to the hook; the host is one of an ``ssh_config``."""

    def __init__(
        self,
        ssh_config: Path,
        host: str,
        module: str,
        arguments: Mapping[str, Any],
        fault: Mapping[str, Any] | None = None,
        check: bool = False,
    ) -> None:
        words = f"FAULT={shlex.quote(json.dumps(fault))} " if fault else ""
        line = f"rm -f /run/fault/go; mkdir -p /run/fault; {words}PYTHONPATH={FOLDER}/hook:{FOLDER}/lib"
        self._process = subprocess.Popen(
            ["ssh", "-F", str(ssh_config), host, f"{line} exec python3 -m {_COLLECTION}.modules.{module}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin and self._process.stdout and self._process.stderr
        self._process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": {**arguments, "_ansible_check_mode": check}}))
        self._process.stdin.close()
        self._said: list[str] = []

    def stop(self) -> str:
        """Wait for the stop; empty when the run ends without one."""
        assert self._process.stderr
        for line in self._process.stderr:
            if line.startswith("FAULT "):
                return line.removeprefix("FAULT ").strip()
            self._said.append(line)
        return ""

    def answer(self) -> dict[str, Any]:
        """What the module answered."""
        assert self._process.stdout and self._process.stderr
        text = self._process.stdout.read()
        self._said += self._process.stderr.readlines()
        code = self._process.wait()
        assert text.strip(), f"the module answered nothing and ended with {code}: {''.join(self._said)[-3000:]}"
        answer: dict[str, Any] = json.loads(text)
        return answer

    def await_end(self) -> None:
        """The module was killed: until it is gone, so that the next one finds the lock free."""
        assert self._process.stderr
        self._process.stderr.read()
        self._process.wait()

    def abandon(self) -> None:
        """The host is gone: let the connection go too."""
        self._process.kill()
        self._process.wait()
