"""Fixed-time signal plans from a data frame, checked and laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.kernels.traffic_layout import Roads, Signals
    from twin.models.traffic.conflicts import Junctions, Windows
    from twin.models.traffic.frames import Frames

Array = np.ndarray[Any, Any]

_OPTIONAL = ("offset", "amber", "all_red")


def wrong(frames: Frames) -> list[str]:
    """Name every wrong row of the signals, and every pair of greens that must not overlap."""
    from twin.models.traffic.frames import rows_of, wrong_rows

    plan = frames.signals
    link = rows_of(plan["link"], frames.links.index)
    problems = wrong_rows("signals", plan, "link", link < 0, "is no link")
    problems += wrong_rows("signals", plan, "link", plan["link"].duplicated().to_numpy(), "has a green already")
    for name in ("cycle", "green"):
        bad = ~(plan[name].to_numpy(float) > 0)
        problems += wrong_rows("signals", plan, name, bad, "must be greater than 0")
    for name in ("start", *_OPTIONAL):
        values = _column(frames, name)
        bad = ~np.isfinite(values) | ((values < 0) & (name in ("amber", "all_red")))
        if bad.any():
            problems += wrong_rows("signals", plan, name, bad, "must be a time, amber and all_red not below 0")
    lost = _column(frames, "amber") + _column(frames, "all_red")
    long = (lost > 0) & (plan["green"].to_numpy(float) + lost > plan["cycle"].to_numpy(float))
    problems += wrong_rows("signals", plan, "green", long, "is longer with amber and all_red than the cycle")
    return problems + _unplaced(frames) or _overlaps(frames, link)


def _unplaced(frames: Frames) -> list[str]:
    """Name nodes that the table of positions lacks."""
    from twin.models.traffic.frames import rows_of

    if frames.positions is None:
        return []
    missing = [name for name in ("x", "y") if name not in frames.positions]
    if missing:
        return [f"nodes: column {name} is missing" for name in missing]
    labels = frames.nodes()
    lost = labels[rows_of(labels, frames.positions.index) < 0]
    return [f"nodes: {', '.join(map(str, lost[:5]))} of the links are not there"] if len(lost) else []


def _overlaps(frames: Frames, link: Array) -> list[str]:
    from twin.models.traffic.conflicts import overlaps

    label = frames.signals.index
    return [
        f"signals row {label[b]}: its green overlaps that of row {label[a]}, though their movements conflict"
        for a, b in overlaps(_junctions(frames), _windows(frames, link))
    ]


def _junctions(frames: Frames) -> Junctions:
    from twin.models.traffic.conflicts import Junctions
    from twin.models.traffic.frames import rows_of

    nodes, links = frames.nodes(), frames.links
    position = None if frames.positions is None else frames.positions.loc[nodes, ["x", "y"]].to_numpy(float)
    turns = [rows_of(frames.banned_turns[end], links.index).tolist() for end in ("from_link", "to_link")]
    banned = frozenset(zip(*turns, strict=True))
    return Junctions(rows_of(links["from"], nodes), rows_of(links["to"], nodes), position, frames.left, banned)


def _windows(frames: Frames, link: Array) -> Windows:
    from twin.models.traffic.conflicts import Windows

    start = _column(frames, "start") + _column(frames, "offset")
    clear = _column(frames, "amber") + _column(frames, "all_red")
    return Windows(link, _column(frames, "cycle"), start, _column(frames, "green"), clear)


def _column(frames: Frames, name: str) -> Array:
    """Return a column of the signals, 0 where it is left out."""
    plan = frames.signals
    return plan[name].to_numpy(float) if name in plan else np.zeros(len(plan))


def signals(frames: Frames, roads: Roads) -> Signals:
    """Lay out fixed-time greens; a link without a row is red where its node has a signal."""
    from twin.kernels.traffic_arrays import FIXED
    from twin.kernels.traffic_layout import Signals
    from twin.models.traffic.frames import rows_of

    row = rows_of(frames.signals["link"], frames.links.index)
    control = np.zeros(roads.n_node, np.int8)
    control[np.asarray(roads.to_node)[row]] = FIXED
    windows = _windows(frames, row)
    columns = {"cycle": np.full(len(frames.links), 60.0)}
    columns |= {name: np.zeros(len(frames.links)) for name in ("start", "length")}
    for name, given in (("cycle", windows.cycle), ("start", windows.start), ("length", windows.green)):
        columns[name][row] = given
    return Signals(control=control, **columns)
