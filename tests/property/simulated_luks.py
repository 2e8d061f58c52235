# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""LUKS2 of a simulated host: cryptsetup 2.7, with key files that hold a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from simulated_block import Content, Node, Part, ToolFailure, require

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action

if TYPE_CHECKING:
    from simulated_host import SimulatedHost

KEY_FILE = "/etc/barestore/keys/data"
SECRET = "correct horse battery staple 7f3a"
_ALONE = {"--batch-mode", "--allow-discards"}


class Luks(Part):
    """The part of a host that dm-crypt is. ``keys`` are what opens each header, ``inside`` what a closed one holds."""

    def __init__(self, host: SimulatedHost) -> None:
        self.host = host
        self.keys: dict[str, str] = {}
        self.inside: dict[str, Content | None] = {}
        self.tools: Mapping[str, Callable[[Sequence[str], Action], str]] = {
            "cryptsetup": self._cryptsetup,
            "clevis": self._clevis,
            "systemd-cryptenroll": self._enroll,
        }
        host.files[KEY_FILE] = SECRET
        host.modes[KEY_FILE] = "0400"

    def public(self, path: str) -> dict[str, Any] | None:
        """As the observer's ReadLuks."""
        node = self.host.find(path)
        if node is None or node.content is None or node.content.type != "crypto_LUKS":
            return None
        return {"version": 2, "uuid": node.content.uuid, **node.content.geometry}

    def close(self, name: str) -> None:
        """As a boot at which nobody opens it."""
        node = self._mapping(name)
        require(not node.busy, f"cryptsetup: {name} is in use")
        (below,) = node.parents
        assert below.content is not None
        self.inside[below.content.uuid] = node.content
        below.users.discard("crypt")
        self.host.nodes.remove(node)

    # -- tools

    def _cryptsetup(self, words: Sequence[str], action: Action) -> str:
        verb, *rest = words
        tools = {"luksFormat": self._format, "open": self._open, "resize": self._resize}
        require(verb in tools, f"cryptsetup does not know {verb}")
        tools[verb](rest, action)
        return ""

    def _key(self, given: Mapping[str, str]) -> str:
        path = given.get("--key-file", "")
        require(path in self.host.files, f"cryptsetup: Failed to open key file {path}")
        return self.host.files[path]

    def _format(self, words: Sequence[str], action: Action) -> None:
        given, (path,) = _given(words)
        require(given.get("--type") == "luks2" and "--batch-mode" in given, f"cryptsetup luksFormat {words}")
        node = self.host.device(path, action)
        require(not node.busy and not node.signatures(), f"cryptsetup: {path} is busy, or carries what would be lost")
        offset, sector = int(given["--offset"]) * 512, int(given["--sector-size"])
        require(node.size > offset and not (node.size - offset) % sector, f"cryptsetup: {path} has no whole sectors")
        require(given["--pbkdf"] != "pbkdf2" or "--pbkdf-memory" not in given, "cryptsetup: pbkdf2 takes no memory")
        uuid = given["--uuid"]
        shape = {"offset": offset, "sector": sector, "cipher": given["--cipher"], "tokens": []}
        node.content = Content("crypto_LUKS", uuid, "", "2", {0: b"LUKS\xba\xbe", 168: uuid.encode()}, shape)
        self.keys[uuid] = self._key(given)

    def _open(self, words: Sequence[str], action: Action) -> None:
        given, (path, name) = _given(words)
        node = self.host.device(path, action)
        require(node.content and node.content.type == "crypto_LUKS", f"cryptsetup: {path} is no LUKS device")
        assert node.content is not None
        require(not node.busy, f"cryptsetup: {path} is in use")
        require(self.keys[node.content.uuid] == self._key(given), "cryptsetup: No key available with this passphrase.")
        shape = node.content.geometry
        links = (f"/dev/mapper/{name}", f"/dev/disk/by-id/dm-name-{name}")
        opened = Node("crypt", 0, parents=(node,), links=links, dm_name=name)
        opened.sector, opened.size = max(shape["sector"], node.sector), self._size(node)
        require(self.host.find(links[0]) is None, f"cryptsetup: Device {name} already exists.")
        node.users.add("crypt")
        opened.content = self.inside.pop(node.content.uuid, None)
        self.host.add(opened)
        self.host.lvm.opened(opened)
        self.host.fresh.update(links)

    @staticmethod
    def _size(below: Node) -> int:
        assert below.content is not None
        shape = below.content.geometry
        return int((below.size - shape["offset"]) // shape["sector"] * shape["sector"])

    def _resize(self, words: Sequence[str], action: Action) -> None:
        given, (name,) = _given(words)
        node = self._mapping(name)
        self._key(given)
        node.size = self._size(node.parents[0])

    def _mapping(self, name: str) -> Node:
        node = self.host.find(f"/dev/mapper/{name}")
        if node is None:
            raise ToolFailure(f"cryptsetup: Device {name} is not active")
        return node

    def _clevis(self, words: Sequence[str], action: Action) -> str:
        luks, bind, yes, k, key, d, path, pin, tang = words
        require((luks, bind, yes, k, d, pin) == ("luks", "bind", "-y", "-k", "-d", "tang"), f"clevis {words}")
        require('"thp"' in tang and '"url"' in tang, f"clevis: {tang}")
        self._token(path, key, "clevis", action)
        return ""

    def _enroll(self, words: Sequence[str], action: Action) -> str:
        key, device, _pcrs, path = words
        require(key.startswith("--unlock-key-file=") and device == "--tpm2-device=auto", f"cryptenroll {words}")
        self._token(path, key.partition("=")[2], "systemd-tpm2", action)
        return ""

    def _token(self, path: str, key: str, token: str, action: Action) -> None:
        require(key in self.host.files, f"{action.id}: no key file {key}")
        node = self.host.device(path, action)
        require(node.content and node.content.type == "crypto_LUKS", f"{action.id}: {path} is no LUKS device")
        assert node.content is not None
        node.content.geometry["tokens"] = sorted({*node.content.geometry["tokens"], token})


def _given(words: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    given: dict[str, str] = {}
    rest: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if word in _ALONE:
            given[word] = ""
        elif word.startswith("--"):
            given[word] = left.pop(0)
        else:
            rest.append(word)
    return given, rest
