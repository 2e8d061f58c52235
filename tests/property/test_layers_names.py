# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names, and lines of mdadm.conf and crypttab, that other arrays and devices have or somebody wrote; on the model."""

from __future__ import annotations

import re
from typing import Any

import pytest
from test_convergence import converged, finish, planned
from test_layers import LINK, close, disk, document, ids, made, plain, step


def others(*disks: str) -> dict[str, Any]:
    """The same layers on other disks, as somebody writes them who forgot that the names are taken."""
    wanted = plain()
    wanted["disks"] = {"new": {"match": {"serial": list(disks)}, "count": len(disks)}}
    wanted["md"]["safe"]["devices"] = ["new"]
    return wanted


def test_an_array_that_runs_under_another_name_is_told_by_that_one() -> None:
    host = made(document())
    (array,) = host.md.arrays
    assert array.node is not None
    by_uuid = f"{LINK}md-uuid-{array.uuid}"
    array.node.links = (by_uuid,)
    host.md.finish(array)
    converged(host, document())
    host.plug([disk(3)])
    (refusal,) = host.plan(document(3)).refusals
    assert refusal.sentence() == (
        "array safe: it runs as md127 and has no name below /dev/md that mdadm could be told; "
        "stop it, and assemble it as /dev/md/safe."
    )
    array.node.links = (by_uuid, "/dev/md/theirs")
    steps = step(planned(host, document(3)), "md.widen:safe")
    assert {one.split()[2] for one in steps[1:]} == {"/dev/md/theirs"}
    finish(host, document(3))
    assert len(array.members) == 3


def test_a_name_that_another_array_has_is_refused() -> None:
    host = made(plain())
    host.plug([disk(3), disk(4)])
    wanted = others("S3", "S4")
    said = [one.sentence() for one in host.plan(wanted).refusals]
    assert said[0] == "array safe: another array runs as /dev/md/safe; choose another name."
    wanted["md"]["second"] = wanted["md"].pop("safe")
    wanted["luks"]["secret"]["device"] = "second"
    said = [one.sentence() for one in host.plan(wanted).refusals]
    assert said[0] == (
        "array second: it cannot be opened as /dev/mapper/secret, which another device is called already; "
        "close that one if nobody needs it, or choose another name."
    )


def test_a_line_of_mdadm_conf_that_gives_the_name_to_another_array_is_refused() -> None:
    host = made(plain())
    host.plug([disk(3), disk(4)])
    close(host)
    (array,) = host.md.arrays
    host.md.stop(array)
    said = [one.sentence() for one in host.plan(others("S3", "S4")).refusals]
    assert (
        "array safe: /etc/mdadm.conf gives this name to another array that is here; "
        "choose another name, or correct that line." in said
    )


def test_several_lines_of_mdadm_conf_for_one_array_are_refused_where_one_would_change() -> None:
    host = made(plain())
    (path,) = [path for path in host.files if path.endswith("mdadm.conf")]
    (line,) = [line for line in host.files[path].splitlines() if line.startswith("ARRAY")]
    theirs = line.replace("/dev/md/safe", "/dev/md/theirs")
    host.files[path] = f"{line}\n{theirs}\n"
    assert ids(planned(host, plain())) == []
    host.files[path] = f"{theirs}\n{line}\n"
    (refusal,) = host.plan(plain()).refusals
    assert refusal.sentence() == (
        "array safe: /etc/mdadm.conf has 2 different lines for it; leave the one that holds, or none."
    )


@pytest.mark.parametrize(
    "spelling",
    [
        "ARRAY /dev/md/{name}\n\t metadata=1.2  # of the first rack\n\n  UUID={uuid}",
        "array {name} uuid={uuid}",
        "arr UUID={uuid} metadata=1.2 /dev/md/{name}",
        "ARRAY {name} UUID={dashed}",
    ],
)
def test_a_line_of_mdadm_conf_is_read_as_mdadm_reads_it(spelling: str) -> None:
    host = made(plain())
    (path,) = [path for path in host.files if path.endswith("mdadm.conf")]
    (uuid,) = re.findall("UUID=(.*)", host.files[path])

    def told(name: str) -> str:
        return spelling.format(name=name, uuid=uuid, dashed=uuid.upper().replace(":", "-"))

    host.files[path] = f"# ARRAY /dev/md/theirs UUID={uuid}\nDEVICE partitions\n{told('safe')}\nMAILADDR root\n"
    assert ids(planned(host, plain())) == []
    host.files[path] = host.files[path].replace(told("safe"), told("theirs"))
    if "\n" in spelling:
        assert [one.sentence() for one in host.plan(plain()).refusals] == [
            "array safe: /etc/mdadm.conf gives it another name, on more than one line; write that on one line."
        ]
    else:
        assert ids(planned(host, plain())) == ["md.register:safe"]
        finish(host, plain())
        assert told("theirs") not in host.files[path]


CRYPTTAB = "/etc/crypttab"


def test_a_line_of_crypttab_for_another_device_stays() -> None:
    host = made(plain())
    host.plug([disk(3), disk(4)])
    wanted = others("S3", "S4")
    wanted["md"]["second"] = wanted["md"].pop("safe")
    wanted["luks"]["secret"]["device"] = "second"
    close(host)
    (line,) = host.files[CRYPTTAB].splitlines()
    (refusal,) = host.plan(wanted).refusals
    assert refusal.sentence() == (
        f"secret: /etc/crypttab opens another device by this name ({line.split()[1]}); "
        "remove that line, or give one of the two another name."
    )
    host.files[CRYPTTAB] = line.replace(line.split()[1], "UUID=0b3d2f6e-1111-5222-8333-444455556666") + "\n"
    assert host.plan(wanted).refusals == ()  # what a disk left that is gone


def test_several_lines_of_crypttab_that_differ_are_refused_where_one_would_change() -> None:
    host = made(plain())
    (line,) = host.files[CRYPTTAB].splitlines()
    host.files[CRYPTTAB] = f"{line}\n{line.replace('secret', 'theirs')}\n"
    assert ids(planned(host, plain())) == []
    wanted = plain()
    wanted["luks"]["secret"]["discard"] = True
    (refusal,) = host.plan(wanted).refusals
    assert refusal.sentence() == (
        "secret: /etc/crypttab has 2 different lines for it; leave the one that holds, or none."
    )
