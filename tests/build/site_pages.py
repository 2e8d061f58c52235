# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation: the site in build/site and the man page in build/man, from docs/ and from the sources."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pages
from shipped import ROOT

# Runs a tool of .venv in a folder, and gives its standard output.
Run = Callable[..., str]
COLLECTIONS = ROOT / "collections"


def build(run: Run, plugins: Iterable[tuple[str, str]]) -> str:
    """``plugins``: (module, lookup or role; its name with the collection's)."""
    source, man = ROOT / "build/docs", ROOT / "build/man"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "docs", source)
    (source / "reference/command.md").write_text(run("python", "-m", "barestore.manual", "markdown", cwd=ROOT))
    written = 0
    for kind, name in plugins:
        found = run("ansible-doc", "--json", "-t", kind, name, cwd=ROOT, collections=COLLECTIONS)
        short = name.rpartition(".")[2]
        (source / f"reference/{kind}_{short}.md").write_text(pages.page(kind, short, found), encoding="utf-8")
        written += 1
    _examples(source)
    run("mkdocs", "build", "--quiet", "--strict", "--config-file", "mkdocs.yml", cwd=ROOT)
    man.mkdir(parents=True, exist_ok=True)
    (man / "barestore.1").write_text(run("python", "-m", "barestore.manual", "man", cwd=ROOT), encoding="utf-8")
    html = len(list((ROOT / "build/site").rglob("*.html")))
    return f"{html} pages, {written + 1} of them from the sources, are in build/site/; build/man/barestore.1"


def _examples(source: Path) -> None:
    """The files of examples/ go along, so that the pages that speak of them lead to them."""
    shutil.copytree(ROOT / "examples", source / "examples")
    for page in source.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        up = "../" * (len(page.relative_to(source).parts) - 1)
        page.write_text(text.replace(f"]({up}../examples/", f"]({up}examples/"), encoding="utf-8")
