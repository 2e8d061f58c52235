# SPDX-License-Identifier: GPL-3.0-or-later
"""The script that takes snapshots of etcd, run with a kubectl that writes one."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import jinja2

TEMPLATE = Path(__file__).resolve().parents[2] / "roles/kubernetes/templates/etcd-snapshot.j2"


def test_it_makes_its_folder_and_keeps_the_newest(tmp_path: Path) -> None:
    folder, data, tools = tmp_path / "new" / "snapshots", tmp_path / "etcd", tmp_path / "bin"
    data.mkdir()
    tools.mkdir()
    (tools / "kubectl").write_text(f"#!/bin/sh\necho snapshot >{data}/barestore-snapshot.db\n")
    (tools / "kubectl").chmod(0o755)
    environment = jinja2.Environment(autoescape=False)
    environment.filters["quote"] = shlex.quote
    script = environment.from_string(TEMPLATE.read_text()).render(
        kubernetes_snapshots={"folder": str(folder), "keep": 2},
        kubernetes_document={"control_plane": {"etcd": {"data_dir": str(data)}}},
        inventory_hostname="cp1",
    )
    environ = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["sh"], input=script, text=True, check=True, env=environ)
    assert folder.stat().st_mode & 0o777 == 0o700
    [taken] = folder.iterdir()
    for day in (1, 2):
        (folder / f"etcd-2000010{day}T000000Z.db").touch()
    subprocess.run(["sh"], input=script, text=True, check=True, env=environ)
    kept = sorted(folder.iterdir())
    assert len(kept) == 2
    assert taken in kept
