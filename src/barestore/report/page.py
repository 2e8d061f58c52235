# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML file: template, styles and scripts of this package with the data, and a policy that allows nothing else."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from barestore import __version__
from barestore.errors import Failed
from barestore.lines import ClusterView
from barestore.report.data import HostView
from barestore.report.encode import Encoder
from barestore.report.runs import Run

# In this order they are one style sheet and one script.
STYLES = ("colours.css", "page.css", "controls.css", "racks.css", "panel.css", "print.css")
SCRIPTS = (
    "model.js", "dom.js", "search.js", "details.js", "bars.js", "racks.js", "grid.js", "panel.js", "capacity.js",
    "clusters.js", "plan.js", "health.js", "runs.js", "page.js",
)  # fmt: skip


def html(
    site: str, made: str, hosts: Iterable[HostView], runs: Sequence[Run] = (), clusters: Iterable[ClusterView] = ()
) -> str:
    """The page of hosts, which come by rack, and of clusters; ``made`` is a time such as ``2026-11-21T10:37:30Z``."""
    encoder = Encoder()
    for host in hosts:
        encoder.host(host)
    for cluster in clusters:
        encoder.cluster(cluster)
    encoder.runs(runs)
    styles, script = _static()
    data = encoder.main({"site": site, "made": made, "version": __version__})
    values: Mapping[str, Any] = {
        "site": site,
        "made": made,
        "styles": styles,
        "script": script,
        "policy": _policy(styles, script),
        "data": data,
        "pieces": encoder.pieces,
    }
    return _template().render(values)


def write(path: Path, text: str) -> None:
    """Put the page into its place when it is whole.

    :raises Failed: the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise Failed(f"The report cannot be written to {path}: {error.strerror}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _policy(styles: str, script: str) -> str:
    """Only these very styles and this very script; nothing is loaded, sent or framed."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(styles)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _static() -> tuple[str, str]:
    folder = resources.files("barestore.report") / "static"

    def joined(names: Sequence[str]) -> str:
        return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)

    return f"\n{joined(STYLES)}", f'\n"use strict";\n(() => {{\n{joined(SCRIPTS)}}})();\n'


@cache
def _template() -> jinja2.Template:
    text = (resources.files("barestore.report") / "static/page.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(text)
