# SPDX-License-Identifier: GPL-3.0-or-later
"""The errors of the command: each text is a whole sentence for a person."""

from __future__ import annotations


class Failed(Exception):
    """Something that a person can act upon: what, where, what to do. Ends the command with exit code 1."""
