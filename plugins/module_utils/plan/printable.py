# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Text of others in sentences for people, such as the label of a disk: anybody may have written it."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text on one line that no terminal obeys: what cannot be printed is spelled by its number, as in Python."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
