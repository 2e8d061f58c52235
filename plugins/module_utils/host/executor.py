# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The only place that changes a host: runs a plan's actions, reads each result back, stops at a surprise."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any

from ..plan.errors import CommandFailed, JournalError, StorageError, Surprise
from ..plan.journal import Journal
from ..plan.model import Action, Command, EditLine, Expect, Link, Plan, Step, WriteFile, Zero
from ..plan.order import chains, predecessors
from ..plan.printable import printable
from ..plan.report import Done
from ..plan.runner import Runner, interrupts
from .arrivals import Arrivals
from .first_look import SETTLE
from .holding import Hold, disk_of
from .noticing import Noticing, known
from .zeroing import zero

_BY_ID = "/dev/disk/by-id"
_SIDE_BY_SIDE = 8
_DEVICE_SECONDS = 30.0
# Between two looks for devices: at least, and for each that is waited for, since sixty looks cost as much as a tool.
_LOOK_SECONDS = 0.05
_LOOK_SECONDS_EACH = 0.02
_PATIENCE_SECONDS = 30.0
# LVM looks at what it copies every ten seconds, and then calls it moved.
_FLUSH_SECONDS = 1.0


class Executor:
    """Runs plans. ``shortfall`` reads back what an action promised; it is the observer's."""

    def __init__(self, runner: Runner, journal: Journal, shortfall: Callable[[Expect], str]) -> None:
        self._runner = runner
        self._journal = journal
        self._shortfall = shortfall
        self._files = threading.Lock()
        self._writing = threading.Lock()
        self._stop = threading.Event()
        self._hold = Hold()
        self._noticing = Noticing()
        self._kept: set[str] = set()
        self.done: list[Done] = []

    def execute(self, plan: Plan) -> None:
        """Run all actions, those that share nothing side by side.

        After the first failure or an interrupt nothing more starts; what runs is left to end. The disks in the plan are
        held until :meth:`release`.

        :raises StorageError: the first failure; what was done until then is in :attr:`done` and in the journal.
        """
        before = predecessors(plan.actions)
        # What most actions wait for comes first: the run is as long as its longest chain.
        length = chains(before)
        waiting = {one.id: one for one in sorted(plan.actions, key=lambda one: -length[one.id])}
        running: dict[Future[None], Action] = {}
        finished: set[str] = set()
        self._hold_disks(plan)
        arrivals = Arrivals(plan.actions, _DEVICE_SECONDS)
        failure: StorageError | None = None
        met: list[Action] = []
        changed = True
        with interrupts(self._stop.set), ThreadPoolExecutor(max_workers=_SIDE_BY_SIDE) as pool:
            while waiting or running:
                if changed:
                    met = [one for one in waiting.values() if before[one.id] <= finished]
                goes_on = failure is None and not self._stop.is_set()
                # What waits in the pool could no longer be stopped: no more is given to it than it runs.
                room = _SIDE_BY_SIDE - len(running)
                ready = arrivals.sort(met if goes_on and room else ())
                if ready.behind and not (running or ready.start or ready.coming):
                    self._settle()
                    arrivals.settled()
                    continue
                for action in ready.start[:room]:
                    del waiting[action.id]
                    met.remove(action)
                    running[pool.submit(self._one, action)] = action
                if not running and not ready.coming:
                    break
                if ready.coming:
                    self._noticing.while_waiting()
                pause = max(_LOOK_SECONDS, _LOOK_SECONDS_EACH * len(ready.coming))
                if not running:
                    time.sleep(pause)
                ended, _rest = wait(running, pause if ready.coming else None, FIRST_COMPLETED)
                changed = bool(ended)
                for future in ended:
                    action = running.pop(future)
                    finished.add(action.id)
                    arrivals.note(action)
                    failure = failure or _failure(future)
        if failure is not None:
            raise failure
        if waiting:
            raise Surprise(f"the run was interrupted before {next(iter(waiting))}", "run again: it goes on from there")
        if any(action.disks for action in plan.actions):
            # While udev looks at what was written, it knows neither names nor links: nobody shall look before it did.
            self._settle()
            if self._noticing.ask():
                self._settle()

    def release(self) -> None:
        """Let go of the disks: nobody looks at their partitions any more."""
        self._hold.release()

    def _hold_disks(self, plan: Plan) -> None:
        """Those that get partitions in this plan, and those of the partitions that it waits for."""
        old = {disk_of(path) for action in plan.actions for path in action.waits} - {""}
        self._hold.take({*old, *(path for action in plan.actions for path in action.holds)})

    @staticmethod
    def begin(path: str, disks: Iterable[str]) -> None:
        """Remember the disks that are written to, so that what a power cut leaves on them is known as our own.

        :raises Surprise: the file cannot be written.
        """
        try:
            _replace(path, "".join(f"{one}\n" for one in sorted(disks)).encode(), 0o600)
        except OSError as error:
            raise Surprise(f"{path} cannot be written: {error.strerror}", "mend it and run again") from error

    @staticmethod
    def forget(path: str) -> None:
        """Remove a file of what holds no more; none is none."""
        with suppress(OSError):
            os.unlink(path)

    def _one(self, action: Action) -> None:
        self._note("start", {"action": action.id, "commands": [step.as_json() for step in action.steps]})
        start = time.monotonic()
        try:
            self._miss_no_device(action)
            before = known(set(action.waits) - set(action.holds)) if action.settles else {}
            # An earlier run may have been killed over what this one builds on.
            _flush(set(action.disks) - self._kept)
            self._kept.update(action.disks)
            for step in action.steps:
                self._step(action, step)
            _flush(action.disks)
            self._noticing.wrote(before)
            for expect in action.expects:
                seen = self._settled_shortfall(expect)
                if seen:
                    raise Surprise(
                        f"after {action.id}, {seen}", "nothing more was done; look at the host and run again"
                    )
        except StorageError as error:
            self._note("failed", {"action": action.id, "why": error.sentence()})
            raise
        self._note("done", {"action": action.id, "seconds": round(time.monotonic() - start, 3)})

    def _step(self, action: Action, step: Step) -> None:
        start = time.monotonic()
        if isinstance(step, Command):
            with _flushed(action.disks if action.copies else ()):
                result = self._runner.run(step.argv, step.stdin)
            self.done.append(Done(action.id, step.argv, result.rc, result.seconds))
            if result.rc != 0:
                raise CommandFailed(step.argv, result.rc, result.stderr or result.stdout)
            if step.silent and result.stdout.strip():
                raise Surprise(
                    f"before {action.id}, {' '.join(step.argv)} found {printable(' '.join(result.stdout.split()))}",
                    "clear it by hand if it may be lost, and run again",
                )
            return
        if isinstance(step, Zero):
            try:
                zero(step)
            except OSError as error:
                raise Surprise(
                    f"{step.path} cannot be wiped: {error.strerror}", "look at the disk, and run again"
                ) from error
            self.done.append(Done(action.id, ("zero", step.path), 0, round(time.monotonic() - start, 3)))
            return
        try:
            with self._files:
                _write(step)
        except OSError as error:
            raise Surprise(f"{step.path} cannot be written: {error.strerror}", "mend it and run again") from error
        self.done.append(Done(action.id, ("write", step.path), 0, round(time.monotonic() - start, 3)))

    def _settled_shortfall(self, expect: Expect) -> str:
        """udev re-reads a table after each writer, and a busy host makes its links late: look again before judging."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            seen = self._shortfall(expect)
            if not seen or time.monotonic() > end:
                return seen
            time.sleep(0.1)

    def _settle(self) -> None:
        """One wait for udev: until its queue is empty."""
        result = self._runner.run(SETTLE)
        self.done.append(Done("settle", result.argv, result.rc, result.seconds))

    def _miss_no_device(self, action: Action) -> None:
        for path in action.waits:
            if not os.path.exists(path):
                raise Surprise(
                    f"{path} did not appear within {int(_DEVICE_SECONDS)} s", "look at udev's log, and run again"
                )

    def _note(self, event: str, fields: dict[str, Any]) -> None:
        with self._writing:
            try:
                self._journal.write(event, fields)
            except JournalError:
                self._stop.set()
                raise


def _failure(future: Future[None]) -> StorageError | None:
    error = future.exception()
    if error is None or isinstance(error, StorageError):
        return error
    raise error


def _flush(disks: Iterable[str]) -> None:
    """Have disks keep what they took: LVM writes past the page cache and never asks for it, and the power may fail.

    :raises Surprise: a disk says that it could not.
    """
    for name in disks:
        path = f"{_BY_ID}/{name}"
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except FileNotFoundError:
            continue  # gone, or without its link for a moment: what the action promised is read back
        except OSError as error:
            raise Surprise(
                f"{path} did not keep what was written: {error.strerror}", "look at the disk, and run again"
            ) from error


@contextmanager
def _flushed(disks: Sequence[str]) -> Iterator[None]:
    """Flush disks all the time, and once more: pvmove would tell the group of a copy that a disk has yet to keep."""
    ended = threading.Event()

    def often() -> None:
        while not ended.wait(_FLUSH_SECONDS):
            # A disk that refuses is judged when the command has ended.
            with suppress(Surprise):
                _flush(disks)

    if not disks:
        yield
        return
    thread = threading.Thread(target=often)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    _flush(disks)


def _write(step: EditLine | WriteFile | Link) -> None:
    os.makedirs(os.path.dirname(step.path), exist_ok=True)
    if isinstance(step, Link):
        temporary = f"{step.path}.new"
        if os.path.lexists(temporary):
            os.unlink(temporary)
        os.symlink(step.target, temporary)
        os.replace(temporary, step.path)
        return
    if isinstance(step, WriteFile):
        _replace(step.path, step.content.encode(), step.mode)
        return
    _replace(step.path, _edited(step), 0o644)


def _edited(step: EditLine) -> bytes:
    """All other lines stay as they are, byte by byte; copies of the line become one."""
    try:
        with open(step.path, "rb") as handle:
            lines = handle.read().splitlines(keepends=True)
    except FileNotFoundError:
        lines = []
    # As the observer read them.
    told = [line.decode(errors="replace").rstrip("\r\n") for line in lines]
    new = [] if step.after is None else [f"{step.after}\n".encode()]
    if step.before is not None:
        if step.before not in told:
            raise Surprise(f"{step.path} lacks the line {step.before!r}", "it was changed meanwhile; run again")
        place = told.index(step.before)
        lines = [line for line, text in zip(lines, told) if text != step.before]
        lines[place:place] = new
    elif step.after not in told:
        if lines and not lines[-1].endswith((b"\n", b"\r")):
            lines[-1] += b"\n"
        lines += new
    return b"".join(lines)


def _replace(path: str, content: bytes, mode: int) -> None:
    """Write beside it, flush, rename: the file is never seen half-written, not even after a power cut."""
    path, owner = os.path.realpath(path), (-1, -1)  # a link stays one
    with suppress(FileNotFoundError):
        found = os.stat(path)
        mode, owner = stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".barestore-")
    try:
        with open(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fchown(descriptor, *owner)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
