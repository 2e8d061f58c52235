# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

# Imported before Ansible's own importer takes over in load_site, which expects to be the first.
from ansible_collections.barestore.storage.plugins.plugin_utils import host_document  # noqa: F401
from barestore.commands.validate import validate
from barestore.reference import page
from barestore.site import SiteError, load_site

ROOT = Path(__file__).resolve().parents[3]
app = typer.Typer()
app.command()(validate)

HOSTS = "all: {children: {servers: {hosts: {h1: {rack: r1}, h2: {rack: r1}}}}}\n"
GOOD = "host_storage:\n  disks: {a: {match: {transport: nvme}, count: 1}}\n"
BAD = "host_storage:\n  disks: {a: {match: {transport: nvm}, count: 1}}\n"


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        file = folder / f"{name.replace('__', '/')}.yml"
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
    return folder


def test_the_sample_site_is_right() -> None:
    site = load_site(ROOT / "inventories/sample")
    assert [finding.sentence() for finding in site.all_findings()] == []
    hosts = {host.name: host for host in site.hosts}
    assert {host.rack for host in site.hosts} == {f"rack{number}" for number in range(1, 6)}
    assert hosts["ss3"].consent["wipe"]
    assert set(hosts["cs1"].document["zfs"]["data"]["datasets"]) == {"home", "lxd"}  # type: ignore[index]
    assert set(hosts["cs2"].document["zfs"]["data"]["datasets"]) == {"home"}  # type: ignore[index]


def test_hosts_that_share_a_mistake_share_its_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, hosts=HOSTS, group_vars__servers=BAD))
    result = CliRunner().invoke(app, ["-i", "."])
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "group_vars/servers.yml:2:34: host_storage.disks.a.match.transport: found 'nvm'; did you mean 'nvme'? "
        "Otherwise write one of nvme, sas, sata, scsi, virtio, usb, or a list of them"
    ]
    found = json.loads(CliRunner().invoke(app, ["-i", ".", "--json"]).stdout)
    assert [(each["line"], each["hosts"]) for each in found["findings"]] == [(2, ["h1", "h2"])]


def test_a_site_without_mistakes(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["-i", str(write(tmp_path, hosts=HOSTS, group_vars__servers=GOOD))])
    assert (result.exit_code, result.stdout) == (0, "2 of 2 hosts have a storage document; no mistakes\n")


def test_a_later_file_wins_and_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, hosts=HOSTS, group_vars__all=GOOD, group_vars__servers=GOOD, host_vars__h1=BAD))
    [(finding, hosts)] = load_site(Path()).all_findings().items()
    assert (str(finding.place), hosts) == ("host_vars/h1.yml:2:34", ("h1",))


def test_variables_in_the_inventory_itself_are_located(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "all:\n  hosts:\n    h1:\n      rack: r1\n    h2:\n      rack: 7\n"
    monkeypatch.chdir(write(tmp_path, hosts=text))
    assert [finding.sentence() for finding in load_site(Path()).all_findings()] == [
        "hosts.yml:6:13: rack: found the number 7; put it in quotes: '7'"
    ]


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, hosts=HOSTS, group_vars__servers="host_storage:\n\tdisks: {}\n"))
    assert [finding.sentence() for finding in load_site(Path()).all_findings()] == [
        "group_vars/servers.yml:2:1: YAML does not allow tabs here; indent with spaces"
    ]


def test_a_file_that_nobody_reads_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, hosts=HOSTS, group_vars__server=GOOD))
    assert [finding.sentence() for finding in load_site(Path()).all_findings()] == [
        "group_vars/server.yml:1:1: the inventory has no group 'server', so nobody reads this file; rename it; did "
        "you mean 'servers'? Known: all, servers, ungrouped"
    ]


def test_templates_are_filled_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'many: 3\nhost_storage:\n  disks: {a: {match: {transport: nvme}, count: "{{ many }}"}}\n'
    monkeypatch.chdir(write(tmp_path, hosts=HOSTS, group_vars__servers=text))
    site = load_site(Path(), "h1")
    assert [host.document for host in site.hosts] == [{"disks": {"a": {"match": {"transport": "nvme"}, "count": 3}}}]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-i", "nowhere"], "there is no inventory nowhere; name a file or a directory\n"),
        (["-i", ".", "-l", "h9"], "no host of inventory . matches 'h9'\n"),
    ],
)
def test_what_cannot_be_read_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str
) -> None:
    monkeypatch.chdir(write(tmp_path, hosts=HOSTS))
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert result.stderr.endswith(expected)  # Ansible may warn before


def test_an_empty_inventory(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"has no host; add a hosts\.yml"):
        load_site(write(tmp_path, hosts="all:\n"))


@pytest.mark.parametrize("name", ["host_storage", "cluster"])
def test_the_reference_is_written_from_the_schemas(name: str) -> None:
    current = (ROOT / f"docs/reference/{name}.md").read_text()
    assert current == page(name), f"run: python -m barestore.reference {name} > docs/reference/{name}.md"


CLUSTER = """
kubernetes: {version: '1.34.4', api: {host: api.example.net}}
ceph:
  version: v20.2.4
  clusters:
    ceph-hdd:
      mons: 1
      failure_domain: host
      device_sets: {hdd: {count: 2, storage_class: hdd, device_class: hdd}}
"""
NODES = "all: {children: {kube_control_plane: {hosts: {h1: }}, servers: {hosts: {h1: {rack: r1}, h2: {rack: r1}}}}}\n"
DISKS = "host_storage: {disks: {a: {match: {rotational: true}, count: 1}}, local_volumes: {a: {storage_class: hdd}}}\n"


def test_what_clusters_ask_for_is_asked_of_all_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, hosts=NODES, group_vars__all=CLUSTER, group_vars__servers=DISKS))
    assert load_site(Path(), "h2").all_findings() == {}
    write(tmp_path, group_vars__all=CLUSTER.replace("count: 2", "count: 3"))
    assert [finding.sentence() for finding in load_site(Path(), "h2").all_findings()] == [
        "group_vars/all.yml:9:34: ceph.clusters.ceph-hdd.device_sets.hdd.count: 3 volumes of StorageClass 'hdd' are "
        "asked for, and the documents of 2 hosts give 2; write 2, or add disks"
    ]


def test_a_site_has_one_document_of_each_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, hosts=NODES, group_vars__all=CLUSTER, group_vars__servers=DISKS)
    monkeypatch.chdir(write(tmp_path, host_vars__h2="ceph__more: {rook: v1.20.6}\n"))
    assert [finding.sentence() for finding in load_site(Path()).all_findings()] == [
        "host_vars/h2.yml:1:1: ceph__more: host 'h2' has another ceph than the hosts before it; a site has one ceph: "
        "write it in group_vars/all"
    ]


def test_fragments_of_clusters_are_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = "ceph__more: {version: v20.2.4}\nceph_more: {clusters: {}}\n"
    monkeypatch.chdir(write(tmp_path, hosts=NODES, group_vars__all=CLUSTER + more, group_vars__servers=DISKS))
    assert [finding.sentence() for finding in load_site(Path()).all_findings()] == [
        "group_vars/all.yml:10:14: ceph__more.version: ceph sets this already (group_vars/all.yml:4:3), and fragments "
        "never override each other; keep it in one of the two",
        "group_vars/all.yml:11:1: ceph_more: no part of the document has this name, so it would be ignored; call it "
        "ceph__more, with two underscores, or ceph",
    ]


def test_a_rack_with_no_host_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = NODES.replace("children: {kube", "children: {r2: {vars: {rack: r2}}, kube")
    monkeypatch.chdir(write(tmp_path, hosts=hosts, group_vars__r3="rack: r3\n"))
    manager = "all: {children: {r3: {}}}\n"
    (tmp_path / "more.yml").write_text(manager)
    assert [finding.sentence() for finding in load_site(Path()).all_findings()] == [
        "group_vars/r3.yml:1:1: rack: the group 'r3' gives its hosts a rack and has no host; put hosts into it, or "
        "remove it",
        "hosts.yml:1:30: rack: the group 'r2' gives its hosts a rack and has no host; put hosts into it, or remove it",
    ]
