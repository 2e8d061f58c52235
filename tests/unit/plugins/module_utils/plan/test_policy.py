# SPDX-License-Identifier: GPL-3.0-or-later
"""What destroys needs a consent that names the disk and its contents."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Destroys
from ansible_collections.barestore.storage.plugins.module_utils.plan.policy import Consent, approval, refusals

WIPE = Action("disk", "wipe", "S1", steps=(), destroys=(Destroys("S1", "sha256:aa", "an ext4 file system"),))


def test_what_destroys_nothing_needs_no_consent() -> None:
    assert not list(refusals((Action("mount", "mount", "/srv", steps=()),), ()))


def test_the_right_consent_is_enough() -> None:
    assert not list(refusals((WIPE,), (Consent("S1", "sha256:aa"),)))


@pytest.mark.parametrize("given", [(), (Consent("S2", "sha256:aa"),), (Consent("S1", "sha256:bb"),)])
def test_another_disk_or_other_contents_are_refused(given: tuple[Consent, ...]) -> None:
    (refusal,) = refusals((WIPE,), given)
    assert refusal.sentence() == (
        "S1: an ext4 file system on disk S1 would be destroyed without consent; "
        "consent names this disk and the contents sha256:aa."
    )


ADD = Action("zfs_pool", "add", "tank", steps=(), irreversible="a pool keeps a vdev for ever", disks=("S1",))


def test_what_is_for_ever_needs_a_consent_of_its_own() -> None:
    (refusal,) = refusals((ADD,), ())
    assert refusal.sentence().startswith(
        "tank: a pool keeps a vdev for ever, and nobody consented to zfs_pool.add:tank as it is planned now; "
        'to consent, write in host_storage_consent below irreversible: - {action: "zfs_pool.add:tank", digest: "sha256:'
    )
    assert not list(refusals((ADD,), (), (approval(ADD),)))


def test_the_consent_to_one_disk_is_none_to_another() -> None:
    assert list(refusals((replace(ADD, disks=("S2",)),), (), (approval(ADD),)))
