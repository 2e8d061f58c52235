# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is done to encrypted devices. A key is a path in every command and never anything else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...plan.model import Action, Command, Expect, Note, Refusal, Step
from .. import fstab
from ..blank import still_blank, unless_blank
from ..blockdevices import BlockDevices
from ..observation import Observation, StatPath
from ..sizes import human, parse_bytes
from . import crypttab
from .header import MAGIC, UUID_AT
from .request import OFFSET, Wanted

_SECTOR = 512  # the unit of cryptsetup's --offset


def planned(
    kind: str, wanted: Wanted, block: BlockDevices, observation: Observation
) -> Iterator[Action | Refusal | Note]:
    """All that one device needs."""
    edits = crypttab.edit(observation, wanted.name, wanted.uuid, crypttab.line(wanted.name, wanted.uuid, wanted.entry))
    if edits:
        yield from crypttab.foreign(observation, wanted.name, wanted.uuid, wanted.below.path, block)
    actions = list(_actions(kind, wanted, edits))
    if wanted.header is None and wanted.below.there:
        yield from unless_blank(observation, wanted.below, "LUKS2")
    if any(str(wanted.entry["key_file"]) in _words(action) for action in actions):
        yield from _key(wanted, observation)
    yield from actions
    yield from fstab.reload(observation, edits)


def _actions(kind: str, wanted: Wanted, edits: tuple[Step, ...]) -> Iterator[Action]:
    if wanted.header is None:
        yield _format(kind, wanted)
    if not wanted.is_open:
        yield _open(kind, wanted, edits)
    elif edits:
        yield _register(kind, wanted, edits)
    for helper in wanted.unbound:
        yield _bind(kind, wanted, helper)
    if wanted.grows:
        yield _grow(kind, wanted)


def _words(action: Action) -> str:
    return " ".join(word for step in action.steps if isinstance(step, Command) for word in step.argv)


def _key(wanted: Wanted, observation: Observation) -> Iterator[Refusal]:
    """The key file is looked at from outside: it is never read."""
    path = wanted.entry["key_file"]
    found = observation.ask(StatPath(path))
    if observation.is_missing(StatPath(path)):
        return
    if found is None or found["type"] != "file":
        why = f"it is a {found['type']} and no file" if found else "it is not there"
        yield Refusal(
            path,
            f"{why}, and it is the key of {wanted.device.title}",
            "put the key there, or name it in host_storage_keys",
        )
    elif found["uid"] != "0" or int(found["mode"], 8) & 0o077:
        yield Refusal(
            path,
            f"it has the mode {found['mode']} and belongs to {found['owner']}, so others than root can read the key of "
            f"{wanted.device.title}",
            "chown root and chmod 0400 it, and change the key if anybody may have seen it",
        )


def _format(kind: str, wanted: Wanted) -> Action:
    entry, below = wanted.entry, wanted.below
    argv = (
        "cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--uuid", wanted.uuid,
        "--offset", str(OFFSET // _SECTOR), "--sector-size", str(wanted.sector),
        "--cipher", entry["cipher"], "--key-size", str(entry["key_size"]), *_pbkdf(entry["pbkdf"]),
        "--key-file", entry["key_file"], below.path,
    )  # fmt: skip
    return Action(
        kind,
        "format",
        wanted.name,
        steps=(*(() if below.there else (still_blank(below.path),)), Command(argv)),
        after={"on": below.title, "uuid": wanted.uuid, "cipher": entry["cipher"], "key_file": entry["key_file"]},
        needs=frozenset((below.resource,)),
        provides=frozenset((_header(wanted),)),
        disks=below.disks,
        expects=(
            Expect("bytes", below.path, MAGIC.hex()),
            Expect("bytes", below.path, wanted.uuid.encode().hex(), offset=UUID_AT),
        ),
        waits=(below.path,),
        settles=True,
    )


def _pbkdf(wanted: Mapping[str, Any]) -> tuple[str, ...]:
    kind = wanted.get("type", "argon2id")
    fixed = ("--pbkdf-force-iterations", str(wanted["iterations"])) if "iterations" in wanted else ()
    memory = ("--pbkdf-memory", str(parse_bytes(wanted["memory"]) // 1024)) if "memory" in wanted else ()
    return ("--pbkdf", kind, *fixed, *memory)


def _open(kind: str, wanted: Wanted, edits: tuple[Step, ...]) -> Action:
    discard = ("--allow-discards",) if wanted.entry["discard"] else ()
    argv = (
        "cryptsetup", "open", "--type", "luks2", "--key-file", wanted.entry["key_file"], *discard,
        wanted.below.path, wanted.name,
    )  # fmt: skip
    return Action(
        kind,
        "open",
        wanted.name,
        steps=(*edits, Command(argv)),
        before={"open": False},
        after={"open": True, "size": human(wanted.device.size), "at_boot": wanted.entry["unlock"]},
        needs=frozenset((wanted.below.resource, _header(wanted))),
        provides=frozenset((wanted.device.resource, fstab.RESOURCE)),
        disks=wanted.below.disks,
        expects=(Expect("size", wanted.device.path, str(wanted.device.size)),),
        waits=(wanted.below.path,),
        settles=True,
    )


def _register(kind: str, wanted: Wanted, edits: tuple[Step, ...]) -> Action:
    return Action(
        kind,
        "register",
        wanted.name,
        steps=edits,
        after={"at_boot": wanted.entry["unlock"]},
        provides=frozenset((fstab.RESOURCE,)),
    )


def _bind(kind: str, wanted: Wanted, helper: str) -> Action:
    """A further way to open it, by the system's own tools: they read the key from its file."""
    key, path, entry = wanted.entry["key_file"], wanted.below.path, wanted.entry[helper]
    if helper == "clevis":
        tang = json.dumps({"thp": entry["thumbprint"], "url": entry["url"]}, sort_keys=True)
        argv: tuple[str, ...] = ("clevis", "luks", "bind", "-y", "-k", key, "-d", path, "tang", tang)
    else:
        pcrs = "+".join(map(str, sorted(entry["pcrs"])))
        argv = ("systemd-cryptenroll", f"--unlock-key-file={key}", "--tpm2-device=auto", f"--tpm2-pcrs={pcrs}", path)
    after = (_bound(wanted, "clevis"),) if helper == "tpm2" else ()
    return Action(
        kind,
        f"bind_{helper}",
        wanted.name,
        steps=(Command(argv),),
        before={helper: None},
        after={helper: dict(entry)},
        # Both write to one header.
        needs=frozenset((wanted.device.resource, _header(wanted), *after)),
        provides=frozenset((_bound(wanted, helper),)),
        disks=wanted.below.disks,
    )


def _grow(kind: str, wanted: Wanted) -> Action:
    """LUKS2 keeps the volume key in the kernel's keyring, so that it wants the key again."""
    argv = ("cryptsetup", "resize", "--key-file", wanted.entry["key_file"], wanted.name)
    return Action(
        kind,
        "grow",
        wanted.name,
        steps=(Command(argv),),
        before={"size": human(wanted.now)},
        after={"size": human(wanted.device.size)},
        needs=frozenset((wanted.below.resource,)),
        provides=frozenset((wanted.device.resource,)),
        disks=wanted.below.disks,
        expects=(Expect("size", wanted.device.path, str(wanted.device.size)),),
    )


def _bound(wanted: Wanted, helper: str) -> str:
    return f"luks-bound:{wanted.name}/{helper}"


def _header(wanted: Wanted) -> str:
    return f"luks-header:{wanted.name}"
