# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of the repository: what a tool would trip over, said before it does."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
COLLECTION = ROOT / "collections/ansible_collections/barestore/storage"
# Folders and files of the root that Ansible reads in a collection, where they exist.
OF_ANSIBLE = ("galaxy.yml", "meta", "playbooks", "plugins", "roles", "schemas")
SPDX = "# SPDX-License-Identifier: GPL-3.0-or-later"
GPL_LINE = "GNU General Public License v3.0+"
LONGEST = 400
LARGEST = 1024 * 1024


def tracked(*folders: str) -> list[Path]:
    argv = ["git", "ls-files", "-coz", "--exclude-standard", "--", *folders]
    names = subprocess.run(argv, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    return [path for path in tracked(*folders) if path.suffix == ".py" and path.stat().st_size]


def shown(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def test_the_collection_links_each_ansible_folder_of_the_root() -> None:
    missing = [name for name in OF_ANSIBLE if (ROOT / name).exists() and not (COLLECTION / name).is_symlink()]
    assert missing == [], f"link them: cd {COLLECTION.relative_to(ROOT)} && ln -s ../../../../NAME"


def test_the_links_are_relative_and_lead_to_the_root() -> None:
    for link in sorted(COLLECTION.iterdir()):
        assert link.is_symlink(), f"{link.name} is a copy; sources live at the root"
        assert link.readlink() == Path("../../../..") / link.name


def test_no_link_contains_itself() -> None:
    inside = COLLECTION.resolve()
    for link in COLLECTION.iterdir():
        target = link.resolve()
        assert target != inside and target not in inside.parents, f"{link.name} is a cycle"


def test_init_files_of_module_utils_are_empty() -> None:
    files = [path for path in tracked("plugins/module_utils") if path.name == "__init__.py"]
    assert shown([path for path in files if path.stat().st_size]) == []


@pytest.mark.parametrize("area", ["host", "cluster"])
def test_the_registry_names_each_kind_and_no_other(area: str) -> None:
    registry = ROOT / f"plugins/module_utils/{area}/registry.py"
    if not registry.exists():
        pytest.skip(f"{registry.relative_to(ROOT)} does not exist yet")
    kinds = {path.stem for path in (registry.parent / "kinds").glob("*.py")} - {"__init__"}
    imported: set[str] = set()
    for node in ast.walk(ast.parse(registry.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module.split(".")[-1] == "kinds":
                imported |= {alias.name for alias in node.names}
            elif node.module.split(".")[-2:-1] == ["kinds"]:
                imported.add(node.module.split(".")[-1])
    assert imported == kinds


def test_each_file_names_its_licence() -> None:
    files = python_files("plugins", "src", "tests") + [
        path for path in tracked("tests", ".ci") if path.suffix in (".sh", ".bash")
    ]
    lacking = [path for path in files if SPDX not in path.read_text(encoding="utf-8").splitlines()[:5]]
    assert shown(lacking) == [], f"the first lines must hold: {SPDX}"


def test_each_plugin_has_the_line_that_sanity_wants() -> None:
    lacking = [path for path in python_files("plugins") if GPL_LINE not in path.read_text("utf-8")[:500]]
    assert shown(lacking) == [], f"the first lines must hold: {GPL_LINE}"


def test_no_source_file_is_too_long_to_read() -> None:
    files = python_files("plugins", "src")
    long = [path for path in files if len(path.read_text("utf-8").splitlines()) > LONGEST]
    assert shown(long) == [], f"more than {LONGEST} lines"


def test_git_holds_only_what_people_wrote() -> None:
    argv = ["git", "ls-files", "-z"]
    names = subprocess.run(argv, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    foreign = [path for path in files if path.suffix == ".whl" or path.stat().st_size > LARGEST]
    assert shown(foreign) == [], "built or downloaded files are in git"
