# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a run with their documents: everything is known and right before one is contacted."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from barestore.errors import Failed
from barestore.site import Site, SiteError, SiteHost, load_site


@dataclass(frozen=True)
class Host:
    """One host: ``document`` is None when its variables ask for no storage."""

    kind: ClassVar[str] = "host"
    asked: ClassVar[str] = "It"

    name: str
    rack: str
    site: str
    document: Mapping[str, Any] | None
    consent: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Its name among hosts and clusters."""
        return self.name

    @functools.cached_property
    def wanted(self) -> str:
        """The digest of all that the inventory asks of this host: equal digests ask for the same thing."""
        from ansible_collections.barestore.storage.plugins.module_utils.plan.digest import sha256

        asked = {"document": self.document, "consent": self.consent, "rack": self.rack}
        return sha256({"site": self.site, "host": self.name, **asked})


def hosts(inventory: Path, limit: str = "") -> tuple[Host, ...]:
    """All hosts of the inventory, or those of ``limit``.

    :raises Failed: the inventory cannot be read, or has mistakes: all of them are in the text.
    """
    return tuple(map(of, without_mistakes(inventory, limit).hosts))


def without_mistakes(inventory: Path, limit: str = "") -> Site:
    """The same with all that was read of them, and of the site.

    :raises Failed: as ``hosts`` does.
    """
    try:
        site = load_site(inventory, limit or None)
    except SiteError as error:
        raise Failed(f"{str(error)[:1].upper()}{str(error)[1:]}.") from error
    sentences = [finding.sentence() for finding in site.all_findings()]
    if sentences:
        raise Failed("\n".join([*sentences, "No host was contacted; correct this and run again."]))
    return site


def of(each: SiteHost) -> Host:
    """What a run needs to know of a host that was read."""
    return Host(each.name, each.rack or "", each.site, each.document, each.consent)
