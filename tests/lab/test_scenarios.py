# SPDX-License-Identifier: GPL-3.0-or-later
"""Each scenario of Molecule on a real host, step by step. The tests of one scenario follow one another on one host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from barestore.lab.throwaway import throwaway
from barestore.lab.vm import VirtualMachine
from tests.lab.converge import converge, converged
from tests.lab.look import TRACED_PYTHON, fingerprint, prepare_trace, read_trace, still
from tests.lab.scenarios import NAMES, Scenario, rewired, scenario, turned

pytestmark = pytest.mark.lab
_PROCESSES = 10
_KERNEL_NAMES = "lsblk -dno SERIAL,KNAME | sort"
# A file on every file system that the document mounts, and what is in it.
_WRITE = """
findmnt -rno TARGET -t ext4,xfs,vfat,zfs | grep -v '^/$' | while read -r mount; do
    head -c 2000000 /dev/urandom >"$mount/written" && sha256sum "$mount/written"
done
"""


@pytest.fixture(scope="module", params=NAMES)
def told(request: pytest.FixtureRequest) -> Scenario:
    return scenario(request.param)


@pytest.fixture(scope="module")
def vm(told: Scenario) -> Iterator[VirtualMachine]:
    with throwaway(told.machine, say=print) as host:
        yield host


@pytest.fixture(scope="module")
def first(told: Scenario) -> dict[str, str]:
    """The digest of the first plan, and how the kernel named the disks that it was made for."""
    return {}


def test_check_mode_tells_what_apply_does_and_touches_nothing(
    vm: VirtualMachine, told: Scenario, first: dict[str, str]
) -> None:
    first["names"] = vm.ssh(_KERNEL_NAMES).stdout
    written = ""
    for document in told.documents:
        with still(vm) if written else nullcontext():
            before = fingerprint(vm)
            checked = converge(vm, document, check=True, consent=told.consent)
            assert not checked["failed"], checked["msg"]
            assert fingerprint(vm) == before
        first.setdefault("digest", checked["digest"])
        done = converge(vm, document, expected_digest=checked["digest"], consent=told.consent)
        assert not done["failed"], done["msg"]
        assert checked["plan"] and checked["changed"] and done["changed"]
        assert (checked["plan"], checked["digest"]) == (done["plan"], done["digest"])
        # What was written before the host grew is there afterwards.
        if written:
            vm.ssh("sha256sum --check --quiet", input=written)
        written = vm.ssh(_WRITE).stdout
        assert written


def test_another_run_does_nothing_and_opens_no_device_for_writing(vm: VirtualMachine, told: Scenario) -> None:
    prepare_trace(vm)
    again = converge(vm, told.documents[-1], python=TRACED_PYTHON)
    assert not again["failed"], again["msg"]
    assert (again["changed"], again["plan"], again["executed"]) == (False, [], [])
    trace = read_trace(vm)
    assert trace.launches == 1
    assert trace.written == ()
    assert len(trace.processes) <= _PROCESSES, trace.processes
    assert len(trace.processes) == again["processes"]


def test_a_permuted_document_and_other_kernel_names_give_the_same_digest(
    vm: VirtualMachine, told: Scenario, first: dict[str, str]
) -> None:
    with throwaway(rewired(told.machine)) as fresh:
        assert fresh.ssh(_KERNEL_NAMES).stdout != first["names"]
        checked = converge(fresh, turned(told.documents[0]), check=True)
    assert not checked["failed"], checked["msg"]
    assert checked["digest"] == first["digest"]


def test_everything_comes_back_after_a_boot(vm: VirtualMachine, told: Scenario) -> None:
    # The kernel counts priorities that nobody gave downwards, in the order in which swap is found.
    swaps = "swapon --show=TYPE,PRIO --noheadings | sed 's/-[0-9]*$/-/' | sort"
    tables = f"findmnt -rno TARGET,FSTYPE -t ext4,xfs,vfat,zfs | sort; {swaps}"
    before = vm.ssh(tables).stdout
    vm.reboot()
    assert vm.ssh(tables).stdout == before
    again = converged(vm, told.documents[-1])
    assert (again["changed"], again["plan"]) == (False, [])
