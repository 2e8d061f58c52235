# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only place that reads a cluster: two or three processes a look, at once, whatever the number of OSDs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ..plan.errors import Absent, ObserveError
from ..plan.runner import Result, Runner
from . import questions, reading
from .state import Cluster
from .wanted import Wanted


class Observer:
    """Reads the cluster of ``wanted``; ``last`` is what was answered last, as a recording."""

    def __init__(self, runner: Runner, wanted: Wanted) -> None:
        self._runner = runner
        self._wanted = wanted
        self.last: dict[str, Any] = {}

    def look(self, whole: bool = False, safe: Iterable[int] = ()) -> Cluster:
        """The state now. ``whole``: also what only a change needs; ``safe``: OSDs that Ceph shall judge.

        :raises ObserveError: Kubernetes or Ceph does not answer; as Absent where neither is there yet.
        """
        wanted = self._wanted
        asked = [*questions.LOOK, *(questions.CHANGE if whole else ()), *questions.safe_to_destroy(safe)]
        objects = questions.objects(wanted.config, wanted.cluster, whole)
        operator = questions.operator(wanted.config, wanted.operator_namespace) if whole else ()
        ceph = questions.ceph(wanted.config, wanted.cluster, asked)
        with self._runner.ahead(filter(None, (objects, operator, ceph))):
            items = list(self._json(objects)["items"])
            if operator:
                found = self._json(operator, empty={})
                items.extend([found] if found else [])
            answers = {"kubernetes": items, "ceph": self._json(ceph)}
        self.last = answers
        return reading.cluster(answers, wanted.cluster)

    def log(self, job: str) -> str:
        """The last words of a Job, for a sentence; empty when they cannot be had."""
        argv = questions.kubectl(
            self._wanted.config, "logs", f"job/{job}", f"--namespace={self._wanted.cluster}", "--tail=3"
        )
        return " ".join(self._runner.run(argv).stdout.split())

    def _json(self, argv: tuple[str, ...], empty: Any = None) -> Any:
        result = self._runner.run(argv)
        if result.rc == 0 and not result.stdout.strip() and empty is not None:
            return empty
        try:
            if result.rc == 0:
                return json.loads(result.stdout)
        except ValueError:
            pass
        raise self._unreadable(result)

    def _not_made(self, name: str) -> tuple[str, ...]:
        """What kubectl says where Kubernetes, Rook, the namespace or the toolbox was never made."""
        return (
            "kubectl: not installed",
            f"{self._wanted.config}: no such file or directory",
            'have a resource type "cephclusters"',
            f'namespaces "{name}" not found',
            f'"{questions.TOOLBOX.partition("/")[2]}" not found',
        )

    def _unreadable(self, result: Result) -> ObserveError:
        said = " ".join((result.stderr or result.stdout).split())[-400:] or "nothing"
        what = "Ceph" if "exec" in result.argv else "Kubernetes"
        name = self._wanted.cluster
        if any(sign in said for sign in self._not_made(name)):
            return Absent(f"the Ceph cluster {name} is not there yet ({said})", "let site.yml make it, and plan again")
        if "CephCluster" in said or "cephclusters" in said:
            what = "Rook"
        return ObserveError(
            f"{what} of cluster {name} does not answer (exit code {result.rc}): {said}",
            "bring the API server, the toolbox and the monitors back, and run again: it goes on from what is there",
        )
