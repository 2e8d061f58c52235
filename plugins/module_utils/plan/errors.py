# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The errors of barestore, on one page. Each text is a sentence for a person: what, where, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from .printable import printable


class StorageError(Exception):
    """Base of all that may reach a person.

    :param message: what is wrong and where, as a sentence without the final dot.
    :param hint: what to do about it; may be empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def sentence(self) -> str:
        return f"{self.message}; {self.hint}." if self.hint else f"{self.message}."


class SpecError(StorageError):
    """A document that cannot be understood; the path is part of the message."""


class ObserveError(StorageError):
    """The host could not be read, or a tool answered what cannot be understood."""


class Absent(ObserveError):
    """What should be read is not made yet: no failure, and nothing that could be planned."""


class PlanError(StorageError):
    """Actions that cannot be ordered: a defect of barestore, not of the document."""


class JournalError(StorageError):
    """The journal or the lock cannot be had, so nothing may be written."""


class Surprise(StorageError):
    """The host is not as the plan left it or expected it; nothing more is done."""


class CommandFailed(StorageError):
    """A command of an action answered with an error."""

    def __init__(self, argv: Sequence[str], rc: int, output: str) -> None:
        said = printable(" ".join(output.split())) or "it said nothing"
        super().__init__(
            f"'{' '.join(argv)}' failed with exit code {rc}: {said[:600]}",
            "mend the cause and run again; what was done is in the journal and is not done twice",
        )
        self.argv = tuple(argv)
        self.rc = rc
