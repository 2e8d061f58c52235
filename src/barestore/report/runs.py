# SPDX-License-Identifier: GPL-3.0-or-later
"""Past runs, from journals of hosts and from what ``barestore apply --json`` printed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from barestore.errors import Failed
from barestore.words import command

_NAME = re.compile(r"(\d{8}T\d{6}Z)-\d+\.jsonl$")


@dataclass(frozen=True)
class Step:
    """One command or action of a run; ``rc`` is 0 for one that went well."""

    action: str
    command: str
    seconds: float
    rc: int


@dataclass(frozen=True)
class Run:
    """One run on one host; ``began`` is a time such as ``2026-11-21T10:37:30Z``, or empty where nothing says it.

    ``status`` is done, failed, stopped, or another one of the command.
    """

    host: str
    began: str
    status: str
    message: str
    steps: tuple[Step, ...]


def read(paths: Sequence[Path]) -> list[Run]:
    """All runs in these files and folders, the newest first.

    A journal is ``HOST/NAME.jsonl``: the name of its folder is the host. Other files are answers of ``apply --json``;
    JSON without runs, such as a plan, has none.

    :raises Failed: a path does not exist, or a file cannot be read.
    """
    found = [run for path in paths for file in _files(path) for run in _of(file)]
    return sorted(found, key=lambda run: (run.began, run.host), reverse=True)


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(each for each in path.rglob("*") if each.suffix in (".json", ".jsonl") and each.is_file())
    elif path.exists():
        yield path
    else:
        raise Failed(f"There is no file or folder {path} with past runs.")


def _of(path: Path) -> Iterator[Run]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Failed(f"The file {path} cannot be read: {error.strerror}.") from error
    if path.suffix == ".jsonl":
        yield from _journal(path, text)
        return
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Failed(f"{path} is no answer of 'barestore apply --json': it is not JSON ({error}).") from error
    hosts = found.get("hosts") if isinstance(found, Mapping) else None
    for host, answer in hosts.items() if isinstance(hosts, Mapping) else ():
        if isinstance(answer, Mapping) and answer.get("executed"):
            yield _answer(str(host), answer)


def _answer(host: str, answer: Mapping[str, Any]) -> Run:
    steps = tuple(
        Step(
            str(each.get("action", "")),
            " ".join(map(str, each["argv"])) if isinstance(each.get("argv"), list) else "",
            float(each.get("seconds") or 0),
            int(each.get("rc") or 0),
        )
        for each in answer["executed"]
        if isinstance(each, Mapping)
    )
    failed = any(step.rc for step in steps)
    status = "failed" if failed else str(answer.get("status", ""))
    return Run(host, _time(str(answer.get("journal", ""))), status, str(answer.get("message") or ""), steps)


def _time(journal: str) -> str:
    """The time that the name of a journal tells."""
    found = _NAME.search(journal)
    if found is None:
        return ""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.strptime(found[1], "%Y%m%dT%H%M%SZ"))


def _journal(path: Path, text: str) -> Iterator[Run]:
    """A journal ends where the power failed: its last line may be cut, and an action may have no end."""
    began: dict[str, tuple[float, str]] = {}
    steps: list[Step] = []
    result, why = "", ""
    for event in _events(text):
        action, at = str(event.get("action", "")), float(event.get("time") or 0)
        kind = event.get("event")
        if kind == "start":
            began[action] = (at, _commands(event))
        elif kind in ("done", "failed") and action:
            start, words = began.pop(action, (at, ""))
            steps.append(Step(action, words, float(event.get("seconds") or at - start), int(kind == "failed")))
            why = str(event.get("why") or why)
        elif kind == "end":
            result, why = str(event.get("result", "")), str(event.get("why") or why)
    if not steps and not began and not result:
        return
    if not result:
        result = "stopped"
        running = ", ".join(began) or "nothing"
        why = why or f"The journal has no end; {running} was running when it stopped."
    steps += [Step(action, words, 0.0, 1) for action, (_start, words) in began.items()]
    yield Run(path.parent.name, _time(path.name), result, why, tuple(steps))


def _events(text: str) -> Iterator[Mapping[str, Any]]:
    for row in text.replace("\0", "").splitlines():
        try:
            event = json.loads(row)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


def _commands(event: Mapping[str, Any]) -> str:
    found = event.get("commands")
    steps = [step for step in found if isinstance(step, Mapping)] if isinstance(found, list) else []
    return "\n".join(map(command, steps))
