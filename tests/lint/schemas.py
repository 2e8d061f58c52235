# SPDX-License-Identifier: GPL-3.0-or-later
"""Each file in schemas/ is a valid JSON Schema, draft 2020-12, and says so."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

ROOT = Path(__file__).resolve().parent.parent.parent
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def problem(path: Path) -> str:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        return f"is not JSON: {error}"
    if not isinstance(schema, dict) or schema.get("$schema") != DRAFT:
        return f'must say "$schema": "{DRAFT}"'
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"at {error.json_path}: {error.message}"
    return ""


def main() -> int:
    paths = sorted((ROOT / "schemas").glob("*.json"))
    problems = [f"{path.relative_to(ROOT)} {said}" for path in paths if (said := problem(path))]
    print("\n".join(problems) or f"{len(paths)} schemas are valid 2020-12")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
