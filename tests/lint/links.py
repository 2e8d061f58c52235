# SPDX-License-Identifier: GPL-3.0-or-later
"""Each relative link in a Markdown file leads to a file of this repository."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SKIP = {".git", ".venv", ".venv-bench", ".lab", "build", "collections", "dist"}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def broken(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target for target in LINK.findall(text) if "://" not in target and not target.startswith("#")]
    return [
        f"{page.relative_to(ROOT)}: {target} does not exist"
        for target in targets
        if not (page.parent / target.partition("#")[0]).exists()
    ]


def main() -> int:
    pages = [page for page in sorted(ROOT.rglob("*.md")) if not SKIP & set(page.relative_to(ROOT).parts)]
    problems = [problem for page in pages for problem in broken(page)]
    print("\n".join(problems) or f"the links of {len(pages)} pages lead somewhere")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
