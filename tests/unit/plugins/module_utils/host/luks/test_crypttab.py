# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of crypttab, as crypttab(5) of systemd reads them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.barestore.storage.plugins.module_utils.host.luks import crypttab
from ansible_collections.barestore.storage.plugins.module_utils.host.observation import Observation

UUID = "0b3d2f6e-1111-5222-8333-444455556666"
ENTRY: dict[str, Any] = {"key_file": "/etc/key", "unlock": "key_file", "discard": False, "nofail": True}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({}, f"secret UUID={UUID} /etc/key luks,nofail"),
        ({"nofail": False, "discard": True}, f"secret UUID={UUID} /etc/key luks,discard"),
        ({"unlock": "tpm2"}, f"secret UUID={UUID} none luks,tpm2-device=auto,nofail"),
        ({"unlock": "clevis"}, f"secret UUID={UUID} none luks,_netdev,nofail"),
    ],
)
def test_a_line_says_what_opens_it(change: dict[str, Any], line: str) -> None:
    assert crypttab.line("secret", UUID, {**ENTRY, **change}) == line


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("", (None, True)),
        ("# a comment\n", (None, True)),
        (f"secret  UUID={UUID}\t/etc/key luks,nofail\n", None),
        (f"other UUID={UUID} /etc/key luks\n", (f"other UUID={UUID} /etc/key luks", True)),
        ("secret /dev/sdx1 none luks\n", ("secret /dev/sdx1 none luks", True)),
    ],
)
def test_only_the_own_line_is_edited(text: str, edit: tuple[str | None, bool] | None) -> None:
    wanted = crypttab.line("secret", UUID, ENTRY)
    steps = crypttab.edit(Observation({crypttab.PROBE.key: text}), "secret", UUID, wanted)
    if edit is None:
        assert steps == ()
        return
    (step,) = steps
    assert step.as_json() == {"edit": "/etc/crypttab", "before": edit[0], "after": wanted}


def test_a_name_that_somebody_gave_is_found_by_its_uuid() -> None:
    seen = Observation({crypttab.PROBE.key: f"theirs UUID={UUID} none luks\n"})
    assert crypttab.name_of(seen, UUID) == "theirs"
    assert crypttab.name_of(seen, UUID.replace("0", "1")) == ""
