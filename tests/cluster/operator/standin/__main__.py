# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``rook`` of the image, with the subcommands that manifests and Jobs call."""

from __future__ import annotations

import argparse
import logging
import sys

from . import operator, prepare, remove
from .api import ApiError
from .ceph import CephError


def parser() -> argparse.ArgumentParser:
    """``rook ceph operator``, ``rook ceph osd provision`` and ``rook ceph osd remove``."""
    top = argparse.ArgumentParser(prog="rook", description="Stand-in for the Rook operator on test beds.")
    ceph = top.add_subparsers(dest="area", required=True).add_parser("ceph").add_subparsers(dest="what", required=True)
    ceph.add_parser("operator")
    osd = ceph.add_parser("osd").add_subparsers(dest="verb", required=True)
    osd.add_parser("provision")
    removal = osd.add_parser("remove")
    removal.add_argument("--osd-ids", required=True)
    removal.add_argument("--preserve-pvc", default="false")
    removal.add_argument("--force-osd-removal", default="false")
    return top


def main(argv: list[str]) -> int:
    """Run a subcommand; its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname).1s | %(name)s: %(message)s")
    told = parser().parse_args(argv)
    try:
        if told.what == "operator":
            return operator.main()
        if told.verb == "provision":
            return prepare.main()
        return remove.main(
            told.osd_ids.split(","),
            preserve_claim=told.preserve_pvc == "true",
            force=told.force_osd_removal == "true",
        )
    except (ApiError, CephError) as error:
        logging.getLogger("rook").error("%s", error)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
