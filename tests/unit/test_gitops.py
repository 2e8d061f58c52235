# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts of ``examples/gitops/shell`` in real git repositories, with ``barestore``, ``gh`` and ``curl`` played."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SHELL = Path(__file__).resolve().parents[2] / "examples/gitops/shell"
MARKER = "<!-- barestore plan production -->"
# Each play notes its words. barestore writes the files that it is asked for, and ends as $CODE says.
BARESTORE = """#!/bin/bash
printf '%s\\n' "barestore $*" >>"$CALLS"
command=$1
while [ $# -gt 0 ]; do
    case $1 in
        --markdown) printf '%s\\n' '<!-- barestore plan production -->' "by $command" >"$2" ;;
        --out | --prometheus) echo "{}" >"$2" ;;
        --save) mkdir -p "$2"; echo recorded >"$2/${HOST:-ss1}.json" ;;
    esac
    shift
done
if [ "$command" = validate ]; then [ -z "${MISTAKE:-}" ] || { echo "$MISTAKE"; exit 1; }; exit 0; fi
if [ "$command" = observe ] || [ "$command" = report ]; then exit 0; fi
exit "${CODE:-0}"
"""
GH = """#!/bin/bash
printf '%s\\n' "gh $*" >>"$CALLS"
for word in "$@"; do case $word in body=@*) cp "${word#body=@}" "$BODY" ;; esac; done
case "$*" in *--jq*) printf '%s' "${FOUND:-}" ;; esac
"""
CURL = """#!/bin/bash
printf '%s\\n' "curl $*" >>"$CALLS"
case "$*" in
    */user) echo '{"id": 7}' ;;
    *page=*) printf '%s' "$FOUND" ;;
    *) cat >"$BODY" ;;
esac
"""


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass
class Forge:
    """A bare repository, a clone of it that has a branch with a change, and the words of all that was started."""

    folder: Path
    clone: Path
    bare: Path

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def body(self) -> str:
        return (self.folder / "body").read_text()

    def script(self, name: str, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.clone / "ci/shell" / name), *words],
            cwd=self.clone,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def forge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forge:
    for name, text in {"barestore": BARESTORE, "gh": GH, "curl": CURL}.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("BODY", str(tmp_path / "body"))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "somebody@localhost")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    bare, clone = tmp_path / "site.git", tmp_path / "site"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(tmp_path, "clone", "--quiet", str(bare), str(clone))
    git(clone, "switch", "--quiet", "--create", "main")
    shutil.copytree(SHELL, clone / "ci/shell")
    (clone / "inventories/production").mkdir(parents=True)
    (clone / "inventories/production/hosts.yml").write_text("all: {hosts: {ss1: {}}}\n")
    commit(clone, "Begin")
    git(clone, "push", "--quiet", "origin", "main")
    git(clone, "switch", "--quiet", "--create", "change")
    (clone / "inventories/production/hosts.yml").write_text("all: {hosts: {ss1: {}, ss2: {}}}\n")
    commit(clone, "Change")
    return Forge(tmp_path, clone, bare)


def commit(clone: Path, message: str) -> None:
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", message)


@pytest.mark.parametrize(("planned", "ended"), [(0, 0), (2, 0), (3, 3), (1, 1)])
def test_plan_leaves_a_comment_and_a_plan(forge: Forge, planned: int, ended: int) -> None:
    done = forge.script("plan.sh", CODE=str(planned))
    assert done.returncode == ended, done.stderr
    out = forge.clone / "build/gitops"
    assert (out / "plan.md").read_text() == f"{MARKER}\nby plan\n"
    assert (out / "tree").read_text().strip() == git(forge.clone, "rev-parse", "HEAD:inventories/production")
    assert forge.calls == [
        "barestore validate -i inventories/production",
        "barestore plan -i inventories/production --observed recordings --against origin/main"
        " --markdown build/gitops/plan.md --out build/gitops/plan.json",
    ]


def test_a_mistake_becomes_the_comment(forge: Forge) -> None:
    done = forge.script("plan.sh", MISTAKE="hosts.yml:1:1: no `such` key.")
    assert done.returncode == 1
    text = (forge.clone / "build/gitops/plan.md").read_text()
    assert text == f"{MARKER}\n## The inventory has mistakes\n\n~~~~text\nhosts.yml:1:1: no `such` key.\n~~~~\n"
    assert not (forge.clone / "build/gitops/plan.json").exists()


@pytest.mark.parametrize("way", ["--no-ff", "--squash"])
def test_what_was_planned_is_found_after_a_merge(forge: Forge, way: str) -> None:
    assert forge.script("plan.sh").returncode == 0
    planned = (forge.clone / "build/gitops/tree").read_text().strip()
    git(forge.clone, "switch", "--quiet", "main")
    git(forge.clone, "merge", "--quiet", way, "change")
    if way == "--squash":
        commit(forge.clone, "Change")
    assert git(forge.clone, "rev-parse", "HEAD:inventories/production") == planned


@pytest.mark.parametrize(
    ("plan", "applied"),
    [
        ('{"hosts": {}, "clusters": {}}', False),
        ('{"hosts": {}}', False),
        ('{"hosts": {}, "clusters": {"ceph-hdd": {}}}', True),
        ('{"hosts": {"ss1": {}}, "clusters": {}}', True),
    ],
)
def test_a_plan_for_nobody_is_not_applied(forge: Forge, plan: str, applied: bool) -> None:
    (forge.clone / "approved.json").write_text(plan)
    assert forge.script("apply.sh", "approved.json").returncode == 0
    assert any(call.startswith("barestore apply") for call in forge.calls) is applied


def test_apply_runs_the_plan_and_writes_the_report(forge: Forge) -> None:
    done = forge.script("apply.sh", "approved.json", CODE="3")
    assert done.returncode == 3
    assert forge.calls == [
        "barestore apply -i inventories/production --plan approved.json --batch 1 --stop-after 1",
        "barestore report -i inventories/production --out build/gitops/report.html",
    ]


def test_recordings_have_a_branch_of_their_own(forge: Forge) -> None:
    assert "has no branch recordings" in forge.script("recordings.sh", "get").stderr
    nightly = forge.script("nightly.sh", CODE="2", BARESTORE_PROMETHEUS=str(forge.folder / "barestore.prom"))
    assert nightly.returncode == 2, nightly.stderr
    assert git(forge.bare, "ls-tree", "--name-only", "recordings") == "ss1.json"
    assert (forge.folder / "barestore.prom").exists()
    assert forge.script("nightly.sh", HOST="ss2").returncode == 0
    assert git(forge.bare, "ls-tree", "--name-only", "recordings").split() == ["ss1.json", "ss2.json"]
    assert "nothing new" in forge.script("recordings.sh", "put").stderr
    assert git(forge.bare, "rev-list", "--count", "recordings") == "2"
    shutil.rmtree(forge.clone / "recordings")
    assert forge.script("recordings.sh", "get").returncode == 0
    assert sorted(path.name for path in (forge.clone / "recordings").iterdir()) == ["ss1.json", "ss2.json"]
    assert git(forge.clone, "status", "--porcelain", "--", "inventories") == ""


@pytest.mark.parametrize("found", ["", "11\n12\n"])
def test_a_comment_on_github_is_written_once(forge: Forge, found: str) -> None:
    (forge.clone / "plan.md").write_text(f"{MARKER}\n## Plan\n")
    done = forge.script("comment-github.sh", "5", "plan.md", GITHUB_REPOSITORY="o/r", FOUND=found)
    assert done.returncode == 0, done.stderr
    assert forge.body == f"{MARKER}\n## Plan\n"
    where = "PATCH repos/o/r/issues/comments/11" if found else "POST repos/o/r/issues/5/comments"
    assert forge.calls[-1].startswith(f"gh api --method {where} ")


def test_a_comment_is_not_written_over_with_something_else(forge: Forge) -> None:
    (forge.clone / "plan.md").write_text('<!-- barestore " or true -->\n')
    done = forge.script("comment-github.sh", "5", "plan.md", GITHUB_REPOSITORY="o/r")
    assert (done.returncode, forge.calls) == (1, [])
    assert "does not begin as barestore's Markdown does" in done.stderr


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed")
@pytest.mark.parametrize(("author", "way"), [(7, "PUT"), (8, "POST")])
def test_a_comment_on_gitlab_is_written_once(forge: Forge, author: int, way: str) -> None:
    (forge.clone / "plan.md").write_text(f'{MARKER}\n## "Plan"\n')
    found = json.dumps([{"id": 31, "author": {"id": author}, "body": f"{MARKER}\nold"}])
    site = {"CI_API_V4_URL": "https://git.example.net/api/v4", "CI_PROJECT_ID": "3", "BARESTORE_TOKEN": "secret"}
    done = forge.script("comment-gitlab.sh", "merge_requests/9", "plan.md", **site, FOUND=found)
    assert done.returncode == 0, done.stderr
    assert json.loads(forge.body) == {"body": f'{MARKER}\n## "Plan"\n'}
    notes = "https://git.example.net/api/v4/projects/3/merge_requests/9/notes"
    assert f"--request {way} " in forge.calls[-1]
    assert forge.calls[-1].endswith(notes + ("/31" if way == "PUT" else ""))
    assert "secret" not in "".join(forge.calls)


def test_without_a_forge(forge: Forge) -> None:
    hook = forge.bare / "hooks/post-receive"
    shutil.copy(SHELL / "post-receive", hook)
    assert forge.script("nightly.sh").returncode == 0
    pushed = subprocess.run(
        ["git", "push", "origin", "change"], cwd=forge.clone, capture_output=True, text=True, check=False
    )
    assert pushed.returncode == 0
    tree = git(forge.clone, "rev-parse", "change:inventories/production")
    assert (forge.bare / f"plans/{tree}.json").exists(), pushed.stderr
    assert git(forge.bare, "notes", "--ref=plan", "show", "change") == f"{MARKER}\nby plan"

    git(forge.folder, "clone", "--quiet", str(forge.bare), "deploy")
    plans = {"BARESTORE_PLANS": str(forge.bare / "plans")}
    deploy = Forge(forge.folder, forge.folder / "deploy", forge.bare)
    assert "no plan was made for the inventory of main" in deploy.script("deploy.sh", **plans).stderr
    git(forge.clone, "push", "--quiet", "origin", "change:main")
    assert deploy.script("deploy.sh", **plans, CODE="1").returncode == 1
    assert deploy.script("deploy.sh", **plans).returncode == 0
    before = len(forge.calls)
    assert deploy.script("deploy.sh", **plans).returncode == 0
    assert len(forge.calls) == before, "what is applied is not applied again"
