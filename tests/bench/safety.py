# SPDX-License-Identifier: GPL-3.0-or-later
"""What people lose data by, tried in one throw-away virtual host with barestore, community.general and a script.

Nothing here fails because somebody loses data: that is what is measured. ``STORAGE_ROLE`` of the environment names a
folder with linux-system-roles.storage, which is tried too then. ``CASES`` and ``SYSTEMS`` try some only, by name;
``SAFETY=write`` puts what was tried into the table of docs/comparison.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import system_role
from community import bundle
from guest import Unmeasured, guest, say
from safety_cases import CASES, Case
from safety_page import write
from safety_tries import SYSTEMS, Seen, Tools, attempt, prepare, tries, versions
from table import Row, verdict


def rows(notes: list[str]) -> Iterator[Row]:
    """One row for each case and system, in the order of the cases; barestore's has to hold."""
    cases = _cases()
    tools = Tools(bundle(), system_role.folder())
    letters = _letters(tools, notes)
    planned = tries(cases, letters)
    seen: list[Seen] = []
    unmeasured: list[str] = []
    with guest({"disks": [disk for one in planned for disk in one.hardware()]}) as host:
        if "l" in letters:
            system_role.install(host)
        told = list(versions(host, tools, letters))
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
    if os.environ.get("SAFETY") == "write":
        write(seen, told)
    if unmeasured:
        raise Unmeasured(" ".join(unmeasured))


def _cases() -> tuple[Case, ...]:
    names = _named("CASES", "case", [case.name for case in CASES])
    return tuple(case for case in CASES if case.name in names)


def _letters(tools: Tools, notes: list[str]) -> tuple[str, ...]:
    names = _named("SYSTEMS", "system", [name.replace(" ", "-") for name in SYSTEMS.values()])
    letters = tuple(letter for letter, name in SYSTEMS.items() if name.replace(" ", "-") in names)
    if "l" in letters and not tools.role:
        if letters == ("l",):
            raise Unmeasured(f"{system_role.LEFT_OUT}.")
        notes.append(f"safety: {system_role.LEFT_OUT}")
        return tuple(letter for letter in letters if letter != "l")
    return letters


def _named(variable: str, kind: str, known: list[str]) -> list[str]:
    """Those of the known names that a variable of the environment names; all where it names none."""
    names = os.environ.get(variable, "").replace(",", " ").split()
    if unknown := set(names) - set(known):
        raise Unmeasured(f"there is no {kind} {sorted(unknown)[0]}; there are {', '.join(known)}")
    return names or known


def _row(one: Seen) -> Row:
    ours = one.tried.letter == "b"
    result = verdict(not one.harms) if ours else ("harm" if one.harms else "")
    return Row("safety", f"{one.tried.case.what}: {one.tried.system}", "no harm" if ours else "", one.text, result)
