# SPDX-License-Identifier: GPL-3.0-or-later
"""A site in a git repository, and what people do with it: a branch, its plan as a comment, a merge, apply, a report.

The steps are those of ``examples/gitops/shell``. ``tests/lab/test_story.py`` takes them with a virtual host,
``tests/unit/test_story.py`` with the model of one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from barestore import manual

ROOT = Path(__file__).resolve().parent.parent.parent
INVENTORY = "inventories/lab"
DOCUMENT = f"{INVENTORY}/group_vars/storage_servers.yml"
MACHINE = f"{INVENTORY}/host_vars/lab1/lab.yml"


def _disk(number: int) -> str:
    """A disk of the group osd, as the inventory of the lab writes it."""
    return f"    - {{serial: HDD{number:04d}, type: hdd, size: 8 GiB, rotation_rate: 7200}}\n"


@dataclass(frozen=True)
class Ended:
    """How the command ended: ``text`` is all that it printed."""

    code: int
    text: str


Command = Callable[..., Ended]
Edit = tuple[str, str, str]  # file, before, after


def subprocess_command(folder: Path, **environment: str) -> Command:
    """``barestore`` as people start it, in a folder."""

    def run(*words: str) -> Ended:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("barestore")), *words],
            cwd=folder,
            env={**os.environ, "NO_COLOR": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout)

    return run


@dataclass
class Story:
    """``folder`` is the clone that somebody works in; ``plans`` holds each plan under the id of its inventory."""

    folder: Path
    barestore: Command
    plans: dict[str, Path] = field(default_factory=dict)

    def begin(self) -> None:
        """The inventory of the lab is the first commit of main."""
        shutil.copytree(ROOT / INVENTORY, self.folder / INVENTORY, ignore=shutil.ignore_patterns(".lab"))
        self.start()

    def first_day(self) -> None:
        """The host becomes what main says of it."""
        self.begin()
        self.record()
        assert "20 to create" in self.comment(against="")
        done = self.apply()
        assert done.code == 0, done.text
        self.nothing_left()

    def start(self) -> None:
        """What is in the folder is the first commit of main."""
        (self.folder / ".gitignore").write_text("/build/\n/recordings/\n")
        self.git("init", "--quiet", "--initial-branch=main")
        self._commit("Begin")

    def git(self, *words: str) -> str:
        """Run git there, as somebody."""
        who = ("-c", "user.name=somebody", "-c", "user.email=somebody@localhost", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *words], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def tree(self) -> str:
        """The id of the inventory as it is checked out."""
        return self.git("rev-parse", f"HEAD:{INVENTORY}")

    def propose(self, branch: str, edits: Iterable[Edit]) -> None:
        """A branch from main with one commit."""
        self.git("switch", "--quiet", "--create", branch, "main")
        for name, before, after in edits:
            path = self.folder / name
            text = path.read_text()
            assert before in text, f"{path} has no {before!r}"
            path.write_text(text.replace(before, after))
        self._commit(branch)

    def record(self) -> None:
        """What the night does: each host is read, with the documents that are checked out."""
        done = self.barestore("observe", "-i", INVENTORY, "--save", "recordings")
        assert done.code == 0, done.text

    def comment(self, against: str = "main") -> str:
        """The comment of a pull request; its plan is kept. Without ``against`` all hosts are planned."""
        (self.folder / "build").mkdir(exist_ok=True)
        plan, page = self.folder / f"build/{self.tree()}.json", self.folder / "build/plan.md"
        page.unlink(missing_ok=True)
        base = ("--against", against) if against else ()
        kept = ("--markdown", str(page), "--out", str(plan))
        done = self.barestore("plan", "-i", INVENTORY, "--observed", "recordings", *base, *kept)
        assert done.code == 2, done.text
        self.plans[self.tree()] = plan
        return page.read_text()

    def merge(self, branch: str) -> None:
        """The approval."""
        self.git("switch", "--quiet", "main")
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch}", branch)

    def apply(self) -> Ended:
        """The plan that was made for the inventory of main."""
        plan = self.plans[self.tree()]
        return self.barestore("apply", "-i", INVENTORY, "--plan", str(plan), "--batch", "1", "--stop-after", "1")

    def nothing_left(self) -> None:
        """All hosts are as main says."""
        done = self.barestore("drift", "-i", INVENTORY)
        assert done.code == 0, done.text

    def report(self) -> str:
        """The page about the site."""
        page = self.folder / "build/report.html"
        done = self.barestore("report", "-i", INVENTORY, "--out", str(page))
        assert page.exists(), done.text
        return page.read_text()


def lacking(command: str, *options: str) -> str:
    """Why a step cannot be taken: the command has no such subcommand or option yet. Empty when it can."""
    pages = {page.name: [word for what, _why in page.options for word in what.split()] for page in manual.pages()}
    missing = [option for option in options if option not in pages.get(command, ())]
    if command in pages and not missing:
        return ""
    return f"barestore has no {' '.join([command, *missing])} yet"


def steps_lacking() -> str:
    """Of all steps but the report."""
    steps = (("plan", "--against", "--markdown"), ("apply", "--batch", "--stop-after"), ("drift",))
    return "; ".join(filter(None, (lacking(*step) for step in steps)))


# What the story proposes.
FIRST = (
    (DOCUMENT, "containerd: {size: 1 GiB,", "containerd: {size: 1280 MiB,"),
    (DOCUMENT, "count: 4}", "count: 5}"),
    (MACHINE, _disk(6), _disk(6) + _disk(7)),
)
SECOND = (
    (DOCUMENT, "containerd: {size: 1280 MiB,", "containerd: {size: 1408 MiB,"),
    (DOCUMENT, "count: 5}", "count: 6}"),
    (MACHINE, _disk(7), _disk(7) + _disk(8)),
)
