# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Names of ZFS properties, as zpoolprops(7) and zfsprops(7) of OpenZFS 2.1 to 2.3 list them."""

from __future__ import annotations

_POOL = """
altroot ashift autoexpand autoreplace autotrim bootfs cachefile comment compatibility dedup_table_quota delegation
failmode listsnapshots multihost readonly version
"""
_DATASET = """
aclinherit aclmode acltype atime canmount casesensitivity checksum compression context copies dedup defcontext
devices direct dnodesize encryption exec filesystem_limit fscontext keyformat keylocation logbias longname mlslabel
nbmand normalization overlay pbkdf2iters prefetch primarycache quota readonly recordsize redundant_metadata refquota
refreservation relatime reservation rootcontext secondarycache setuid sharenfs sharesmb snapdev snapdir
snapshot_limit special_small_blocks sync utf8only version volmode vscan xattr zoned
"""
_READ_ONLY = """
allocated available bcloneratio bclonesaved bcloneused capacity clones compressratio createtxg creation
dedupratio defer_destroy encryptionroot expandsize filesystem_count fragmentation free freeing guid health
keystatus leaked logicalreferenced logicalused mounted objsetid origin receive_resume_token refcompressratio
referenced size snapshot_count type used usedbychildren usedbydataset usedbyrefreservation usedbysnapshots
userrefs written
"""

POOL = frozenset(_POOL.split())
DATASET = frozenset(_DATASET.split())
ONLY_VOLUME = frozenset({"volblocksize", "volsize", "volthreading"})
READ_ONLY = frozenset(_READ_ONLY.split())
# Native names for which a document has words of its own.
OTHER_WORDS = {"mountpoint": "mount", "volsize": "size", "refreserv": "refreservation"}
