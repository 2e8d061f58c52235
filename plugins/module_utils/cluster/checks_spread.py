# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether racks and hosts are enough for what shall survive the loss of one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..host.problems import Path, Problem
from .checks_ceph import pools_of
from .document import HostFacts, SiteFacts, StorageClass, Supply, mon_storage


def domain_of(host: HostFacts, failure_domain: str) -> str:
    """The rack or the host itself."""
    return host.rack if failure_domain == "rack" else host.name


def check_domains(site: SiteFacts, classes: Mapping[str, StorageClass]) -> Iterator[Problem]:
    """Problems of ``ceph``: hosts without rack, monitors, copies and sets that cannot be spread."""
    for name, cluster in site.clusters.items():
        here: Path = ("clusters", name)
        domain = cluster.get("failure_domain", "rack")
        yield from _racks(site, classes, cluster, here, domain)
        yield from _mons(site, classes, cluster, here, domain)
        domains = {}  # of each device set: rack or host -> most OSDs there (None: any number)
        for each, entry in cluster["device_sets"].items():
            found = classes.get(entry["storage_class"])
            if found is not None and found.supplies:
                domains[each] = _most(found.supplies, domain)
                yield from _even(domains[each], entry["count"], (*here, "device_sets", each, "count"), domain)
        yield from _pools(site, classes, cluster, here, domain)


def _racks(
    site: SiteFacts, classes: Mapping[str, StorageClass], cluster: Mapping[str, Any], here: Path, domain: str
) -> Iterator[Problem]:
    if domain != "rack":
        return
    for name, entry in cluster["device_sets"].items():
        found = classes.get(entry["storage_class"])
        bare = sorted({supply.host.name for supply in found.supplies if not supply.host.rack}) if found else []
        if bare:
            more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
            message = f"host '{bare[0]}'{more} has disks for this set and no rack"
            hint = "write rack: for it in the inventory, or failure_domain: host"
            yield Problem((*here, "device_sets", name), message, hint)


def _mons(
    site: SiteFacts, classes: Mapping[str, StorageClass], cluster: Mapping[str, Any], here: Path, domain: str
) -> Iterator[Problem]:
    number = cluster.get("mons", 3)
    if number == 1:
        return
    chosen = mon_storage(site, cluster)
    found = classes.get(chosen["storage_class"]) if chosen else None
    hosts = [supply.host for supply in found.supplies] if found and found.supplies else list(site.nodes)
    where = (*here, "mons")
    names = {host.name for host in hosts}
    what = f" that have StorageClass '{chosen['storage_class']}'" if chosen and found and found.supplies else ""
    if len(names) < number:
        message = f"{number} monitors need as many hosts, and {len(names)} node{_s(names)}{what} can have one"
        yield Problem(where, message, "write fewer monitors, or let more hosts have their storage")
        return
    domains = {domain_of(host, domain) for host in hosts}
    largest = -(-number // max(len(domains), 1))
    if largest > (number - 1) // 2:
        message = f"{number} monitors in {len(domains)} {domain}{_s(domains)}{what}: the loss of one takes the quorum"
        hint = "let nodes of at least three racks have their storage, or write failure_domain: host"
        yield Problem(where, message, hint if domain == "rack" else "let at least three hosts have their storage")


def _most(supplies: tuple[Supply, ...], domain: str) -> dict[str, int | None]:
    most: dict[str, int | None] = {}
    for supply in supplies:
        name = domain_of(supply.host, domain)
        before = most.get(name, 0)
        most[name] = None if before is None or supply.devices is None else before + supply.devices
    return most


def _even(domains: Mapping[str, int | None], count: int, path: Path, domain: str) -> Iterator[Problem]:
    """Whether ``count`` OSDs can be spread so that no two racks differ by more than one."""
    least, more = divmod(count, len(domains))
    short = sorted(name for name, most in domains.items() if most is not None and most < least)
    fuller = [name for name, most in domains.items() if most is None or most > least]
    if not short and len(fuller) >= more:
        return
    known = sum(most for most in domains.values() if most is not None)
    if None not in domains.values() and known < count:
        return  # too few in all, which is said already
    wanted = f"{least} or {least + 1}" if more else f"{least}"
    names = short or sorted(name for name in domains if name not in fuller)
    have = ", ".join(f"'{name}' gives {domains[name]}" for name in names[:4])
    fair = _fair(domains)
    message = f"{count} OSDs over {len(domains)} {domain}s are {wanted} in each, and {have}"
    yield Problem(path, message, f"write {fair} or less, or move disks between {domain}s")


def _fair(domains: Mapping[str, int | None]) -> int:
    """The most OSDs that can be spread with a difference of one at most."""
    least = min(most for most in domains.values() if most is not None)
    return sum(least + 1 if most is None or most > least else least for most in domains.values())


def _pools(
    site: SiteFacts, classes: Mapping[str, StorageClass], cluster: Mapping[str, Any], here: Path, domain: str
) -> Iterator[Problem]:
    for path, pool in pools_of(cluster, here):
        kind = pool.get("failure_domain", domain)
        wanted = pool.get("device_class")
        sets = [entry for entry in cluster["device_sets"].values() if wanted in (None, entry["device_class"])]
        names: set[str] = set()
        known = True
        for entry in sets:
            found = classes.get(entry["storage_class"])
            if found is None or not found.supplies:
                known = False  # an external class: nobody knows its racks
                break
            # A set of two OSDs is in two racks, however many there are.
            mine = sorted({domain_of(supply.host, kind) for supply in found.supplies})
            names |= set(mine[: entry["count"]])
        if not known:
            continue
        code = pool.get("erasure_code")
        if code is not None:
            parts = code["data"] + code["coding"]
            if parts > len(names):
                message = f"{code['data']} data and {code['coding']} coding parts need {parts} {kind}s"
                hint = "write fewer parts" + (", or failure_domain: host" if kind == "rack" else "")
                yield Problem((*path, "erasure_code"), f"{message}, and {_have(names, kind, wanted)}", hint)
        elif pool["replicas"] > len(names):
            message = f"{pool['replicas']} replicas need {pool['replicas']} {kind}s"
            hint = f"let more {kind}s have OSDs" + (f", or write replicas: {len(names)}" if len(names) > 1 else "")
            yield Problem((*path, "replicas"), f"{message}, and {_have(names, kind, wanted)}", hint)


def _have(names: set[str], kind: str, wanted: str | None) -> str:
    of = f" of device class {wanted}" if wanted else ""
    return f"{len(names)} {kind}{_s(names)} {'has' if len(names) == 1 else 'have'} OSDs{of}"


def _s(names: set[str]) -> str:
    return "s" * (len(names) != 1)
