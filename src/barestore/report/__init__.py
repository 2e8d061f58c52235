# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of ``barestore report``: one HTML file that needs nothing else."""
