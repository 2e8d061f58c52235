# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is wrong in a document: a place in it, a sentence, and what to do."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Union

Path = tuple[Union[str, int], ...]

_MOST_NAMES = 20
_PLAIN_KEY = re.compile(r"^[A-Za-z0-9_+-]+$")


@dataclass(frozen=True)
class Problem:
    """One mistake: where, what was found, and what to write instead (``hint`` may be empty).

    ``at_key`` says that the last key of the path is the mistake, and not what stands behind it.
    """

    path: Path
    message: str
    hint: str = ""
    at_key: bool = False


def path_text(path: Path) -> str:
    """``lvm.fast.physical_volumes[0]``; a key with other signs is quoted: ``datasets['srv/mysql']``."""
    text = ""
    for step in path:
        if isinstance(step, bool):  # a key that YAML read as a boolean
            step = str(step).lower()
        if isinstance(step, str) and _PLAIN_KEY.match(step):
            text += "." + step if text else step
        else:
            text += f"[{step!r}]"
    return text


def near_name(word: object, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that is most like ``word``, whatever the case; None when none is."""
    wanted = str(word).lower()
    ranked = []
    for name in known:
        ratio = difflib.SequenceMatcher(None, wanted, name.lower()).ratio()
        if ratio >= cutoff:
            ranked.append((-ratio, sorted(wanted) != sorted(name.lower()), name))
    return min(ranked)[2] if ranked else None


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """Advice with the nearest known name: ``did you mean 'a'? Known: a, b``."""
    names = sorted(known)
    if not names:
        return "the document has none"
    listed = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    near = near_name(word, names)
    return f"did you mean '{near}'? Known: {listed}" if near else f"known: {listed}"
