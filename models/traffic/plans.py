"""Fixed-time signal plans from a data frame, checked and laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city.junctions import Junctions, Windows
    from twin.kernels.traffic_layout import Roads, Signals
    from twin.models.traffic.frames import Frames

Array = np.ndarray[Any, Any]

_OPTIONAL = ("offset", "amber", "all_red")
_FAR = "must be a position in m"
_LEAST = 0.001
"""s; shorter greens would round to none."""


def wrong(frames: Frames) -> list[str]:
    """Name every wrong row of the signals, and every pair of greens that must not overlap."""
    from twin.models.traffic.frames import LONGEST, rows_of, wrong_labels, wrong_rows

    plan = frames.signals
    link = rows_of(plan["link"], frames.links.index)
    problems = wrong_labels("signals", plan, "link", frames.links.index, "is no link")
    way = [name for name in ("link", "to_link") if name in plan]
    problems += wrong_rows("signals", plan, "link", plan.duplicated(way).to_numpy(), "has a green already")
    problems += _wrong_turns(frames)
    for name in ("cycle", "green"):
        bad = ~(_column(frames, name) >= _LEAST) | np.isinf(_column(frames, name))
        problems += wrong_rows("signals", plan, name, bad, f"must be greater than 0, at least {_LEAST} s, and finite")
    for name in ("start", *_OPTIONAL):
        values = _column(frames, name)
        bad = ~(np.abs(values) <= LONGEST) | ((values < 0) & (name in ("amber", "all_red")))
        if bad.any():
            problems += wrong_rows("signals", plan, name, bad, "must be a time, amber and all_red not below 0")
    lost = _column(frames, "amber") + _column(frames, "all_red")
    long = _column(frames, "green") + lost > _column(frames, "cycle") + 1e-6
    problems += wrong_rows("signals", plan, "green", long, "is longer with amber and all_red than the cycle")
    return problems + _unplaced(frames) or _overlaps(frames, link)


def _wrong_turns(frames: Frames) -> list[str]:
    """Name greens of turns that have no pocket."""
    from twin.models.traffic.frames import wrong_rows

    plan = frames.signals
    if "to_link" not in plan:
        return []
    pocket = set(zip(frames.pockets["from_link"], frames.pockets["to_link"], strict=True))
    without = np.array([way not in pocket for way in zip(plan["link"], plan["to_link"], strict=True)], bool)
    bad = plan["to_link"].notna().to_numpy() & without
    return wrong_rows("signals", plan, "to_link", bad, "has no pocket from this link")


def _unplaced(frames: Frames) -> list[str]:
    """Name nodes that the table of positions lacks."""
    from twin.models.traffic.frames import rows_of, wrong_rows
    from twin.models.traffic.inputs import numbers

    if frames.positions is None:
        return []
    missing = [name for name in ("x", "y") if name not in frames.positions]
    if missing:
        return [f"nodes: column {name} is missing" for name in missing]
    labels = frames.nodes()
    if not frames.positions.index.is_unique:
        return [f"nodes: {frames.positions.index[frames.positions.index.duplicated()][0]} is there twice"]
    rows = rows_of(labels, frames.positions.index)
    lost = labels[rows < 0]
    if len(lost):
        return [f"nodes: {', '.join(map(str, lost[:5]))} of the links are not there"]
    used = frames.positions.iloc[rows]
    return [p for name in ("x", "y") for p in wrong_rows("nodes", used, name, ~np.isfinite(numbers(used, name)), _FAR)]


def _overlaps(frames: Frames, link: Array) -> list[str]:
    from twin.city.junctions import overlaps

    plan, windows = frames.signals, _windows(frames, link)
    said = [
        f"{name} ({start:g} to {start + green:g} s of {cycle:g} s, {clear:g} s to clear)"
        for name, cycle, start, green, clear in zip(
            plan["link"], windows.cycle, windows.start, windows.green, windows.clear, strict=True
        )
    ]
    return [
        f"signals row {plan.index[b]}: its green overlaps that of row {plan.index[a]}, though their movements conflict:"
        f" {said[b]} and {said[a]}"
        for a, b in overlaps(_junctions(frames), windows)
    ]


def permitted(frames: Frames) -> list[tuple[int, int, int]]:
    """Return link, next link and the link whose vehicles go first: turns across oncoming traffic that has green too."""
    from twin.city.junctions import permitted_turns
    from twin.models.traffic.frames import rows_of

    if frames.positions is None or not len(frames.signals):
        return []
    link = rows_of(frames.signals["link"], frames.links.index)
    return permitted_turns(_junctions(frames), _windows(frames, link))


def _junctions(frames: Frames) -> Junctions:
    from twin.city.junctions import Junctions, arms_of_nodes
    from twin.models.traffic.frames import rows_of

    nodes, links = frames.nodes(), frames.links
    position = None if frames.positions is None else frames.positions.loc[nodes, ["x", "y"]].to_numpy(float)
    begin, end = (rows_of(links[name], nodes) for name in ("from", "to"))
    turns = [rows_of(frames.banned_turns[name], links.index).tolist() for name in ("from_link", "to_link")]
    arms = None if position is None else arms_of_nodes(begin, end, position)
    return Junctions(begin, end, arms, frames.left, frozenset(zip(*turns, strict=True)))


def _windows(frames: Frames, link: Array) -> Windows:
    from twin.city.junctions import Windows

    start = _column(frames, "start") + _column(frames, "offset")
    clear = _column(frames, "amber") + _column(frames, "all_red")
    return Windows(link, _column(frames, "cycle"), start, _column(frames, "green"), clear, _exits(frames))


def _exits(frames: Frames) -> Array:
    """Return the link to which the pocket of each green leads, -1 where the green is that of an approach."""
    from twin.models.traffic.frames import rows_of

    plan = frames.signals
    return rows_of(plan["to_link"], frames.links.index) if "to_link" in plan else np.full(len(plan), -1)


def _column(frames: Frames, name: str) -> Array:
    """Return a column of the signals, 0 where it is left out."""
    from twin.models.traffic.inputs import numbers

    plan = frames.signals
    return numbers(plan, name) if name in plan else np.zeros(len(plan))


def signals(frames: Frames, roads: Roads) -> Signals:
    """Lay out fixed-time greens, those of pockets behind those of links.

    A link without a row is red where its node has a signal; a pocket without one has the green of its link.
    """
    from twin.kernels.traffic_arrays import FIXED
    from twin.kernels.traffic_layout import Signals
    from twin.models.traffic.frames import rows_of

    row = rows_of(frames.signals["link"], frames.links.index)
    control = np.zeros(roads.n_node, np.int8)
    control[np.asarray(roads.to_node)[row]] = FIXED
    windows, whole = _windows(frames, row), _exits(frames) < 0
    columns = {"cycle": np.full(len(frames.links), 60.0)}
    columns |= {name: np.zeros(len(frames.links)) for name in ("start", "length")}
    turns = [(int(link), int(after)) for link, after in np.asarray(roads.pockets).reshape(-1, 2)]
    own = [(green, turns.index((int(row[green]), int(windows.exit_[green])))) for green in np.flatnonzero(~whole)]
    for name, given in (("cycle", windows.cycle), ("start", windows.start), ("length", windows.green)):
        columns[name][row[whole]] = given[whole]
        columns[name] = np.append(columns[name], columns[name][[link for link, _ in turns]])
        for green, pocket in own:
            columns[name][len(frames.links) + pocket] = given[green]
    return Signals(control=control, **columns)
