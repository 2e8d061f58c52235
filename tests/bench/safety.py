# SPDX-License-Identifier: GPL-3.0-or-later
"""What people lose data by, tried in one throw-away virtual host with barestore, community.general and a script.

Nothing here fails because somebody loses data: that is what is measured. ``CASES`` of the environment tries some of
them only, by name; ``SAFETY=write`` puts the table into docs/comparison.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from community import bundle
from guest import Unmeasured, guest, say
from safety_cases import CASES, Case
from safety_page import write
from safety_tries import Seen, attempt, prepare, tries, versions
from table import Row, verdict


def rows(notes: list[str]) -> Iterator[Row]:
    """One row for each case and system, in the order of the cases; barestore's has to hold."""
    cases = _wanted()
    tools = bundle()
    planned = tries(cases)
    seen: list[Seen] = []
    unmeasured: list[str] = []
    with guest({"disks": [disk for one in planned for disk in one.hardware()]}) as host:
        told = list(versions(host, tools))
        prepare(host)
        for one in planned:
            try:
                seen.append(attempt(host, one, tools))
                say(f"{one.case.name}, {one.system}: {seen[-1].text}")
            except Unmeasured as error:
                say(str(error))
                unmeasured.append(str(error))
    notes.append("safety: " + "; ".join(told))
    for case in cases:
        yield from (_row(one) for one in seen if one.tried.case is case)
    if unmeasured:
        raise Unmeasured(" ".join(unmeasured))
    if os.environ.get("SAFETY") == "write":
        write(cases, seen, told)


def _wanted() -> tuple[Case, ...]:
    names = os.environ.get("CASES", "").replace(",", " ").split()
    if unknown := set(names) - {case.name for case in CASES}:
        raise Unmeasured(f"there is no case {sorted(unknown)[0]}; there are {', '.join(case.name for case in CASES)}")
    return tuple(case for case in CASES if not names or case.name in names)


def _row(one: Seen) -> Row:
    ours = one.tried.letter == "b"
    result = verdict(not one.harms) if ours else ("harm" if one.harms else "")
    return Row("safety", f"{one.tried.case.what}: {one.tried.system}", "no harm" if ours else "", one.text, result)
