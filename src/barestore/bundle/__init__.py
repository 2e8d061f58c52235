# SPDX-License-Identifier: GPL-3.0-or-later
"""Bundles: a folder with everything that a site gets from outside, for sites without internet."""
