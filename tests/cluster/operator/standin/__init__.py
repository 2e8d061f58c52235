# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the Rook operator, for machines that cannot have its image: it starts the real Ceph daemons."""
