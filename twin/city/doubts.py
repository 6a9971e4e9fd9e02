"""Say in sentences what makes a city built from a map doubtful."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LEAST_KEPT = 0.5
"""Share of streets in the largest connected part below which an import is doubtful. Assumption: whole towns keep
well over nine tenths; extracts that are clipped, thinned or without their side streets keep far less."""


def doubts(report: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each thing that an import report shows to be missing; none for other reports."""
    return [*_unconnected(report), *_not_found(report)]


def _unconnected(report: Mapping[str, Any]) -> list[str]:
    kept, lost = report.get("streets", 0), report.get("streets_outside_largest_part", 0)
    if kept >= LEAST_KEPT * (kept + lost):
        return []
    return [
        f"only {kept:,} of {kept + lost:,} streets ({kept / (kept + lost):.0%}) are left: the others cannot be driven "
        "to and from; the extract may be clipped tightly or lack roads, so take a larger one"
    ]


def _not_found(report: Mapping[str, Any]) -> list[str]:
    signals = report.get("signals")
    found = []
    if signals is not None and not signals["with_phases"]:
        found.append(
            f"no traffic signal at any junction ({signals['in_map']} in the map): rules for signals change nothing"
        )
    for kind in ("hospitals", "stations"):
        counts = report.get(kind)
        if counts is not None and not counts["from_map"]:
            found.append(f"no {kind} in the map: {counts['synthetic']} are made up")
    return found
