# SPDX-License-Identifier: GPL-3.0-or-later
"""The same task from other machines: ansible-runner's transmit, worker and process, as Receptor and AWX run it.

A worker is a command that reads a job and prints its events, such as ``ssh controller2 ansible-runner worker``. The job
carries the inventory and the collection, so that a worker needs ansible-core, ansible-runner and jsonschema, and its
own way to reach the hosts.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

_COLLECTION = Path("ansible_collections/barestore/storage")
_OF_COLLECTION = ("plugins", "meta", "schemas", "galaxy.yml")
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Job:
    """What all workers get alike; ``settings`` are environment variables for Ansible."""

    sources: Sequence[str]
    play: Callable[[Sequence[str]], Mapping[str, Any]]
    check: bool
    forks: Callable[[int], int]
    settings: Mapping[str, str]


def shares(hosts: Sequence[str], workers: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Which worker takes which hosts: neighbours go to different ones."""
    return [(worker, list(hosts[n :: len(workers)])) for n, worker in enumerate(workers) if hosts[n :: len(workers)]]


def run(
    job: Job, worker: str, hosts: Sequence[str], event: Callable[[Mapping[str, Any]], bool], left: Callable[[], bool]
) -> str:
    """Run the play for these hosts on one worker; ``left`` says that nobody waits any more.

    Returns why hosts may be without an answer, as a part of a sentence; empty when the worker ended well.
    """
    import ansible_runner

    with tempfile.TemporaryDirectory(prefix="barestore-") as folder, tempfile.TemporaryFile() as errors:
        packed, results = Path(folder, "job"), Path(folder, "results")
        inventory = _pack(packed, job.sources)
        results.mkdir()
        try:
            process = subprocess.Popen(
                shlex.split(worker),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return f"the worker '{worker}' cannot be started: {getattr(error, 'strerror', None) or error}"
        threading.Thread(target=_end_when_left, args=(process, left), daemon=True).start()
        try:
            # ansible-runner closes neither end.
            with _pipe(process.stdin) as to_worker:
                ansible_runner.interface.run(
                    streamer="transmit",
                    _output=to_worker,
                    private_data_dir=str(packed),
                    playbook=[job.play(hosts)],
                    inventory=inventory,
                    forks=job.forks(len(hosts)),
                    cmdline="--check" if job.check else None,
                    envvars=dict(job.settings),
                    suppress_env_files=True,
                )
            with _pipe(process.stdout) as from_worker:
                ended = ansible_runner.interface.run(
                    streamer="process",
                    _input=from_worker,
                    private_data_dir=str(results),
                    event_handler=event,
                    quiet=True,
                )
            broken = ended.status == "error"
        except OSError:
            broken = True
        rc = process.wait()
        if not rc and not broken:
            return ""
        errors.seek(0)
        said = errors.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "it said nothing")
        return f"the worker '{worker}' ended with exit code {rc}: {last.rstrip('.')}"


def _end_when_left(process: subprocess.Popen[bytes], left: Callable[[], bool]) -> None:
    while process.poll() is None:
        if left():
            process.terminate()
            return
        threading.Event().wait(_LOOK_SECONDS)


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    if end is None:
        raise OSError("a pipe is missing")
    return end


def _pack(folder: Path, sources: Sequence[str]) -> str:
    """Lay out what travels; the place of the inventory in it. Its folder keeps its name: a site is named after it."""
    project = folder / "project"
    (project / "collections" / _COLLECTION).mkdir(parents=True)
    for name in _OF_COLLECTION:
        source = _collection() / name
        target = project / "collections" / _COLLECTION / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, target)
    _copy_variables(Path(), project)
    if os.path.exists("ansible.cfg"):
        shutil.copy("ansible.cfg", project / "ansible.cfg")
    source = Path(sources[0])
    inside = folder / "inventory" / (source.name if source.is_dir() else source.parent.name)
    if source.is_dir():
        shutil.copytree(source, inside)
        return inside.name
    inside.mkdir(parents=True)
    shutil.copy(source, inside / source.name)
    _copy_variables(source.parent, inside)
    return f"{inside.name}/{source.name}"


def _copy_variables(source: Path, target: Path) -> None:
    for name in ("group_vars", "host_vars"):
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)


def _collection() -> Path:
    from ansible_collections.barestore.storage.plugins.module_utils.host import planner

    return Path(str(planner.__file__)).parents[3]
