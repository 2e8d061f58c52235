# SPDX-License-Identifier: GPL-3.0-or-later
"""Help, examples, man page and completion: all of them say what the command can do now."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from barestore import examples, exits, manual
from barestore.cli import app

PAGES = {page.name: page for page in manual.pages()}
BARESTORE = Path(sys.executable).with_name("barestore")


@pytest.mark.parametrize("name", PAGES)
def test_each_command_has_examples_and_they_use_its_options(name: str) -> None:
    lines = examples.lines(name)
    assert lines, f"write an example of '{name}' into src/barestore/examples.py"
    known = {word for what, _why in PAGES[name].options for word in re.findall(r"(?<!\w)--?[a-z][a-z-]*", what)}
    for line, _why in lines:
        assert {word for word in shlex.split(line) if word.startswith("-")} <= known, line


def test_each_example_is_of_a_command() -> None:
    assert set(examples.EXAMPLES) <= set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_help_shows_them(name: str) -> None:
    shown = CliRunner().invoke(app, [*name.split(), "--help"]).output
    for line, why in examples.lines(name):
        assert re.search(rf"^ +{re.escape(line)} +# {re.escape(why)}$", shown, re.MULTILINE)
    assert (exits.LINE in shown) == (not name.startswith(("lab ", "bundle ")))


def test_exit_codes_are_said_everywhere() -> None:
    assert set(exits.MEANING) == set(exits.Exit)
    assert all(f" {int(code)} " in exits.LINE for code in exits.Exit)
    assert all(meaning in manual.markdown() for meaning in exits.MEANING.values())
    page = (Path(__file__).resolve().parents[2] / "docs/command.md").read_text()
    assert re.findall(r"^\| ([0-9]+) \|", page, re.MULTILINE) == [str(int(code)) for code in exits.Exit]
    assert exits.LINE in CliRunner().invoke(app, ["--help"]).output


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_the_man_page_has_no_mistake() -> None:
    argv = ["groff", "-man", "-Tutf8", "-ww", "-P-cbou"]
    done = subprocess.run(argv, input=manual.man(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout.replace("\N{MINUS SIGN}", "-")
    for page in PAGES.values():
        assert page.usage.split(" [")[0] in shown
        assert all(what.split()[0].rstrip(",") in shown for what, _why in page.options)


def completed(shell: str, line: str) -> str:
    """What the script of a shell asks for, at the end of a line."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1), "_TYPER_COMPLETE_ARGS": line}
    environment = {**os.environ, **words, "_BARESTORE_COMPLETE": f"complete_{shell}"}
    environment["_TYPER_COMPLETE_FISH_ACTION"] = "get-args"
    return subprocess.run([BARESTORE], env=environment, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    environment = {**os.environ, "_BARESTORE_COMPLETE": f"source_{shell}"}
    script = subprocess.run([BARESTORE], env=environment, capture_output=True, text=True, check=False).stdout
    assert f"complete_{shell}" in script
    assert "validate" in completed(shell, "barestore vali")
    found = completed(shell, "barestore plan --o")
    assert "--observed" in found
    assert "--save" not in found


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed")
def test_completion_in_bash(tmp_path: Path) -> None:
    environment = {**os.environ, "PATH": f"{BARESTORE.parent}{os.pathsep}{os.environ['PATH']}"}
    script = (
        'eval "$(_BARESTORE_COMPLETE=source_bash barestore)"\n'
        "COMP_WORDS=(barestore apply --pl); COMP_CWORD=2\n"
        "_barestore_completion barestore\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["--plan"], done.stderr


def test_the_manual_knows_every_command() -> None:
    root = typer.main.get_command(app)
    names = {name.split()[0] for name in PAGES}
    assert names == set(getattr(root, "commands", {}))
