"""Match counted approaches to links.

A counter belongs to the link that carries its approach: a major road within
60 m, driven towards the junction, of a street the text names. The direction
follows from the text where it states an arm ("A_RD N of B_RD": the arm lies
north, so its traffic drives south), else from where the counter stands about
its junction. What stays open is left out and counted, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.estimation.counts import Counts, arm_of
from twin.models.estimation.pieces import Pieces, to_grid
from twin.models.estimation.shift import Shift, find_shift

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

REACH = 60.0
"""Farthest a counter may stand from its road, m: a wide junction."""

_STRANGER = 25.0
_CLEARLY_NEARER = 5.0
_LEAST_TOWARDS = 0.35
_CENTRE_REACH = 150.0
_NEAREST_CENTRE = 4.0
_ARMS = {"N": 90, "NE": 45, "E": 0, "SE": -45, "S": -90, "SW": -135, "W": 180, "NW": 135}
_ROAD_WORDS = frozenset(
    [
        *("RD", "ROAD", "ST", "STREET", "AV", "AVE", "AVENUE", "HWY", "HIGHWAY", "FWY", "FREEWAY", "DR", "DRIVE"),
        *("PDE", "PARADE", "CR", "CRES", "CRESCENT", "PL", "PLACE", "BLVD", "BOULEVARD", "TCE", "TERRACE"),
        *("GR", "GROVE", "LA", "LANE", "WAY"),
    ]
)


@dataclass(frozen=True)
class Matches:
    """Approaches that have a link.

    approach  (n,)    row in the counts
    link      (n,)    row of the link
    xy        (n, 2)  m, corrected place
    distance  (n,)    m to the link
    how       (n,)    "street", "arm" (a text states it) or "geometry"
    left_out  approach id -> why it has none
    shift     correction of the coordinates
    """

    approach: Array
    link: Array
    xy: Array
    distance: Array
    how: tuple[str, ...]
    left_out: Mapping[str, str]
    shift: Shift

    def report(self) -> dict[str, int]:
        """Return how many approaches were matched how, and left out why."""
        kinds = {f"matched by {name}": self.how.count(name) for name in ("street", "arm", "geometry")}
        reasons = sorted(set(self.left_out.values()))
        return kinds | {reason: list(self.left_out.values()).count(reason) for reason in reasons}


@dataclass(frozen=True)
class _Found:
    link: int
    distance: float
    how: str


def match(counts: Counts, city: City, shift: Shift | None = None) -> Matches:
    """Return the link of each approach; the shift is found when it is not given."""
    pieces = Pieces.of(city)
    shift = find_shift(counts.lon, counts.lat, city, pieces) if shift is None else shift
    xy = to_grid(city, counts.lon + shift.lon, counts.lat + shift.lat)
    streets = np.array([_key(str(name)) for name in city["links"]["name"]])
    junctions = _Junctions.of(city, streets)
    found: dict[int, _Found] = {}
    left_out: dict[str, str] = {}
    for row, name in enumerate(counts.ids):
        siblings = xy[[i for i, site in enumerate(counts.site) if site == counts.site[row]]]
        link = _match_one(xy[row], counts.text[row], siblings, (pieces, streets, junctions))
        if isinstance(link, str):
            left_out[name] = link
        else:
            found[row] = link
    _settle(found, counts, left_out)
    rows = np.array(sorted(found), dtype=np.int64)
    return Matches(
        approach=rows,
        link=np.array([found[row].link for row in rows.tolist()], dtype=np.int64),
        xy=xy[rows],
        distance=np.array([found[row].distance for row in rows.tolist()]),
        how=tuple(found[row].how for row in rows.tolist()),
        left_out=left_out,
        shift=shift,
    )


def street_names(text: str) -> tuple[str, ...]:
    """Return the bare names of the streets a text speaks of.

    >>> street_names("WARRIGAL/HIGH ST RD")
    ('WARRIGAL', 'HIGH')
    """
    return tuple(dict.fromkeys(name for part in re.split(r"[/&,]|\bOF\b", text.upper()) if (name := _key(part))))


def _key(name: str) -> str:
    """Return a street name in capitals, without the words that only say "road"."""
    words = re.sub(r"[^A-Z' ]", " ", name.upper().replace("_", " ")).split()
    while len(words) > 1 and words[-1] in _ROAD_WORDS:
        words.pop()
    while len(words) > 1 and words[0] in {"JALAN", "JL"}:
        words.pop(0)
    return " ".join(words)


@dataclass(frozen=True)
class _Junctions:
    """Nodes with the street names that meet there."""

    xy: Array
    names: tuple[frozenset[str], ...]
    tree: Any

    @classmethod
    def of(cls, city: City, streets: Array) -> _Junctions:
        from scipy.spatial import cKDTree

        nodes = np.column_stack([city["nodes"]["x"], city["nodes"]["y"]])
        meeting: dict[int, set[str]] = {}
        for side in ("from_node", "to_node"):
            for node, name in zip(city["links"][side].tolist(), streets.tolist(), strict=True):
                if name:
                    meeting.setdefault(node, set()).add(name)
        rows = sorted(node for node, names in meeting.items() if len(names) > 1)
        xy = nodes[rows] if rows else np.full((1, 2), np.inf)
        names = tuple(frozenset(meeting[row]) for row in rows) if rows else (frozenset(),)
        return cls(xy, names, cKDTree(np.where(np.isfinite(xy), xy, 1e12)))

    def centre(self, xy: Array, wanted: tuple[str, ...]) -> Array | None:
        """Return the middle of the nodes near a point where two of the wanted streets meet."""
        near = self.tree.query_ball_point(xy, _CENTRE_REACH)
        rows = [row for row in near if len(self.names[row] & set(wanted)) > 1]
        return np.asarray(self.xy[rows].mean(axis=0)) if rows else None


def _match_one(xy: Array, text: str, siblings: Array, ground: tuple[Pieces, Array, _Junctions]) -> _Found | str:
    pieces, streets, junctions = ground
    rows, distance = pieces.around(float(xy[0]), float(xy[1]), REACH)
    if not rows.size:
        return f"no major road within {REACH:g} m"
    stated = arm_of(text)
    if stated is None:
        names = street_names(text)
        towards = _towards(xy, _centre(xy, names, siblings, junctions), pieces.middle(rows))
    else:
        names = (_key(stated[0]),)
        angle = np.radians(_ARMS[stated[1]] + 180)
        towards = np.broadcast_to([np.cos(angle), np.sin(angle)], (rows.size, 2))
    if towards is None:
        return "direction not known"
    fits = (pieces.heading(rows) * towards).sum(axis=1) > _LEAST_TOWARDS
    if not fits.any():
        return "no road towards the junction"
    named = np.isin(streets[pieces.link[rows]], names)
    how = "arm" if stated else "street"
    return _nearest(pieces, rows[fits], distance[fits], named[fits], how)


def _centre(xy: Array, names: tuple[str, ...], siblings: Array, junctions: _Junctions) -> Array | None:
    """Return where the junction is: the meeting of its streets, or the middle of its counters."""
    centre = junctions.centre(xy, names)
    if centre is None and siblings.shape[0] > 1:
        centre = siblings.mean(axis=0)
    return centre


def _towards(xy: Array, centre: Array | None, places: Array) -> Array | None:
    """Return the unit vector to the junction from each place, None when that is not clear."""
    if centre is None or np.hypot(*(centre - xy)) < _NEAREST_CENTRE:
        return None
    way = np.broadcast_to(centre - xy, places.shape)
    return np.asarray(way / np.hypot(way[:, 0], way[:, 1])[:, None])


def _nearest(pieces: Pieces, rows: Array, distance: Array, named: Array, how: str) -> _Found | str:
    """Return the nearest link; one of a street the text does not name counts as 25 m farther."""
    cost = distance + np.where(named, 0.0, _STRANGER)
    order = np.lexsort((rows, cost))
    best = order[0]
    heading = pieces.heading(rows)
    rival = (pieces.link[rows] != pieces.link[rows[best]]) & (cost < cost[best] + _CLEARLY_NEARER)
    across = np.abs(heading @ heading[best]) < np.cos(np.radians(45))
    if (rival & across).any():
        return "ambiguous: two streets fit"
    return _Found(int(pieces.link[rows[best]]), float(distance[best]), how if named[best] else "geometry")


def _settle(found: dict[int, _Found], counts: Counts, left_out: dict[str, str]) -> None:
    """Let a link keep the nearest of the counters that claim it."""
    claims: dict[int, list[int]] = {}
    for row, match_found in found.items():
        claims.setdefault(match_found.link, []).append(row)
    for rows in claims.values():
        rows.sort(key=lambda row: (found[row].distance, counts.ids[row]))
        for row in rows[1:]:
            left_out[counts.ids[row]] = "ambiguous: another counter is nearer to its link"
            del found[row]
