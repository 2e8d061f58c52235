# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The proof that what stays can hold all data: how full each failure domain, and the fullest OSD in it, would be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..plan.model import Refusal
from .quantities import human
from .spread import shares
from .state import Cluster, Osd, Pool, Rule


@dataclass(frozen=True)
class Take:
    """A part of the CRUSH tree that rules take from: a root and a device class (empty: any)."""

    root: str
    device_class: str

    def __str__(self) -> str:
        return f"{self.root}~{self.device_class}" if self.device_class else self.root

    def has(self, osd: Osd) -> bool:
        return osd.place.get("root") == self.root and self.device_class in ("", osd.device_class)


@dataclass(frozen=True)
class Fullness:
    """Of one failure domain afterwards: bytes in all, bytes used, and how full its fullest OSD would be (0 to 1)."""

    take: Take
    kind: str
    domain: str
    size: int
    used: float
    fullest: float

    @property
    def share(self) -> float:
        return self.used / self.size if self.size else 0.0

    def __str__(self) -> str:
        return (
            f"{self.kind} {self.domain} ({self.take}) would be {100 * self.share:.1f} % full, {human(self.used)} of "
            f"{human(self.size)}, and its fullest OSD {100 * self.fullest:.1f} %"
        )


@dataclass(frozen=True)
class Proof:
    """Figures of what would be, and why it must not be."""

    figures: tuple[Fullness, ...]
    refusals: tuple[Refusal, ...]

    @property
    def fullest(self) -> Fullness | None:
        return max(self.figures, key=lambda one: (one.fullest, one.domain), default=None)


def prove(cluster: Cluster, leaving: Iterable[int], margin: float) -> Proof:
    """What the cluster would be without the OSDs ``leaving``; ``margin`` is the part (0.05) kept below near-full."""
    gone = frozenset(leaving)
    figures: list[Fullness] = []
    refusals: list[Refusal] = []
    for take, pools in sorted(_takes(cluster).items(), key=lambda one: str(one[0])):
        before = [osd for osd in cluster.osds.values() if osd.weight > 0 and osd.is_in and take.has(osd)]
        after = [osd for osd in before if osd.id not in gone]
        short = list(_unplaced(cluster, take, pools, after))
        refusals.extend(short)
        if short or len(after) == len(before):
            continue
        for figure in _figures(cluster, take, pools, before, after):
            figures.append(figure)
            if figure.fullest >= cluster.nearfull - margin:
                refusals.append(_too_full(figure, cluster.nearfull, margin))
    return Proof(tuple(figures), tuple(refusals))


def single_copies(cluster: Cluster) -> Iterator[Refusal]:
    """Pools that keep one copy: nothing that moves them is safe."""
    for pool in cluster.pools:
        if pool.size == 1:
            yield Refusal(
                f"pool {pool.name}",
                "it has size 1, so that each of its objects is lost with one OSD",
                "give it a larger size, or remove it",
            )


def domains_of(cluster: Cluster, device_class: str) -> frozenset[str]:
    """The types of failure domain that pools use on OSDs of a class."""
    return frozenset(
        rule.domain
        for pool in cluster.pools
        for rule in (cluster.rules.get(pool.rule),)
        if rule is not None and rule.device_class in ("", device_class)
    )


def _takes(cluster: Cluster) -> dict[Take, list[tuple[Pool, Rule]]]:
    found: dict[Take, list[tuple[Pool, Rule]]] = {}
    for pool in cluster.pools:
        rule = cluster.rules.get(pool.rule)
        if rule is not None:
            found.setdefault(Take(rule.root, rule.device_class), []).append((pool, rule))
    return found


def _weights(osds: Iterable[Osd], kind: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for osd in osds:
        name = osd.domain(kind)
        found[name] = found.get(name, 0.0) + osd.weight
    return found


def _buckets(pool: Pool, rule: Rule) -> int:
    """Different failure domains that a pool needs."""
    return -(-pool.size // rule.inner)


def _unplaced(
    cluster: Cluster, take: Take, pools: Iterable[tuple[Pool, Rule]], after: Iterable[Osd]
) -> Iterator[Refusal]:
    after = list(after)
    for pool, rule in pools:
        have = len(_weights(after, rule.domain))
        if have < _buckets(pool, rule):
            yield Refusal(
                f"pool {pool.name}",
                f"{pool.copies} needs {_buckets(pool, rule)} {rule.domain}s with OSDs of {take}, and there would be "
                f"{have}",
                "keep more OSDs, or add them in other failure domains first",
            )


def _figures(
    cluster: Cluster, take: Take, pools: list[tuple[Pool, Rule]], before: list[Osd], after: list[Osd]
) -> Iterator[Fullness]:
    used = float(sum(osd.used for osd in before))
    now, then = _ideal(pools, before, used), _ideal(pools, after, used)
    # Told by the failure domain of most of the data; the fullest OSD is the same whichever is told.
    kind = max(pools, key=lambda one: (one[0].stored, one[0].name))[1].domain
    inside: dict[str, list[Osd]] = {}
    for osd in after:
        inside.setdefault(osd.domain(kind), []).append(osd)
    skew = _skews(kind, before, now)
    for domain, osds in sorted(inside.items()):
        worst = max((then[osd.id] / osd.size if osd.size else 0.0) for osd in osds)
        used_then = sum(then[osd.id] for osd in osds)
        size = sum(osd.size for osd in osds)
        yield Fullness(take, kind, domain, size, used_then, worst * skew.get(domain, 1.0))


def _ideal(pools: list[tuple[Pool, Rule]], osds: list[Osd], used: float) -> dict[int, float]:
    """Bytes that each OSD would hold if CRUSH spread them exactly by weight; all of ``used`` together."""
    stored = sum(pool.stored for pool, _rule in pools)
    held = dict.fromkeys((osd.id for osd in osds), 0.0)
    by_spread: dict[tuple[str, int], float] = {}
    for pool, rule in pools:
        part = pool.stored / stored if stored else 1 / len(pools)
        key = (rule.domain, _buckets(pool, rule))
        by_spread[key] = by_spread.get(key, 0.0) + part
    for (kind, buckets), part in by_spread.items():
        weights = _weights(osds, kind)
        share = shares(weights, buckets)
        for osd in osds:
            name = osd.domain(kind)
            held[osd.id] += used * part * share[name] * osd.weight / weights[name]
    return held


def _skews(kind: str, osds: list[Osd], ideal: Mapping[int, float]) -> dict[str, float]:
    """How much fuller than it should be the fullest OSD of each domain is now; at least 1."""
    found: dict[str, float] = {}
    for osd in osds:
        if ideal[osd.id] > 0:
            name = osd.domain(kind)
            found[name] = max(found.get(name, 1.0), osd.used / ideal[osd.id])
    return found


def _too_full(figure: Fullness, nearfull: float, margin: float) -> Refusal:
    allowed = 100 * (nearfull - margin)
    return Refusal(
        f"{figure.kind} {figure.domain}",
        f"{figure}; near-full {100 * nearfull:.0f} % less {100 * margin:.0f} % allows less than {allowed:.1f} %",
        "keep more OSDs, add others first, or delete data",
    )
