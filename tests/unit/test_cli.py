# SPDX-License-Identifier: GPL-3.0-or-later
"""The command on recordings of the lab's host: what it prints, its exit codes, and that mistakes are sentences.

``recordings/empty`` and ``recordings/full`` are what ``barestore observe --save`` wrote of ``inventories/lab`` before
and after its first apply. When a kind asks something new, record both again.
"""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from barestore.cli import app

HERE = Path(__file__).parent
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
EMPTY, FULL = HERE / "recordings/empty", HERE / "recordings/full"
DOCUMENT = """
host_storage:
  disks:
    log: {match: {transport: nvme}, count: 2}
    pool: {match: {rotational: true, size: 4 GiB}, count: 2}
    osd: {match: {rotational: true, size: ">= 8 GiB"}, count: 4}
  partitions:
    log:
      - {name: slog, size: 256 MiB, use: zfs}
      - {name: fast, size: rest, use: lvm}
  lvm:
    fast:
      physical_volumes: [log.fast]
      thin_pools:
        topolvm: {size: 40%, chunk_size: 64 KiB, autoextend: {threshold: 80, percent: 20}}
      volumes:
        containerd: {size: 1 GiB, filesystem: xfs, mount: /var/lib/containerd}
        swap: {size: 256 MiB, swap: true}
  zfs:
    tank:
      data: {mirror: [pool]}
      log: {mirror: [log.slog]}
      properties: {ashift: 12, autotrim: on}
      filesystem_properties: {compression: lz4, mount: none}
      datasets:
        lxd: {compression: zstd, atime: off, mount: none}
        mysql: {recordsize: 16 KiB, mount: /srv/mysql}
      volumes:
        backup: {size: 512 MiB, sparse: true}
  local_volumes:
    osd: {storage_class: local-storage, mode: block}
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An inventory named lab with one host in rack1, and nothing else where the command stands."""
    monkeypatch.chdir(tmp_path)
    inventory = tmp_path / "lab"
    (inventory / "group_vars").mkdir(parents=True)
    (inventory / "hosts.yml").write_text("all: {hosts: {lab1: {rack: rack1}}}\n")
    (inventory / "group_vars/all.yml").write_text(DOCUMENT)
    return inventory


def run(*words: object) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def edit(inventory: Path, old: str, new: str) -> None:
    path = inventory / "group_vars/all.yml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def golden(name: str, text: str) -> None:
    """Digests are left out: they change with every command of every kind."""
    assert DIGEST.sub("sha256:...", text) == (HERE / "golden" / name).read_text()


def test_plan_of_empty_disks(lab: Path) -> None:
    result = run("plan", "-i", lab, "--observed", EMPTY)
    golden("plan_empty.txt", result.stdout)
    assert result.exit_code == 2


def test_plan_of_a_host_that_is_as_wanted(lab: Path) -> None:
    result = run("plan", "-i", lab, "--observed", FULL)
    assert (result.stdout, result.exit_code) == ("lab1  rack1  nothing to do\n", 0)


def test_plan_of_growing_and_adding_with_commands(lab: Path) -> None:
    edit(lab, "size: 1 GiB", "size: 1280 MiB")
    edit(lab, "        mysql: {", "        new: {compression: zstd, mount: none}\n        mysql: {")
    result = run("plan", "-v", "-i", lab, "--observed", FULL)
    golden("plan_grow.txt", result.stdout)
    assert result.exit_code == 2


def test_refused(lab: Path) -> None:
    edit(lab, "count: 4", "count: 5")
    result = run("plan", "-i", lab, "--observed", EMPTY)
    assert "disk group 'osd': wants 5 disks and 4 match" in result.stdout
    assert result.exit_code == 3


def test_disks(lab: Path) -> None:
    result = run("disks", "-i", lab, "--observed", FULL)
    golden("disks_full.txt", result.stdout)
    assert result.exit_code == 0


def test_disks_without_a_document(lab: Path) -> None:
    (lab / "group_vars/all.yml").write_text("{}\n")
    result = run("disks", "-i", lab, "--observed", EMPTY)
    assert "no group" in result.stdout
    assert result.exit_code == 0


def test_disks_says_why_no_group_takes_one(lab: Path) -> None:
    edit(lab, "transport: nvme}", "transport: nvme, size: 3 GiB}")
    result = run("disks", "-i", lab, "--observed", EMPTY)
    assert "not log: size is 2 GiB; not pool: does not rotate; not osd: does not rotate" in result.stdout
    assert "disk group 'log': wants 2 disks and no disk matches" in result.stdout
    assert result.exit_code == 3


def test_json_has_the_whole_plan(lab: Path) -> None:
    result = run("plan", "--json", "-i", lab, "--observed", EMPTY)
    host = json.loads(result.stdout)["hosts"]["lab1"]
    assert host["digest"] in run("plan", "-i", lab, "--observed", EMPTY).stdout
    assert {action["kind"] for action in host["actions"]} > {"partition_table", "zfs_pool", "volume_group"}
    assert json.loads(result.stdout)["exit"] == result.exit_code == 2


def test_a_plan_file_is_read_back(lab: Path) -> None:
    from barestore import planread

    shown = run("plan", "-i", lab, "--observed", EMPTY, "--out", "plan.json").stdout
    plan = planread.read(Path("plan.json")).hosts["lab1"]
    assert plan.digest in shown


def _no_document(lab: Path) -> None:
    (lab / "group_vars/all.yml").write_text("{}\n")


def _mistake(lab: Path) -> None:
    edit(lab, "transport: nvme", "transprot: nvme")


def _no_yaml(lab: Path) -> None:
    (lab / "group_vars/all.yml").write_text("host_storage: {disks: [\n")


def _recordings(change: Any) -> Any:
    def prepare(lab: Path) -> None:
        folder = lab.parent / "recordings"
        shutil.copytree(EMPTY, folder)
        path = folder / "lab1.json"
        found = json.loads(path.read_text())
        changed = change(found)
        path.write_text(changed if isinstance(changed, str) else json.dumps(changed))

    return prepare


def _without_lsblk(found: Any) -> Any:
    found["answers"] = {key: value for key, value in found["answers"].items() if not key.startswith("run:lsblk")}
    return found


def _nonsense(found: Any) -> Any:
    return {**found, "answers": dict.fromkeys(found["answers"], 7)}


OBSERVED = ("--observed", "recordings")
MISTAKES = [
    (_no_document, ("plan",), "has the variable host_storage"),
    (_mistake, ("plan",), "No host was contacted"),
    (_mistake, ("apply",), "transprot"),
    (_mistake, ("disks",), "transprot"),
    (_mistake, ("validate",), "transprot"),
    (_no_yaml, ("plan",), "all.yml"),
    (None, ("plan", "--limit", "nobody"), "matches 'nobody'"),
    (None, ("plan", "-i", "elsewhere"), "There is no inventory elsewhere"),
    (None, ("plan", *OBSERVED), "There is no folder recordings"),
    (
        lambda lab: (lab.parent / "recordings").mkdir(),
        ("plan", *OBSERVED),
        "There is no recording recordings/lab1.json",
    ),
    (_recordings(lambda found: "{"), ("plan", *OBSERVED), "is not JSON"),
    (_recordings(lambda found: []), ("plan", *OBSERVED), "is no recording of this release"),
    (_recordings(lambda found: {**found, "host": "lab2"}), ("plan", *OBSERVED), "is a recording of lab2"),
    (_recordings(_nonsense), ("plan", *OBSERVED), "holds an answer that no host gives"),
    (_recordings(_nonsense), ("disks", *OBSERVED), "holds an answer that no host gives"),
    (_recordings(_without_lsblk), ("plan", *OBSERVED), "observe again with 'barestore observe --save recordings"),
    (_recordings(_without_lsblk), ("disks", *OBSERVED), "observe again"),
    (None, ("apply", "--plan", "plan.json"), "The plan plan.json cannot be read"),
    (lambda lab: Path("plan.json").write_text("{"), ("apply", "--plan", "plan.json"), "is no plan: it is not JSON"),
    (lambda lab: Path("plan.json").write_text("{}"), ("apply", "--plan", "plan.json"), "is no plan of this release"),
    (
        lambda lab: Path("plan.json").write_text('{"barestore_plan": 1, "hosts": {"lab1": {}}}'),
        ("apply", "--plan", "plan.json"),
        "is damaged where it speaks of host lab1",
    ),
    (
        lambda lab: Path("plan.json").write_text('{"barestore_plan": 1, "hosts": {}}'),
        ("apply", "--plan", "plan.json"),
        "is damaged where it speaks of its inventory",
    ),
    (None, ("plan", "--out", "no/where.json", "--observed", str(EMPTY)), "cannot be written to no/where.json"),
]


@pytest.mark.parametrize(("prepare", "words", "said"), MISTAKES)
def test_a_mistake_is_a_sentence(lab: Path, prepare: Any, words: tuple[str, ...], said: str) -> None:
    if prepare is not None:
        prepare(lab)
    inventory = () if "-i" in words else ("-i", "lab")
    result = run(*words, *inventory)
    assert said in result.output
    assert result.exit_code == 1


def test_a_mistake_is_json_for_programs(lab: Path) -> None:
    result = run("plan", "--json", "-i", lab, "--observed", "nowhere")
    assert json.loads(result.stdout) == {"exit": 1, "error": json.loads(result.stdout)["error"]}
    assert "There is no folder nowhere" in result.stdout


def test_help_has_examples_and_exit_codes() -> None:
    text = run("--help").output
    assert "barestore apply --plan plan.json" in text
    assert "3 refused" in text
