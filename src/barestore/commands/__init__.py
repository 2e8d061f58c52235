# SPDX-License-Identifier: GPL-3.0-or-later
"""What each subcommand does. Importing anything from here makes the collection's planning code importable."""

from barestore.collection import prepare

prepare()
