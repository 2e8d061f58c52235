# SPDX-License-Identifier: GPL-3.0-or-later
"""What destroys needs a consent that names the disk and its contents."""

from __future__ import annotations

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.plan.model import Action, Destroys
from ansible_collections.barestore.storage.plugins.module_utils.plan.policy import Consent, refusals

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
