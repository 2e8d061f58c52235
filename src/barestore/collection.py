# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the collection barestore.storage, for this process and for the Ansible that it starts."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from barestore.errors import Failed

_PLACE = Path("ansible_collections/barestore/storage")
_CHECKOUT = Path(__file__).resolve().parents[2] / "collections"


def prepare() -> None:
    """Make ``ansible_collections.barestore.storage`` importable: the installed one, else that of this checkout.

    :raises Failed: Ansible's configuration cannot be read, or the collection is not installed.
    """
    try:
        from ansible import constants
        from ansible.plugins.loader import init_plugin_loader
        from ansible.utils.collection_loader import AnsibleCollectionConfig
    except ImportError as error:
        raise Failed(f"ansible-core is not installed beside this command ({error}); install ansible-core.") from error
    except Exception as error:  # whatever a damaged ansible.cfg makes of the import
        raise Failed(f"Ansible cannot be started: {' '.join(str(error).split())}") from error
    known = [path for path in map(Path, constants.COLLECTIONS_PATHS) if (path / _PLACE).is_dir()]
    if not known:
        if not (_CHECKOUT / _PLACE).is_dir():
            raise Failed(
                "The collection barestore.storage is in none of Ansible's collection paths; install it with "
                "'ansible-galaxy collection install barestore.storage'."
            )
        paths = [str(_CHECKOUT), *map(str, constants.COLLECTIONS_PATHS)]
        os.environ["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join(paths)
    if AnsibleCollectionConfig.collection_finder is None and not _importable():
        init_plugin_loader([] if known else [str(_CHECKOUT)])


def _importable() -> bool:
    before = set(sys.modules)
    try:
        return importlib.util.find_spec("ansible_collections.barestore.storage.plugins") is not None
    except ImportError:
        # The community bundle has this package too: once imported without ours, no loader would look for it again.
        for name in {"ansible_collections", "ansible_collections.barestore"} - before:
            sys.modules.pop(name, None)
        return False
