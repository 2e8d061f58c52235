# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a site as a comment on a forge: what is lost first, then a fold for each rack and host, and each cluster.

A forge refuses a comment above its limit. What does not fit is said in fewer words, level by level; no text is cut.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from barestore.lines import ClusterView
from barestore.osds import OsdChange
from barestore.render import counted, total
from barestore.shape import Group, Grouping
from barestore.tally import both, many
from barestore.words import DESTROYS, Line

LIMIT = 65_536
_NAMED = 20
_HEADS = {
    "refused": "Refused: nothing is written there while this stands",
    "error": "Not planned",
    "unreachable": "Not reached",
    "later": "Planned later",
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
    yield f"{total(site.tally).plain}." if site.tally.number else "No host was planned for."
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
    clusters = sum(name.startswith("cluster ") for name in of_hosts)
    yield f"### {title}: {number} on {both(len(of_hosts) - clusters, clusters)}"
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
    yield from _clusters(site, True)
    yield from _notes(site)


def _by_plan(site: Grouping) -> Iterator[str]:
    """A fold for each plan, whatever the racks of its hosts."""
    yield from _troubles(site, _NAMED)
    for group in _largest(site):
        yield from _fold(_title(group, True), _lines(group))
    yield from _clusters(site, True)
    yield from _notes(site)


def _by_kind(site: Grouping) -> Iterator[str]:
    """For each plan how many of each kind of action it has."""
    yield from _troubles(site, _FEW)
    for group in _largest(site):
        yield from _fold(_title(group, True), _kinds(group.lines))
    yield from _clusters(site, False)


def _by_count(site: Grouping) -> Iterator[str]:
    """A line for each plan."""
    yield from _troubles(site, _FEW)
    yield from (f"- {_title(group)}" for group in _largest(site)[:_MOST])
    yield from _rest(_largest(site)[_MOST:])
    yield from (f"- {_cluster_title(one)}" for one in _changing(site))


def _only_counts(site: Grouping) -> Iterator[str]:
    yield from _rest(_largest(site))
    yield from (f"- {_cluster_title(one)}" for one in _changing(site))


_FEW = 5
_MOST = 100


def _rest(groups: Sequence[Group]) -> Iterator[str]:
    if groups:
        number = sum(len(group.hosts) for group in groups)
        yield f"- {len(groups)} more kinds of plan on {_hosts(number)}: see the plan file"


def _kinds(lines: Iterable[Line]) -> Iterator[str]:
    """How many of each kind of action there are."""
    kinds = Counter((each.sign, re.sub(r"^\d+ × ", "", each.what)) for each in _single(lines))
    return (f"- {code(sign)} {number} × {what}" for (sign, what), number in kinds.items())


def _changing(site: Grouping) -> list[ClusterView]:
    return [one for one in site.clusters if one.plan.status == "changes"]


def _cluster_title(one: ClusterView) -> str:
    return f"{code(one.plan.key)}: {counted(_single(one.lines))}"


def _clusters(site: Grouping, whole: bool) -> Iterator[str]:
    """A fold for each cluster; in the whole form with its OSDs rack by rack, and then with all its actions."""
    for one in _changing(site):
        yield from _fold(_cluster_title(one), _osds(one) if whole else _kinds(one.lines))


def _osds(one: ClusterView) -> Iterator[str]:
    for rack in sorted({each.rack for each in one.changes}):
        held = [each for each in one.changes if each.rack == rack]
        yield from _fold(f"{code(rack) if rack else 'no rack'}: {many(len(held), 'OSD')}", map(_osd, held))
    actions = [row for each in one.lines for row in _line(each, True)]
    digest = ["", f"Digest {code(one.plan.digest)}"]
    yield from _fold(f"{many(len(list(_single(one.lines))), 'action')} in their order", [*actions, *digest])


def _osd(each: OsdChange) -> str:
    where = ", ".join(code(text) for text in (each.place, f"volume {each.volume}" if each.volume else "") if text)
    name = f"OSD of {code(each.device_set)}" if not each.osd else f"{code(each.osd)} of {code(each.device_set)}"
    said = f"{code(each.sign)} {each.what} {name}{f' ({where})' if where else ''}"
    return f"- **{said}**" if each.sign == DESTROYS else f"- {said}"


def _largest(site: Grouping) -> list[Group]:
    changing = (group for group in site.groups.values() if group.first.status == "changes")
    return sorted(changing, key=lambda group: -len(group.hosts))


def _troubles(site: Grouping, most: int) -> Iterator[str]:
    """Hosts that have no plan, and why: open, since somebody must act."""
    of_clusters = (Group(one.plan, (), {"": [one.plan.key]}) for one in site.clusters)
    troubles = [group for group in (*site.groups.values(), *of_clusters) if group.first.status in _HEADS]
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
    noted = [(_names(group.hosts), group.first.notes) for group in site.groups.values()]
    noted += [(code(one.plan.key), one.plan.notes) for one in site.clusters]
    rows = [f"- {names}: {code(note)}" for names, notes in noted for note in notes]
    if rows:
        yield from _fold("Notes", rows)


def _title(group: Group, racks: bool = False) -> str:
    where = f" in {len(group.racks)} racks" if racks and len(group.racks) > 1 else ""
    return f"{_names(group.hosts)}{where}: {counted(_single(group.lines))}"


def _lines(group: Group) -> Iterator[str]:
    for each in group.lines:
        yield from _line(each, len(group.hosts) == 1)
    if len(group.hosts) > 1:
        yield ""
        yield f"The disks named are those of {code(group.first.host)}."
    elif group.first.digest:
        yield ""
        yield f"Digest {code(group.first.digest)}"


def _line(each: Line, alone: bool) -> Iterator[str]:
    """One action; the place of its disk only where it is that of one host."""
    detail = f": {code(each.detail)}" if each.detail else ""
    lost = "".join(f", **destroys {code(thing)}**" for thing in each.lost)
    where = f" ({code(each.where)})" if each.where and alone else ""
    yield f"- {code(each.sign)} {each.what} {code(each.target)}{where}{detail}{lost}"


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
    return many(number, "host")


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
