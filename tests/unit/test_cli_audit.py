# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit of a site whose hosts are played: whom it asks, what it says, its exit codes, its metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from click.testing import Result
from typer.testing import CliRunner

from ansible_collections.barestore.storage.plugins.module_utils.cluster.audit.findings import Finding
from ansible_collections.barestore.storage.plugins.module_utils.cluster.audit.run import metrics
from barestore import fleet
from barestore.cli import app

HOSTS = """
all:
  children:
    kube_control_plane: {hosts: {cp1: {rack: rack1}}}
    kube_node: {hosts: {ss1: {rack: rack1}, ss2: {rack: rack2}, ss3: {rack: rack3}}}
"""
SITE = """
kubernetes: {version: "1.34.4", api: {host: cp1}, external_storage_classes: [vendor]}
ceph:
  version: v20.2.4
  clusters:
    ceph-hdd: {mons: 1, device_sets: {hdd: {count: 3, storage_class: vendor, device_class: hdd}}}
"""
FOUND = Finding("pods_two", "ceph-hdd osd.3", "it has 2 pods: a on ss1, b on ss1", "find out which one holds the disk")


class Hosts:
    """In place of Ansible: ``asked`` are the tasks with their hosts, ``down`` those that cannot be reached."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], Mapping[str, Any]]] = []
        self.down: set[str] = set()
        self.found: list[Finding] = []

    def run(self, call: fleet.Call) -> None:
        arguments = dict(call.task["barestore.storage.ceph_audit"])
        assert call.check, "an audit is a check"
        if arguments["scope"] == "clusters":
            # What a real play would make of it.
            templar = Templar(loader=DataLoader(), variables=call.task["vars"])
            arguments["hosts"] = templar.template(trust_as_template(arguments["hosts"]))
        self.asked.append((list(call.hosts), arguments))
        for host in call.hosts:
            if host in self.down:
                call.answers[host] = fleet.Answer(host, "unreachable", {"msg": "no route to host"})
            elif arguments["scope"] == "host":
                facts = {"host": host, "serial": "{{ lookup('pipe', 'touch owned') }}"}
                call.answers[host] = fleet.Answer(host, "ok", {"facts": facts})
            else:
                result = {"findings": [one.as_json() for one in self.found], "metrics": metrics(self.found)}
                call.answers[host] = fleet.Answer(host, "ok", result)


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site/group_vars").mkdir(parents=True)
    (tmp_path / "site/hosts.yml").write_text(HOSTS)
    (tmp_path / "site/group_vars/all.yml").write_text(SITE)
    played = Hosts()
    monkeypatch.setattr(fleet.Call, "_run", lambda call: played.run(call))
    return played


def run(*words: object) -> Result:
    result = CliRunner().invoke(app, ["audit", "-i", "site", *map(str, words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def test_a_clean_site(hosts: Hosts) -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (0, "no disk has two owners; 1 cluster and 3 hosts looked at\n")
    (nodes, of_hosts), (planes, of_clusters) = hosts.asked
    assert (nodes, planes) == (["ss1", "ss2", "ss3"], ["cp1"])
    assert of_hosts["scope"] == "host" and of_clusters["clusters"] == ["ceph-hdd"]


def test_what_hosts_say_reaches_the_module_as_it_is(hosts: Hosts) -> None:
    run()
    facts = hosts.asked[1][1]["hosts"]
    assert [one["host"] for one in facts] == ["ss1", "ss2", "ss3"]
    assert facts[0]["serial"] == "{{ lookup('pipe', 'touch owned') }}" and not Path("owned").exists()


def test_a_finding_is_a_sentence_and_exit_code_2(hosts: Hosts) -> None:
    hosts.found = [FOUND]
    result = run()
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        FOUND.sentence(),
        "1 sign of two owners of one disk; 1 cluster and 3 hosts looked at",
    ]


def test_json_and_metrics(hosts: Hosts) -> None:
    hosts.found = [FOUND]
    told = json.loads(run("--json", "--prometheus", "audit.prom").stdout)
    assert (told["exit"], told["clusters"], told["errors"]) == (2, ["ceph-hdd"], [])
    assert told["findings"] == [FOUND.as_json()]
    text = Path("audit.prom").read_text()
    assert 'barestore_audit_findings{code="pods_two"} 1\n' in text
    assert 'barestore_audit_hosts_unknown{site="site"} 0\n' in text
    assert re.search(r'^barestore_audit_run_timestamp_seconds\{site="site"\} \d+$', text, re.MULTILINE)
    for row in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) [a-z_]+ .+|[a-z_]+\{[^{}]*\} \d+", row), row


def test_a_host_that_is_down_is_an_error_and_the_others_are_compared(hosts: Hosts) -> None:
    hosts.down = {"ss2"}
    result = run("--prometheus", "audit.prom")
    assert result.exit_code == 1
    assert "ss2: it cannot be reached: no route to host." in result.output
    assert "2 hosts looked at" in result.stdout
    assert 'barestore_audit_hosts_unknown{site="site"} 1\n' in Path("audit.prom").read_text()


def test_a_control_plane_that_is_down_leaves_the_last_metrics(hosts: Hosts) -> None:
    hosts.down = {"cp1"}
    Path("audit.prom").write_text("old\n")
    result = run("--prometheus", "audit.prom")
    assert result.exit_code == 1 and "cp1: it cannot be reached" in result.output
    assert "no disk has two owners" not in result.output
    assert Path("audit.prom").read_text() == "old\n"


def test_a_limit_is_of_nodes_and_the_clusters_are_asked_all_the_same(hosts: Hosts) -> None:
    assert run("--limit", "ss3").exit_code == 0
    assert [names for names, _arguments in hosts.asked] == [["ss3"], ["cp1"]]


@pytest.mark.parametrize(
    ("site", "inventory", "said"),
    [
        ("{}\n", HOSTS, "has the variable ceph"),
        (SITE.replace("count: 3", "count: three"), HOSTS, "No host was contacted"),
        (SITE, HOSTS.replace("kube_control_plane", "planes"), "no host is in the group kube_control_plane"),
    ],
)
def test_a_mistake_is_a_sentence(hosts: Hosts, site: str, inventory: str, said: str) -> None:
    Path("site/group_vars/all.yml").write_text(site)
    Path("site/hosts.yml").write_text(inventory)
    result = run()
    assert said in result.output and result.exit_code == 1
    assert hosts.asked == []
