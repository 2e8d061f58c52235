# SPDX-License-Identifier: GPL-3.0-or-later
"""One case tried with one system on a virtual host, and what it was seen to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import system_role
from guest import HERE, Guest, Run, Unmeasured
from safety_cases import DISK, OLD_MIB, Case, Facts, Said

from barestore import __version__
from barestore.lab.machine import Disk

SYSTEMS = {"b": "barestore", "c": "community.general", "l": system_role.NAME, "s": "shell script"}
_OLD = "/var/tmp/old"
# Reading leaves no trace on a disk: neither is a journal replayed nor a time written. udev is told to look again, since
# it misses what is written while it still looks at a new device.
_WORDS = f"""
OLD={_OLD}
put() {{ mount "$1" /mnt && cp $OLD /mnt/old && umount /mnt && udevadm trigger --settle --action=change "$1"; }}
old() {{
    if mount -o ro,"$2" "$1" /mnt 2>/dev/null; then sha256sum </mnt/old; umount /mnt; else echo gone; fi
}}
mkdir -p /mnt
"""
_SETTLE = "\nudevadm settle; sync\n"
_LENGTH = 160


@dataclass(frozen=True)
class Try:
    """A case, a system by its letter, and the disks that both have for themselves."""

    case: Case
    letter: str

    @property
    def tag(self) -> str:
        """The name of everything that the try makes."""
        return self.case.name + self.letter

    @property
    def system(self) -> str:
        return SYSTEMS[self.letter]

    def serials(self, disks: int) -> list[str]:
        return [f"{self.tag.upper()}{number}" for number in range(1, disks + 1)]

    def hardware(self) -> list[dict[str, str]]:
        """Its disks, as a machine of the lab has them; the model is their name too."""
        return [
            {"serial": serial, "type": "hdd", "size": DISK, "model": self.tag.upper()}
            for serial in self.serials(self.case.disks)
        ]


@dataclass(frozen=True)
class Seen:
    """What a try came to: how the last run ended, what it harmed, and other facts in words."""

    tried: Try
    said: Said
    harms: tuple[str, ...]
    facts: tuple[str, ...]

    @property
    def rest(self) -> tuple[str, ...]:
        """All but the harm: how it ended, and what is another now."""
        ended = "nothing to do" if self.said.how == "same" else self.said.how
        return (f"{ended}: {self.said.words}" if self.said.words else ended, *self.facts)

    @property
    def text(self) -> str:
        return "; ".join([*self.harms, *self.rest])


@dataclass(frozen=True)
class Tools:
    """Where the community bundle's programs and the role are."""

    bundle: Path
    role: Path | None


def tries(cases: Sequence[Case], letters: Sequence[str]) -> list[Try]:
    """Each case with each of these systems that has a word for it; barestore first, on untouched disks."""
    return [
        Try(case, letter)
        for letter in letters
        for case in cases
        if {"l": case.role, "s": case.script}.get(letter, True)
    ]


def prepare(host: Guest) -> None:
    """Make the old file."""
    host.vm.ssh(f"head -c {OLD_MIB}M /dev/urandom >{_OLD}")


def attempt(host: Guest, one: Try, tools: Tools) -> Seen:
    """Make what is there before, look, have the system do what is asked, and look again.

    :raises Unmeasured: what shall be there could not be made, or the system did not begin at all.
    """
    case = one.case
    disks = {disk.serial: disk for disk in host.vm.machine.disks}
    mine = [disks[serial] for serial in one.serials(case.disks)]
    links = [host.links[disk.serial] for disk in mine]
    names = host.vm.ssh(f"readlink -f {' '.join(links)}").stdout.split()
    links += [f"/dev/disk/by-id/wwn-0x5000c5000000dead{number}" for number in range(case.absent)]
    shell = _Shell(host, one.tag, names[0], links)
    made = shell.run(f"set -e\n{case.before}{_SETTLE}set +e\n{case.look}\ntrue")
    if made.returncode:
        raise Unmeasured(f"{case.name}, {one.system}: what is there before cannot be made: {made.stderr.strip()}")
    before = _facts(host, made.stdout, mine)
    if case.exchanged:
        _exchange(host, mine[0], mine[1], names)
    if before.get("file") == "gone":
        raise Unmeasured(f"{case.name}, {one.system}: the old file is not there before anything was tried")
    between: list[str] = []
    middle = before
    run = _Run(host, one, tools, links, names, shell)
    if case.runs > 1:
        first = run.said()
        if first.how != case.first:
            raise Unmeasured(f"{case.name}, {one.system}: the first run was {first.how}: {first.words}")
        middle = _look(host, shell, case, mine)
        between = [f"first run {first.how}", *_changes(before, middle)]
    said = run.said()
    after = _look(host, shell, case, mine)
    harms = case.judge(before, after, said)
    facts = [*between, *_changes(middle, after)]
    if not harms and case.steady and before["disks"] == after["disks"]:
        facts.append("no byte was written")
    elif not harms and "file" in before:
        facts.append("the old file is intact")
    elif not (harms or facts):
        facts.append("nothing was changed")
    return Seen(one, said, tuple(harms), tuple(facts))


class _Shell:
    """Shell text of a case on the host."""

    def __init__(self, host: Guest, tag: str, name: str, links: Sequence[str]) -> None:
        self._host, self._links = host, links
        self._head = f"tag={tag} name={name}\n{_WORDS}"

    def run(self, text: str) -> Any:
        return self._host.vm.ssh(f"bash -s {' '.join(self._links)}", check=False, input=self._head + text)


@dataclass(frozen=True)
class _Run:
    """One run of a system."""

    host: Guest
    one: Try
    tools: Tools
    links: Sequence[str]
    names: Sequence[str]
    shell: _Shell

    def said(self) -> Said:
        systems = {"b": self._barestore, "c": self._community, "l": self._role, "s": self._script}
        return systems[self.one.letter]()

    def _barestore(self) -> Said:
        case = self.one.case
        document = case.document(self.one.tag, self.one.serials(case.disks + case.absent))
        run = self.host.playbook(HERE / "host_storage.yml", {"host_storage": document}, check=case.check)
        answer = self._answer(run)
        if not answer:
            return Said("killed")
        if answer.get("failed"):
            return Said("refused", _short((answer.get("refusals") or [str(answer.get("msg"))])[0]))
        if not answer["changed"]:
            return Said("same")
        steps = ", ".join(str(action["id"]).partition(":")[0] for action in answer["plan"])
        return Said("done", f"{'would run ' if case.check else ''}{steps}")

    def _community(self) -> Said:
        case = self.one.case
        given = {"tag": self.one.tag, "disks": list(self.links), "names": list(self.names)}
        return self._tasks(HERE / "safety" / f"{case.playbook or case.name}.yml", given)

    def _role(self) -> Said:
        asked = self.one.case.role
        assert asked
        return self._tasks(HERE / "system_role.yml", asked(self.one.tag, self.links, self.names))

    def _tasks(self, playbook: Path, given: Mapping[str, Any]) -> Said:
        """What a playbook of many modules came to."""
        tools, check = self.tools.bundle, self.one.case.check
        run = self.host.playbook(playbook, given, tools=tools, collections="", check=check)
        self._answer(run)
        answers = [launch.answer for launch in run.launches]
        failed = [answer for answer in answers if answer.get("failed")]
        if failed:
            return Said("refused", _short(str(failed[0].get("msg"))))
        if run.code:
            return Said("killed")
        return Said("done" if any(answer.get("changed") for answer in answers) else "same")

    def _script(self) -> Said:
        done = self.shell.run(f"set -e\n{self.one.case.script}")
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        if done.returncode in (137, -9, 255):
            return Said("killed")
        return Said("refused", _short(" ".join(lines))) if done.returncode else Said("done")

    def _answer(self, run: Run) -> Mapping[str, Any]:
        """What the last module answered; empty when it was killed."""
        if not run.launches:
            raise Unmeasured(f"{self.one.case.name}, {self.one.system}: no module was launched: {run.output[-1500:]}")
        return run.launches[-1].answer


def _look(host: Guest, shell: _Shell, case: Case, disks: Sequence[Disk]) -> Facts:
    return _facts(host, shell.run(f"{_SETTLE}{case.look}").stdout, disks)


def _facts(host: Guest, text: str, disks: Sequence[Disk]) -> Facts:
    """What ``look`` printed, and under ``disks`` the digests of the disks as the machine outside sees them."""
    pairs = (line.partition("=") for line in text.splitlines())
    facts = {key: " ".join(value.split()) for key, _equals, value in pairs}
    return {**facts, "disks": " ".join(host.vm.disk_digest(disk.serial) for disk in disks)}


def _changes(before: Facts, after: Facts) -> list[str]:
    """What is another in words; digests tell nobody anything."""
    words = [key for key in before if key not in ("disks", "file", "seqno", "fstab") and before[key] != after[key]]
    return [f"{key}: {before[key] or 'none'} → {after[key] or 'none'}" for key in words]


def _exchange(host: Guest, meant: Disk, other: Disk, names: Sequence[str]) -> None:
    """Take both disks out, and put in first the one with the later name: it is given the first that is free."""
    for disk in (meant, other):
        host.vm.remove_disk(disk.serial)
    host.vm.ssh(f"for _ in $(seq 300); do [ -e {names[0]} ] || [ -e {names[1]} ] || break; sleep 0.1; done")
    later_first = (meant, other) if (len(names[0]), names[0]) > (len(names[1]), names[1]) else (other, meant)
    for disk in later_first:
        host.vm.add_disk(disk)
    now = host.vm.ssh(f"readlink -f /dev/disk/by-id/{meant.link} /dev/disk/by-id/{other.link}").stdout.split()
    if now != list(reversed(names)):
        raise Unmeasured(f"the names of two disks could not be exchanged: {names} are {now} now")


def _short(text: str) -> str:
    """A sentence in quotes, without line breaks, places and UUIDs, and not longer than a cell."""
    bare = re.sub(r"wwn-0x[0-9a-f]{16}", "…", re.sub(r" \((UUID|[0-9.]+ [KMG]iB in) [^)]*\)", "", text))
    flat = re.sub(r"\s+", " ", bare).strip()
    return f'"{flat if len(flat) <= _LENGTH else flat[:_LENGTH].rsplit(" ", 1)[0] + " …"}"'


def versions(host: Guest, tools: Tools, letters: Sequence[str]) -> Iterator[str]:
    """What was tried on what, in a few words each."""
    script = (
        ". /etc/os-release; echo $PRETTY_NAME; uname -r\n"
        "dpkg-query -W -f '${Package} ${Version}\\n' "
        "lvm2 zfsutils-linux parted e2fsprogs xfsprogs util-linux-extra"
    )
    name, kernel, *packages = host.vm.ssh("sh -s", input=script).stdout.splitlines()
    yield f"{name}, kernel {kernel}"
    yield from packages
    yield f"barestore {__version__}"
    yield from (path.name.removesuffix(".dist-info").replace("_core-", "-core ")
                for path in tools.bundle.parent.glob("lib/python*/site-packages/ansible_core-*.dist-info"))  # fmt: skip
    for collection in ("community/general", "ansible/posix"):
        found = [*tools.bundle.parent.glob(f"lib/python*/site-packages/ansible_collections/{collection}/MANIFEST.json")]
        if found:
            version = re.search(r'"version": "([^"]+)"', found[0].read_text())
            yield f"{collection.replace('/', '.')} {version[1] if version else '?'}"
    if "l" in letters and tools.role:
        yield from system_role.versions(host, tools.role)
