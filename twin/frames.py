"""Show a world as data frames and text, for people at a notebook; a run never uses this."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.assembly import plural
from twin.errors import DataError

if TYPE_CHECKING:
    from twin.world import World


def table_frame(world: World, table: str) -> Any:
    """Return a state table as a data frame: one row per row, one column per scalar field.

    Rows of a city table carry its id and name; a group is the total of its contributors; rows
    of a table that grows are those alive. `attrs["units"]` maps columns to units.
    Raises DataError for a table the run lacks.
    """
    import pandas

    state, city = world.state, world.assembly.city
    fields = {name: field for name, field in state.layout.columns.items() if field.table == table and not field.width}
    names = [name for name in fields if "@" not in name]
    groups = [name for name in world.assembly.group_arrays if name.partition(".")[0] == table]
    if not (names or groups):
        near = difflib.get_close_matches(table, state.layout.rows, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(state.layout.rows))}"
        raise DataError(f"no table {table!r} in this run; {hint}")
    columns = {name.partition(".")[2]: state[name] for name in names}
    for name in groups:
        columns[name.partition(".")[2]] = np.sum([state[part] for part in world.assembly.group_arrays[name]], axis=0)
    frame = pandas.DataFrame(columns, index=range(state.layout.rows[table]))
    rows = plural(table.removeprefix("observed_"))
    for place, label in enumerate(("id", "name")):
        if rows in city and label in city[rows]:
            frame.insert(min(place, frame.shape[1]), label, city[rows][label])
    if "alive" in frame:
        frame = frame[frame["alive"]]
    units = {**{n: fields[n].unit for n in names}, **{n: world.assembly.fields[n].unit for n in groups}}
    frame.attrs["units"] = {name.partition(".")[2]: unit for name, unit in units.items()}
    return frame


def series_frame(world: World) -> Any:
    """Return what has been measured so far: one column per series, local time as index."""
    frame = _clocked(world, world.series.arrays())
    return frame.pivot(index="local", columns="name", values="value").rename_axis(columns=None)


def events_frame(world: World) -> Any:
    """Return the event log so far, ids as index, with UTC and local times and the ids of targets."""
    from twin.execution.output import event_columns

    return _clocked(world, event_columns(world, world.events.arrays())).set_index("id")


def why(world: World, event: int | str) -> str:
    """Return the chain of causes behind an event as text.

    event  its id, or a kind: then the one with the richest line of causes, as `twin why` takes it
    """
    from twin.chain import Words, explain
    from twin.contract import kinds_planned
    from twin.units import format_local
    from twin.why import Causes

    causes = Causes(world.events.arrays(), world.parents.arrays())
    kinds = world.assembly.logged_kinds
    planned = kinds_planned(kinds)
    number = causes.richest(event, planned) if isinstance(event, str) else int(event)
    city, start = world.assembly.city, world.assembly.setup.start
    words = Words(city, lambda time: format_local(start + time, city.timezone), kinds)
    return explain(causes, number, words)


def _clocked(world: World, columns: Any) -> Any:
    """Return columns as a data frame, with clock times beside the microseconds of the run."""
    import pyarrow

    from twin.execution.output import with_clock

    timed = with_clock(columns, world.assembly.setup.start, world.assembly.city.timezone)
    return pyarrow.table(dict(timed)).to_pandas()
