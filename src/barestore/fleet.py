# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one task on many hosts at once, by ansible-runner; what each host answers comes back as values."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from barestore import workers
from barestore.errors import Failed

_MOST_AT_ONCE = 50
_TICK_SECONDS = 0.2
_ENDED = {"runner_on_ok": "ok", "runner_on_failed": "failed", "runner_on_unreachable": "unreachable"}


@dataclass(frozen=True)
class Answer:
    """What a task gave on one host: ``how`` is ok, failed, unreachable, or silent when nothing came back."""

    host: str
    how: str
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The words of a failure, on one line."""
        return " ".join(str(self.result.get("msg", "")).split()).removeprefix("Task failed: ")

    def complaint(self) -> str:
        """Why a host gave no result, as a sentence."""
        word = {"unreachable": "it cannot be reached", "silent": "it gave no answer"}.get(self.how, "it failed")
        return f"{self.host}: {word}: {self.message.rstrip('.') or 'no reason was given'}."


@dataclass
class Call:
    """One task for some hosts, running in a thread of its own until :meth:`wait` returns.

    ``workers`` are commands that run it elsewhere, each for its share of the hosts.
    """

    sources: Sequence[str]
    hosts: Sequence[str]
    task: Mapping[str, Any]
    variables: Mapping[str, Any] = field(default_factory=dict)
    check: bool = False
    workers: Sequence[str] = ()
    answers: dict[str, Answer] = field(default_factory=dict)
    _said: list[str] = field(default_factory=list)
    _lost: dict[str, str] = field(default_factory=dict)
    _rc: int = 0
    _error: Exception | None = None
    _cancelled: bool = False
    # Ctrl-C during Thread.join makes Python 3.11 believe that the thread has ended; an event does not lie.
    _ended: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Begin; the hosts are contacted from here on."""
        threading.Thread(target=self._until_ended, daemon=True).start()

    def running(self) -> bool:
        return not self._ended.is_set()

    def leave(self) -> None:
        """Stop listening: hosts end what they do by themselves."""
        self._cancelled = True

    def wait(self, tick: Callable[[], None] = lambda: None) -> dict[str, Answer]:
        """The answer of each host, once all have come; ``tick`` is called several times a second until then.

        :raises Failed: Ansible itself could not run.
        """
        while not self._ended.wait(_TICK_SECONDS):
            tick()
        if self._error is not None:
            raise Failed(f"Ansible could not run: {' '.join(str(self._error).split())}") from self._error
        if not self.answers and self._rc and not self._cancelled:
            raise Failed(f"Ansible could not run: {self._last_words()}")
        return {host: self.answers.get(host, self._silent(host)) for host in self.hosts}

    def _silent(self, host: str) -> Answer:
        why = self._lost.get(host, "")
        return Answer(host, "silent", {"msg": why} if why else {})

    def _until_ended(self) -> None:
        try:
            self._run()
        finally:
            self._ended.set()

    def _run(self) -> None:
        if self.workers:
            self._run_elsewhere()
            return
        import ansible_runner

        folder = tempfile.mkdtemp(prefix="barestore-")
        try:
            _beside_the_play(folder)
            done = ansible_runner.run(
                private_data_dir=folder,
                project_dir=os.getcwd(),
                playbook=[self._play(self.hosts)],
                inventory=list(self.sources),
                forks=_forks(len(self.hosts)),
                cmdline="--check" if self.check else None,
                envvars={**_settings(), "PATH": _path()},
                event_handler=self._event,
                cancel_callback=lambda: self._cancelled,
                quiet=True,
                suppress_env_files=True,
            )
            self._rc = done.rc
        except Exception as error:  # carried to the thread that waits
            self._error = error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run_elsewhere(self) -> None:
        job = workers.Job(self.sources, self._play, self.check, _forks, _settings())

        def share(worker: str, hosts: Sequence[str]) -> None:
            try:
                why = workers.run(job, worker, hosts, self._event, lambda: self._cancelled)
            except Exception as error:  # carried to the thread that waits
                self._error = error
                return
            self._lost.update(dict.fromkeys(hosts, why) if why else {})

        threads = [
            threading.Thread(target=share, args=each, daemon=True) for each in workers.shares(self.hosts, self.workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _play(self, hosts: Sequence[str]) -> dict[str, Any]:
        return {
            "name": "barestore",
            "hosts": list(hosts),
            "gather_facts": False,
            "vars": dict(self.variables),
            "tasks": [{"name": "barestore", **self.task}],
        }

    def _event(self, event: Mapping[str, Any]) -> bool:
        kind, data = event.get("event", ""), event.get("event_data") or {}
        if kind in _ENDED and data.get("host"):
            host = str(data["host"])
            self.answers[host] = Answer(host, _ENDED[kind], data.get("res") or {})
        elif kind in ("verbose", "error") and event.get("stdout"):
            self._said.append(str(event["stdout"]))
        return False  # no event is kept on this machine

    def _last_words(self) -> str:
        words = [line.strip() for text in self._said for line in text.splitlines() if line.strip()]
        errors = [line for line in words if "ERROR" in line] or words[-3:] or ["it said nothing"]
        return " ".join(errors)


def _beside_the_play(folder: str) -> None:
    """Variables beside site.yml hold for our play too: it stands, as a file, elsewhere."""
    project = Path(folder, "project")
    project.mkdir()
    for name in ("group_vars", "host_vars"):
        if Path(name).is_dir():
            (project / name).symlink_to(Path(name).absolute())


def _forks(hosts: int) -> int:
    from ansible import constants

    return max(int(constants.DEFAULT_FORKS), min(hosts, _MOST_AT_ONCE))


def _path() -> str:
    """The ansible-playbook of this Python comes first."""
    return os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))


def _settings() -> dict[str, str]:
    """Host keys are checked as configured: ansible-runner would not check them."""
    from ansible import constants

    return {
        "ANSIBLE_HOST_KEY_CHECKING": str(constants.config.get_config_value("HOST_KEY_CHECKING")),
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_NOCOLOR": "1",
    }
