# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans from recorded observations: the same planner as on the host, the same digest, no host contacted."""

from __future__ import annotations

import calendar
import gc
import json
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from ansible_collections.barestore.storage.plugins.module_utils.host import planner
from ansible_collections.barestore.storage.plugins.module_utils.host.disk_facts import disk_facts
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation
from ansible_collections.barestore.storage.plugins.module_utils.host.state import Site
from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import digest
from ansible_collections.barestore.storage.plugins.module_utils.plan.errors import StorageError
from barestore.commands.common import Fleet
from barestore.errors import Failed
from barestore.hostplan import HostPlan, report
from barestore.hosts import Host

# What a recording that somebody edited makes of the kinds, which trust the observer.
DAMAGED = (AttributeError, KeyError, IndexError, TypeError, ValueError)

AGAIN = "observe again with 'barestore observe --save"


# Fewer hosts are planned sooner than processes start.
_WORTH_PROCESSES = 24


def plans(fleet: Fleet, folder: Path, max_age: float | None = None) -> Iterator[HostPlan]:
    """One plan a host, when it is asked for; a host whose recording is missing or too old is an error of its own.

    :raises Failed: there is no such folder.
    """
    there(folder)
    at_once = len(os.sched_getaffinity(0))
    if len(fleet.hosts) < _WORTH_PROCESSES or at_once < 2:
        return (_plan(host, folder, max_age) for host in fleet.hosts)
    return _side_by_side(fleet.hosts, folder, max_age, at_once)


def _side_by_side(hosts: Iterable[Host], folder: Path, max_age: float | None, at_once: int) -> Iterator[HostPlan]:
    """In the order of the hosts; only as many as are soon wanted are planned ahead, so that memory does not grow."""
    waiting: deque[Future[HostPlan]] = deque()
    # What was imported and read here is there in a fork at once.
    fork = multiprocessing.get_context("fork")
    gc.freeze()  # a collection in a child would copy every page of what it never uses
    with ProcessPoolExecutor(at_once, fork, _begin) as pool:
        try:
            for host in hosts:
                waiting.append(pool.submit(_plan, host, folder, max_age))
                if len(waiting) > 8 * at_once:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise Failed("A process that planned was killed, perhaps for want of memory; run again.") from error
        finally:
            pool.shutdown(cancel_futures=True)
            gc.unfreeze()


def _begin() -> None:
    """Of a process that plans: Ctrl-C is for the one that waits, and what a host leaves behind is collected seldom."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(100_000)


def _plan(host: Host, folder: Path, max_age: float | None) -> HostPlan:
    try:
        observation = recording(folder, host.name)
        fresh(observation.taken, host.name, f"{AGAIN} {folder} --limit {host.name}'", max_age)
        return _planned(host, observation, folder)
    except Failed as error:
        return report(host, {}, "error", str(error))
    except StorageError as error:
        return report(host, {}, "error", error.sentence())
    except DAMAGED as error:
        return report(host, {}, "error", damaged(folder, host.name, error))


def _planned(host: Host, observation: Observation, folder: Path) -> HostPlan:
    site = Site(host.site, host.name, host.consent)
    document = host.document or {}
    for probe in planner.probes(document):
        observation.ask(probe)
    plan = planner.plan(document, observation, site)
    whole(observation, folder)
    return HostPlan(
        host.name,
        host.rack,
        "refused" if plan.refusals else "changes" if plan.actions else "nothing",
        digest(plan),
        [action.as_json() for action in plan.actions],
        [refusal.sentence() for refusal in plan.refusals],
        plan.notes,
        disk_facts(observation),
        identities=plan.identities,
        site=host.site,
        wanted=host.wanted,
        observed=observation.taken,
    )


def fresh(when_taken: str, whose: str, again: str, max_age: float | None) -> None:
    """Refuse what is older than somebody allows; ``again`` is what to do about it.

    :raises Failed: it is, or nobody knows.
    """
    if max_age is None:
        return
    try:
        taken = calendar.timegm(time.strptime(when_taken, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        taken = 0
    if time.time() - taken > max_age:
        when = f"was made at {when_taken}" if when_taken else "does not say when it was made"
        raise Failed(f"The recording of {whose} {when}, which is longer ago than allowed; {again}.")


def damaged(folder: Path, host: str, error: Exception) -> str:
    """The sentence for a recording whose answers are not what a host answers."""
    why = " ".join(str(error).split()) or type(error).__name__
    return f"The recording {folder / f'{host}.json'} holds an answer that no host gives ({why}); {AGAIN} {folder}'."


def whole(observation: Observation, folder: Path) -> None:
    """What was asked of a recording must have been recorded.

    :raises Failed: something was not.
    """
    if observation.missing:
        question = next(iter(observation.missing))
        raise Failed(
            f"The recording of {observation.host} does not answer what this document asks ('{question}'); "
            f"{AGAIN} {folder} --limit {observation.host}'."
        )


def kept(path: Path, again: str) -> Any:
    """What a file of a recording holds; ``again`` is what to do where it cannot be had.

    :raises Failed: there is none, or it is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Failed(f"There is no recording {path}; {again}.") from None
    except OSError as error:
        raise Failed(f"The recording {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise Failed(f"The recording {path} is not JSON ({error}); {again}.") from error


def there(folder: Path) -> None:
    """:raises Failed: there is no such folder."""
    if not folder.is_dir():
        raise Failed(f"There is no folder {folder}; record the hosts with 'barestore observe --save {folder}'.")


def recording(folder: Path, host: str) -> Observation:
    """The observation of one host.

    :raises Failed: there is none, or the file holds something else.
    """
    path = folder / f"{host}.json"
    found = kept(path, f"{AGAIN} {folder} --limit {host}'")
    if not isinstance(found, dict) or found.get("observation") != 1 or not isinstance(found.get("answers"), dict):
        raise Failed(f"{path} is no recording of this release; {AGAIN} {folder} --limit {host}'.")
    if found.get("host") not in ("", host):
        raise Failed(f"{path} is a recording of {found.get('host')} and not of {host}; {AGAIN} {folder}'.")
    return Observation(found["answers"], host=host, taken=str(found.get("taken", "")))
