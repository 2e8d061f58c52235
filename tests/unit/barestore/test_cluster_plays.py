# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles and lookups of Ceph clusters in real playbooks: what reaches the module, and what nobody is offered."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
HOSTS = """\
all:
  vars: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  children:
    kube_control_plane: {hosts: {cp1: {rack: rack1}}}
    kube_node:
      hosts:
        ss1: {rack: rack1}
        ss2: {rack: rack2}
        ss3: {rack: rack3}
"""
STORAGE = """\
host_storage:
  disks: {osd: {match: {rotational: true}, count: 2}}
  local_volumes: {osd: {storage_class: local-storage}}
"""
SITE = """\
kubernetes: {version: "1.34.4", api: {host: cp1}, external_storage_classes: [vendor]}
ceph:
  version: v20.2.4
  clusters:
    ceph-hdd:
      mons: 1
      device_sets: {hdd: {count: 3, storage_class: local-storage, device_class: hdd}}
      osd_changes: {pace: gentle, windows: ['Sa 22:00-06:00'], replace: [ZL9]}
    ceph-two:
      mons: 1
      device_sets: {ssd: {count: 3, storage_class: vendor, device_class: ssd}}
"""
FOLDER = "/var/lib/barestore/local-volumes"


def play(folder: Path, playbook: str, site: str = SITE, *words: str) -> str:
    """What it said, with the arguments and the results of each task."""
    files = {"hosts": HOSTS, "group_vars/all": site, "group_vars/kube_node": STORAGE, "play": playbook}
    for name, text in files.items():
        path = folder / f"{name}.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    settings = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_HOME": str(folder / "home")}
    argv = [sys.executable, "-m", "ansible", "playbook", "-i", "hosts.yml", "play.yml", "-vvv", *words]
    env = {**os.environ, **settings, "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def decoded(text: str, key: str) -> list[Any]:
    """Each value of this key in the JSON that was printed."""
    places = [match.end() for match in re.finditer(rf'"{key}": ', text)]
    return [json.JSONDecoder().raw_decode(text[place:])[0] for place in places]


def last_play() -> str:
    """The one of site.yml that brings the OSDs to their counts."""
    plays = yaml.safe_load((ROOT / "site.yml").read_text())
    return json.dumps([one for one in plays if one["name"].startswith("Bring the OSDs")])


def test_the_module_gets_what_the_document_says_of_each_cluster(tmp_path: Path) -> None:
    text = play(tmp_path, last_play(), SITE, "--check", "-e", "ceph_osds_expected_digest=sha256:1")
    # There is no kubectl here, so that the first cluster fails, and the second is not begun.
    assert "the Ceph cluster ceph-hdd is not there yet" in text, text[-3000:]
    [hdd] = decoded(text, "module_args")
    assert (hdd["cluster"], hdd["device_sets"]["hdd"]["count"], hdd["failure_domain"]) == ("ceph-hdd", 3, "rack")
    assert (hdd["pace"], hdd["windows"], hdd["replace"]) == ("gentle", ["Sa 22:00-06:00"], ["ZL9"])
    assert (hdd["margin"], hdd["patience"], hdd["accept_health"]) == (0.05, 600, [])
    assert hdd["expected_digest"] == "sha256:1"


def test_what_the_document_leaves_out_is_what_the_schema_says(tmp_path: Path) -> None:
    lines = SITE.splitlines(keepends=True)
    first, second = (next(n for n, line in enumerate(lines) if name in line) for name in ("ceph-hdd:", "ceph-two:"))
    text = play(tmp_path, last_play(), "".join(lines[:first] + lines[second:]), "--check")
    [two] = decoded(text, "module_args")
    assert (two["cluster"], two["pace"], two["windows"], two["replace"]) == ("ceph-two", "normal", [], [])
    assert (two["margin"], two["patience"], two["expected_digest"]) == (0.05, 600, "")


def test_a_site_without_clusters_has_no_task_that_is_skipped_for_each(tmp_path: Path) -> None:
    text = play(tmp_path, last_play(), SITE[: SITE.index("ceph:")])
    assert "module_args" not in text and "failed=0" in text
    assert text.count("skipping:") <= 1


def offered(folder: Path, there: list[dict[str, Any]], site: str = SITE) -> str:
    """What the lookup plans for two disks of ss1, beside volumes that are there."""
    devices = [
        {
            "link": f"{FOLDER}/osd/wwn-0x{number}", "identity": f"wwn-0x{number}", "bytes": 10**13, "mode": "block",
            "storage_class": "local-storage", "serial": f"ZL{number}",
        }
        for number in (8, 9)
    ]  # fmt: skip
    told = {
        "host_storage_report": {"local_volumes": devices, "digest": ""},
        "there": there,
        "nodes": [{"metadata": {"name": "ss1", "uid": "u1"}}],
    }
    (folder / "host_vars").mkdir()
    (folder / "host_vars/ss1.yml").write_text(json.dumps({"host_storage_report": told.pop("host_storage_report")}))
    lookup = "lookup('barestore.storage.cluster_objects', 'local_volumes', nodes=nodes, volumes=there)"
    task = {"ansible.builtin.debug": {"msg": f"{{{{ {lookup} }}}}"}}
    return play(folder, json.dumps([{"hosts": "cp1", "gather_facts": False, "vars": told, "tasks": [task]}]), site)


def volume(name: str, path: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "values": ["ss1"]}]}]
    spec = {"local": {"path": f"{FOLDER}/{path}"}, "nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}
    return {"metadata": {"name": name}, "spec": spec}


def test_a_disk_that_is_given_up_gets_no_volume(tmp_path: Path) -> None:
    mine = volume("local-ss1-wwn-0x8", "osd/wwn-0x8")
    text = offered(tmp_path, [mine, volume("other", "osd/wwn-0x7")])
    assert "local-ss1-wwn-0x8" in text and "local-ss1-wwn-0x9" not in text


def test_a_disk_with_another_volume_is_refused(tmp_path: Path) -> None:
    text = " ".join(offered(tmp_path, [volume("by-hand", "more/wwn-0x8-part1")]).split())
    assert "local-ss1-wwn-0x8 is all of disk ZL8 on ss1, and by-hand a part of it" in text
    assert "Nothing was offered" in text


def test_the_audit_brings_the_sources_that_are_here(tmp_path: Path) -> None:
    lookup = "lookup('barestore.storage.cluster_objects', 'audit', name='ceph-hdd')"
    task = {"ansible.builtin.debug": {"msg": f"{{{{ {lookup} }}}}"}}
    text = play(tmp_path, json.dumps([{"hosts": "cp1", "gather_facts": False, "tasks": [task]}]))
    [objects] = decoded(text, "msg")
    [brought] = [one["data"] for one in objects if one["kind"] == "ConfigMap"]
    here = ROOT / "plugins/module_utils/cluster/audit/inside.py"
    assert brought["cluster.audit.inside.py"] == here.read_text()
