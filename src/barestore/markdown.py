# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a site as a comment on a forge: what is lost first, then a fold for each rack and host.

A forge refuses a comment above its limit. What does not fit is said in fewer words, level by level; no text is cut.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from barestore.render import counted, total
from barestore.shape import Group, Grouping
from barestore.words import Line

LIMIT = 65_536
_NAMED = 20
_HEADS = {
    "refused": "Refused: nothing is written there while this stands",
    "error": "Not planned",
    "unreachable": "Not reached",
}


def page(site: Grouping, title: str, facts: Sequence[str] = (), limit: int = LIMIT, mark: str = "plan") -> str:
    """The whole comment, at most ``limit`` characters long; ``facts`` are lines below the title.

    :raises ValueError: not even the shortest form has room.
    """
    for level in (_by_rack, _by_plan, _by_kind, _by_count, _only_counts):
        body = "\n".join(_frame(site, title, facts, mark, level))
        if len(body) <= limit:
            return body
    raise ValueError(f"the shortest form has {len(body)} characters and the limit is {limit}")


Level = Callable[[Grouping], Iterator[str]]


def _frame(site: Grouping, title: str, facts: Sequence[str], mark: str, level: Level) -> Iterator[str]:
    # People find their own comment by this line, to replace it.
    yield f"<!-- barestore {re.sub(r'[^A-Za-z0-9_. -]|--+', '_', mark)} -->"
    yield f"## {title}"
    yield ""
    short = level in (_by_count, _only_counts)
    yield from _never_back("Destroys", site.destroys, short)
    yield from _never_back("Can never be taken back", site.irreversible, short)
    yield f"{total(Counter(site.statuses)).plain}." if site.statuses else "No host was planned for."
    yield ""
    for fact in facts:
        yield f"- {fact}"
    if facts:
        yield ""
    yield from level(site)


def _never_back(title: str, of_hosts: dict[str, list[str]], short: bool) -> Iterator[str]:
    if not of_hosts:
        return
    number = sum(map(len, of_hosts.values()))
    yield f"### {title}: {number} on {_hosts(len(of_hosts))}"
    yield ""
    if short:
        yield f"**{_names(list(of_hosts))}**"
    else:
        for host, things in of_hosts.items():
            yield from (f"- **{code(host)}: {code(thing)}**" for thing in things)
    yield ""


def _by_rack(site: Grouping) -> Iterator[str]:
    """A fold for each rack, in it one for each host or for its hosts of equal plans."""
    yield from _troubles(site, _NAMED)
    changing = [group for group in site.groups.values() if group.first.status == "changes"]
    for rack in sorted({name for group in changing for name in group.racks}):
        groups = [group.of(rack) for group in changing if rack in group.racks]
        number = sum(len(group.hosts) for group in groups)
        where = code(rack) if rack else "no rack"
        yield from _fold(
            f"{where}: {_hosts(number)} of {site.racks[rack]} to change",
            (row for group in groups for row in _fold(_title(group), _lines(group))),
        )
    yield from _notes(site)


def _by_plan(site: Grouping) -> Iterator[str]:
    """A fold for each plan, whatever the racks of its hosts."""
    yield from _troubles(site, _NAMED)
    for group in _largest(site):
        yield from _fold(_title(group, True), _lines(group))
    yield from _notes(site)


def _by_kind(site: Grouping) -> Iterator[str]:
    """For each plan how many of each kind of action it has."""
    yield from _troubles(site, _FEW)
    for group in _largest(site):
        kinds = Counter((each.sign, re.sub(r"^\d+ × ", "", each.what)) for each in _single(group.lines))
        yield from _fold(_title(group, True), (f"- {code(sign)} {n} × {what}" for (sign, what), n in kinds.items()))


def _by_count(site: Grouping) -> Iterator[str]:
    """A line for each plan."""
    yield from _troubles(site, _FEW)
    yield from (f"- {_title(group)}" for group in _largest(site)[:_MOST])
    yield from _rest(_largest(site)[_MOST:])


def _only_counts(site: Grouping) -> Iterator[str]:
    yield from _rest(_largest(site))


_FEW = 5
_MOST = 100


def _rest(groups: Sequence[Group]) -> Iterator[str]:
    if groups:
        number = sum(len(group.hosts) for group in groups)
        yield f"- {len(groups)} more kinds of plan on {_hosts(number)}: see the plan file"


def _largest(site: Grouping) -> list[Group]:
    changing = (group for group in site.groups.values() if group.first.status == "changes")
    return sorted(changing, key=lambda group: -len(group.hosts))


def _troubles(site: Grouping, most: int) -> Iterator[str]:
    """Hosts that have no plan, and why: open, since somebody must act."""
    troubles = [group for group in site.groups.values() if group.first.status in _HEADS]
    for status, groups in groupby(sorted(troubles, key=lambda one: one.first.status), lambda one: one.first.status):
        named = list(groups)
        yield f"### {_HEADS[status]}"
        yield ""
        for group in named[:most]:
            said = (*group.first.refusals, group.first.message)
            yield f"- {_names(group.hosts)}: " + " ".join(code(each) for each in said if each)
        if len(named) > most:
            number = sum(len(group.hosts) for group in named[most:])
            yield f"- and {_hosts(number)} for {len(named) - most} other reasons: see the plan file"
        yield ""


def _notes(site: Grouping) -> Iterator[str]:
    noted = [group for group in site.groups.values() if group.first.notes]
    rows = [f"- {_names(group.hosts)}: {code(note)}" for group in noted for note in group.first.notes]
    if rows:
        yield from _fold("Notes", rows)


def _title(group: Group, racks: bool = False) -> str:
    where = f" in {len(group.racks)} racks" if racks and len(group.racks) > 1 else ""
    return f"{_names(group.hosts)}{where}: {counted(_single(group.lines))}"


def _lines(group: Group) -> Iterator[str]:
    for each in group.lines:
        detail = f": {code(each.detail)}" if each.detail else ""
        lost = "".join(f", **destroys {code(thing)}**" for thing in each.lost)
        where = f" ({code(each.where)})" if each.where and len(group.hosts) == 1 else ""
        yield f"- {code(each.sign)} {each.what} {code(each.target)}{where}{detail}{lost}"
    if len(group.hosts) > 1:
        yield ""
        yield f"The disks named are those of {code(group.first.host)}."
    elif group.first.digest:
        yield ""
        yield f"Digest {code(group.first.digest)}"


def _single(lines: Iterable[Line]) -> Iterator[Line]:
    """Each line as often as it was folded."""
    for each in lines:
        found = re.match(r"(\d+) × ", each.what)
        yield from (each for _ in range(int(found[1]) if found else 1))


def _fold(title: str, rows: Iterable[str]) -> Iterator[str]:
    # The blank line makes forges read what follows as Markdown; the title is HTML.
    yield f"<details><summary>{_html(title)}</summary>"
    yield ""
    yield from rows
    yield ""
    yield "</details>"
    yield ""


def _names(hosts: Sequence[str]) -> str:
    """A few hosts by name, many by number."""
    if len(hosts) <= _FEW:
        return ", ".join(map(code, hosts))
    return f"{', '.join(map(code, hosts[:_FEW]))} and {len(hosts) - _FEW} more"


def _hosts(number: int) -> str:
    return "1 host" if number == 1 else f"{number} hosts"


def code(text: str) -> str:
    """Text that a forge shows as it is: no markup, no mention, no line of its own."""
    plain = " ".join(text.split())
    ticks = "`" * (max(map(len, re.findall("`+", plain)), default=0) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{ticks}{pad}{plain}{pad}{ticks}" if plain else ""


def _html(text: str) -> str:
    """A title with code spans, as HTML: inside of <summary> forges read no Markdown."""
    parts = re.split(r"(?<!`)(`+)(?!`) ?(.+?) ?(?<!`)\1(?!`)", text)
    out = []
    for number, part in enumerate(parts):
        safe = part.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if number % 3 == 0:
            out.append(safe)
        elif number % 3 == 2:
            out.append(f"<code>{safe}</code>")
    return "".join(out)
