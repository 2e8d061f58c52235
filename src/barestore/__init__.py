# SPDX-License-Identifier: GPL-3.0-or-later
"""The barestore command."""

__version__ = "0.1.0"
