# SPDX-License-Identifier: GPL-3.0-or-later
"""The module on a recorded host, measured from inside: a check run, from the arguments to the JSON of its answer.

usage: replay.py FILE [--profile]
"""

from __future__ import annotations

import cProfile
import json
import pstats
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.host import observer, planner, run
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation, Probe, Signatures
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import digest
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Result, Runner

SITE = Site("bench", "lab1")


class Recorded(Runner):
    """Answers from the recording instead of processes."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__()
        self._answers = answers

    @staticmethod
    def has(tool: str) -> bool:
        return True

    @staticmethod
    def has_module(name: str) -> bool:
        return True

    @contextmanager
    def ahead(self, argvs: Iterable[Sequence[str]]) -> Iterator[None]:
        yield

    def run(self, argv: Sequence[str], stdin: str = "") -> Result:
        self.count += 1
        found = self._answers["run:" + " ".join(argv)]
        return Result(tuple(argv), found["rc"], found["stdout"], found["stderr"], 0.0)


def replay(answers: dict[str, Any]) -> None:
    """Put the recording where the observer reads the host."""

    def read(probe: Probe) -> Any:
        return answers.get(probe.key)  # what is no part of an observation, such as os-release, is not there

    def signatures(_self: observer.Observer, paths: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {path: answers[Signatures(path).key] for path in paths}

    observer._read = read
    observer.Observer._signatures = signatures  # type: ignore[assignment,method-assign]


def module(document: dict[str, Any], answers: dict[str, Any]) -> tuple[str, int]:
    """What the module prints, and how many actions it plans."""
    report = run.storage(run.Job(document, SITE, check=True), Recorded(answers))
    if report.plan.refusals:
        raise SystemExit(report.plan.refusals[0].sentence())
    return json.dumps(report.as_json()), len(report.plan.actions)


def main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text())
    document, answers = given["document"], given["answers"]
    del given
    replay(answers)
    if "--profile" in sys.argv:
        profile = cProfile.Profile()
        profile.runcall(module, document, answers)
        pstats.Stats(profile).sort_stats("cumulative").print_stats(45)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    text, actions = module(document, answers)
    used = resource.getrusage(resource.RUSAGE_SELF)
    # Everything since the start of Python counts, imports and the reading of the recording too.
    seconds, mebibytes = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    started = time.process_time()
    plan = planner.plan(document, Observation(answers), SITE)
    digest(plan)
    planning = time.process_time() - started
    print(
        json.dumps(
            {
                "seconds": seconds,
                "mebibytes": mebibytes,
                "planning": planning,
                "actions": actions,
                "characters": len(text),
            }
        )
    )


if __name__ == "__main__":
    main()
