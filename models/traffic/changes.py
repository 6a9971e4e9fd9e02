"""Capacity, speed, lanes and closures that change while a simulation runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from twin.kernels.traffic_layout import Traffic
    from twin.models.traffic.frames import Frames
    from twin.models.traffic.guidance import Guide
    from twin.models.traffic.trails import Drivers
    from twin.models.traffic.turns import Ways

Array = np.ndarray[Any, Any]

COLUMNS = ("capacity", "speed", "lanes", "open")
_SECOND = 1_000_000


@dataclass
class Changes:
    """What changes when, and how the streets are at present.

    time     (n_change,)  us, rising
    link     (n_change,)
    wanted   column -> (n_change,)  nan: stays as it is
    present  column -> (n_link,)  of COLUMNS, and length, jam_density and reaction_time
    usual    (n_link,)  s, times at the start, by which habitual drivers choose their ways
    ways     streets and banned turns
    goals    (n_destination,)  nodes
    pockets  (n_pocket,)  link each belongs to, whose headway it has
    """

    time: Array
    link: Array
    wanted: dict[str, Array]
    present: dict[str, Array]
    usual: Array
    ways: Ways
    goals: Array
    pockets: Array

    def next(self, now: int) -> int | None:
        """Return the time (us) of the first change after an instant, None: there is none."""
        later = np.searchsorted(self.time, now, side="right")
        return int(self.time[later]) if later < len(self.time) else None

    def apply(self, drivers: Drivers, guide: Guide | None, now: int) -> None:
        """Make the changes of an instant; a link closed or opened gives every driver a new way."""
        from twin.kernels.traffic import touch

        rows = np.flatnonzero(self.time == now)
        if not rows.size:
            return
        for name, values in self.wanted.items():
            for row in rows[~np.isnan(values[rows])].tolist():
                self.present[name][self.link[row]] = values[row]
        traffic, touched = drivers.traffic, np.unique(self.link[rows])
        self._write(traffic, touched)
        shut = self.present["open"] == 0
        if guide is not None:
            guide.shut = shut
            guide.free[touched] = (self.present["length"] / self.present["speed"])[touched]
        if (shut != traffic.settings.closed[: len(shut)]).any():
            self._lead(drivers, guide, shut)
        touch(*drivers.traffic)

    def _write(self, traffic: Traffic, links: Array) -> None:
        """Give the kernel the headway, storage and free-flow time of some links."""
        from twin.kernels.traffic import set_free_flow
        from twin.kernels.traffic_layout import MINIMUM_TIME

        now = {name: values[links] for name, values in self.present.items()}
        headway = traffic.settings.headway.copy()
        headway[links], traffic.settings.storage[links] = room_of(now)
        headway[len(self.present["open"]) :] = headway[self.pockets]
        set_headways(traffic, headway)
        free = _ticks(now["length"] / now["speed"], MINIMUM_TIME)
        for link, value in zip(links.tolist(), free.tolist(), strict=True):
            if value != traffic.settings.free_flow[link]:
                set_free_flow(traffic.network, traffic.settings, traffic.state, link, value)

    def _lead(self, drivers: Drivers, guide: Guide | None, shut: Array) -> None:
        """Lead everybody around closed links by the times he knows; who has no way left waits before them."""
        from twin.models.traffic.turns import next_hops

        settings = drivers.traffic.settings
        hops = next_hops(self.ways, np.where(shut, np.inf, self.usual), self.goals)
        habitual = where_there_is_a_way(hops, settings.habitual)
        informed = habitual if guide is None else where_there_is_a_way(guide.hops(), settings.informed)
        drivers.lead(habitual, informed, np.append(shut, np.zeros(len(self.pockets), bool)))


def room_of(links: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return headway (us) and storage (1/1000 PCU) of links by their columns; without `reaction_time` it is 1 s."""
    density, speed = links["jam_density"], links["speed"]
    wave = 1 / (density * links.get("reaction_time", 1.0))
    flow = links["lanes"] * speed * wave * density / (speed + wave)
    storage = np.rint(links["length"] * links["lanes"] * density * 1000).astype(np.int64)
    return _ticks(1 / np.minimum(flow, links["capacity"]), 1), np.maximum(storage, 1)


def where_there_is_a_way(hops: Array, before: Array) -> Array:
    """Return next links, those of before where there are none now: they lead to a closed link, and wait."""
    return np.asarray(np.where(hops < 0, before, hops))


def set_headways(traffic: Traffic, headway: Array) -> None:
    """Change the headways (n_link,) of links, us; what is left of a gap shrinks or grows with them.

    A gap is over once one vehicle could have passed, whatever the capacity was
    meanwhile: a cut to next to nothing holds up as long as it lasts, as if the
    link had been closed. Call `touch` afterwards.
    """
    from twin.kernels.traffic_arrays import ENTRIES, EXITS, NEXT_IN, NEXT_OUT, NOW, OUT_SLOT, ROW_TIME, SHIFTED

    settings, state = traffic.settings, traffic.state
    now, changed = state.clock[NOW], np.flatnonzero(settings.headway != headway)
    scale = headway[changed] / settings.headway[changed]
    settings.headway[changed] = headway[changed]
    for column in (NEXT_IN, NEXT_OUT):
        left = np.maximum(state.link[changed, column] - now, 0)
        scaled = now + np.maximum((left * scale).astype(np.int64), 1)
        state.link[changed, column] = np.where(left > 0, scaled, state.link[changed, column])
    there = changed[state.link[changed, ENTRIES] > state.link[changed, EXITS]]
    slot = state.link[there, OUT_SLOT]
    shifted = state.link[there, EXITS] < state.link[there, SHIFTED]
    ready = np.where(shifted, state.ring_ready[slot], state.ring[slot, ROW_TIME] + settings.free_flow[there])
    state.head_ready[there] = np.maximum(ready, state.link[there, NEXT_OUT])


def _ticks(seconds: Array, least: int) -> Array:
    return np.asarray(np.maximum(np.rint(np.minimum(seconds, 1e9) * _SECOND).astype(np.int64), least))


def lay_out_changes(frames: Frames, present: dict[str, Array], ways: Ways, goals: Array) -> Changes:
    """Sort the changes that a frame lists by time, those of one time as they stand.

    present  (n_link,) length, speed, lanes, capacity, jam_density and reaction_time at the start
    """
    from twin.models.traffic import pockets
    from twin.models.traffic.frames import rows_of

    table = frames.changes
    time = np.rint(table["time"].to_numpy(float) * _SECOND).astype(np.int64)
    order = np.argsort(time, kind="stable")
    wanted = {name: table[name].to_numpy(float)[order] for name in COLUMNS if name in table}
    now = {name: np.array(np.broadcast_to(values, len(frames.links)), float) for name, values in present.items()}
    now["open"] = np.ones(len(frames.links))
    usual = now["length"] / now["speed"]
    link = rows_of(table["link"], frames.links.index)[order]
    return Changes(time[order], link, wanted, now, usual, ways, goals, pockets.movements(frames)[:, 0])


def wrong(frames: Frames) -> list[str]:
    """Name every wrong row of the changes."""
    from twin.models.traffic.frames import rows_of, wrong_rows, wrong_times
    from twin.models.traffic.inputs import numbers

    table = frames.changes
    problems = wrong_times("changes", table, "time")
    link = rows_of(table["link"], frames.links.index)
    problems += wrong_rows("changes", table, "link", link < 0, "is no link")
    if not any(name in table for name in COLUMNS):
        problems.append(f"changes: none of the columns {', '.join(COLUMNS)} is there")
    for name in ("capacity", "speed", "lanes"):
        if name in table:
            value = numbers(table, name)
            bad = (value <= 0) | (np.isinf(value) & (name != "capacity")) | (np.isnan(value) & table[name].notna())
            problems += wrong_rows("changes", table, name, bad, "must be greater than 0; to close a link: open")
    if "open" in table:
        bad = ~np.isin(numbers(table, "open"), (0, 1)) & table["open"].notna().to_numpy()
        problems += wrong_rows("changes", table, "open", bad, "must be True or False")
    return problems + _too_many_lanes(frames.links, table, link)


def _too_many_lanes(links: pd.DataFrame, table: pd.DataFrame, link: Array) -> list[str]:
    """Name changes to more lanes than a link was built with."""
    from twin.models.traffic.frames import wrong_rows
    from twin.models.traffic.inputs import numbers

    if "lanes" not in table:
        return []
    built = numbers(links, "lanes") if "lanes" in links else np.ones(len(links))
    more = numbers(table, "lanes") > np.append(built, np.inf)[link]
    return wrong_rows("changes", table, "lanes", more, "is more than the link has at the start")
