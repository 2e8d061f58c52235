# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error that a person sees: a sentence that says what, where, why and what to do."""

from __future__ import annotations


class LabError(Exception):
    """Something that a person can act upon; the text is complete without a traceback."""
