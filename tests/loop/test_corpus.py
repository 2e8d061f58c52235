# SPDX-License-Identifier: GPL-3.0-or-later
"""The corpus: whatever carries something is refused, what is blank is not, and a wipe leaves nothing that anybody sees.

With CORPUS=write what is found becomes the table of verdicts; otherwise it must be the table.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.observation import ReadFile, Signatures
from ansible_collections.barestore.storage.plugins.module_utils.host.observer import Observer
from ansible_collections.barestore.storage.plugins.module_utils.host.selection import Disk
from ansible_collections.barestore.storage.plugins.module_utils.host.wiping import records
from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Plan
from ansible_collections.barestore.storage.plugins.module_utils.plan.runner import Result, Runner
from tests.corpus import eyes, verdicts
from tests.corpus.build import Builder, Unbuildable, attached, copy
from tests.corpus.recipes import RECIPES, Recipe
from tests.loop.wiping import consent, digest, execute, plan

pytestmark = pytest.mark.loop


@pytest.fixture(scope="module")
def builder() -> Iterator[Builder]:
    # In memory where there is some: each wipe is flushed, and images are only as large as what is in them.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="barestore-corpus-", dir=memory) as folder:
        yield Builder(Path(folder))


@pytest.fixture
def disk(builder: Builder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Recipe], Disk]]:
    """``disk(recipe)``: a loop device with the image, and a name below /dev/disk/by-id."""
    monkeypatch.setattr(records, "FILE", str(tmp_path / "wipes"))
    monkeypatch.setattr(records, "PROBE", ReadFile(str(tmp_path / "wipes")))
    link = Path(f"/dev/disk/by-id/loop-corpus-{os.getpid()}")
    with ExitStack() as stack:

        def make(recipe: Recipe) -> Disk:
            try:
                image = builder.image(recipe.name)
            except Unbuildable as trouble:
                pytest.skip(str(trouble))
            mine = image.with_name("disk")
            copy(image, mine)
            stack.callback(mine.unlink)
            node = stack.enter_context(attached(mine, recipe.sector))
            if recipe.partitions:
                subprocess.run(["partx", "--update", node], check=True)
                stack.callback(subprocess.run, ["partx", "--delete", node], check=False, capture_output=True)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(node)
            stack.callback(link.unlink)
            size = mine.stat().st_size
            return Disk(
                link.name, Path(node).name, "LOOP", "", "", "", "", size, recipe.sector, recipe.sector, False, "", ()
            )

        yield make


def decided(disk: Disk, *consents: dict[str, str]) -> Plan:
    return plan(disk, *consents, observer=Observer(Runner()))


@pytest.mark.parametrize("name", RECIPES)
def test_verdict(disk: Callable[[Recipe], Disk], builder: Builder, tmp_path: Path, name: str) -> None:
    recipe = RECIPES[name]
    one = disk(recipe)
    image = builder.folder / "disk"
    before = digest(image, one.path)
    seen, owners = eyes.seen(one.path), eyes.owners(image, recipe.sector)
    inside = {f"partition {number}": eyes.seen(node) for number, (node, _at) in _partitions(one).items()}
    places = [at for _node, at in _partitions(one).values()]
    found = decided(one)
    assert found.actions == ()
    assert bool(found.refusals) == recipe.carries == bool(seen), [one.sentence() for one in found.refusals]
    said: dict[tuple[str, ...], Result] = {}
    for detector in seen:
        with eyes.only(detector, said) as observer:
            answer = observer.answers([Signatures(one.path)])[Signatures(one.path).key]
        assert answer["found"] or answer["error"], detector
    assert digest(image, one.path) == before
    row = {"made_by": recipe.made_by, "family": recipe.family, "seen": seen, "inside": inside, "owners": owners}
    row["verdict"] = "blank"
    if recipe.lost_members:
        assert "bring their disks back" in found.refusals[0].sentence()
        row["verdict"] = "kept"
    elif recipe.carries:
        execute(decided(one, consent(found)), tmp_path)
        assert eyes.seen(one.path) == {}
        digest(image, one.path)  # flushed
        assert eyes.owners(image, recipe.sector) == []
        assert decided(one) == Plan(()) and not _partitions(one)
        for start, size in places:
            with attached(image, recipe.sector, start, size) as node:
                assert eyes.seen(node) == {}
            assert eyes.owners(image, recipe.sector, start, size) == []
        row["verdict"] = "wiped"
    if os.environ.get("CORPUS") == "write":
        verdicts.keep({name: row})
    assert _is_as(row, verdicts.load()[name]), row


def _partitions(disk: Disk) -> dict[int, tuple[str, tuple[int, int]]]:
    """Node, and start and size in bytes, of those that the kernel knows."""
    folder = Path("/sys/class/block") / disk.kname
    return {
        int((one / "partition").read_text()): (
            f"/dev/{one.name}",
            (int((one / "start").read_text()) * 512, int((one / "size").read_text()) * 512),
        )
        for one in sorted(folder.glob(f"{disk.kname}p*"))
    }


def _is_as(row: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Equal, where another libblkid may know more than the one that the table is of."""
    foreign = ("wipefs", "blkid")
    if any(not set(expected["seen"].get(one, ())) <= set(row["seen"].get(one, ())) for one in foreign):
        return False
    own = [{key: found for key, found in each["seen"].items() if key not in foreign} for each in (row, expected)]
    return own[0] == own[1] and {**row, "seen": 0} == {**expected, "seen": 0}
