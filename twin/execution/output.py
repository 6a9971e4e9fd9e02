"""Write what a finished run leaves: Parquet tables first, the manifest last."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from twin.contract import Kpi, Model
from twin.durable import write_whole
from twin.errors import ContractError

if TYPE_CHECKING:
    from twin.scenario import Case
    from twin.world import World

Array = np.ndarray[Any, Any]
Columns = Mapping[str, Any]

_TABLE_NAME = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)?")
_QUARTER = 900_000_000


def write_results(world: World, case: Case, folder: Path) -> dict[str, float]:
    """Write all tables of a finished run; return its figures.

    Nothing here depends on the machine or the hour: equal runs write equal bytes.
    """
    figures = world.kpis()
    write_table(folder / "kpis.parquet", kpi_columns(world, case, figures))
    start, zone = world.assembly.setup.start, world.assembly.city.timezone
    events = world.events.arrays()
    write_table(folder / "events" / "events.parquet", with_clock(event_columns(world, events), start, zone))
    write_table(folder / "events" / "parents.parquet", world.parents.arrays())
    write_table(folder / "events" / "kinds.parquet", kind_columns(world, events["kind"]))
    write_table(folder / "series.parquet", with_clock(world.series.arrays(), start, zone))
    for name, columns in domain_tables(world).items():
        place = name if "/" in name else f"{name}/{name}"
        write_table(folder / f"{place}.parquet", with_clock(columns, start, zone))
    return figures


def kpi_columns(world: World, case: Case, figures: Mapping[str, float]) -> dict[str, Any]:
    """Return one row per declared figure; one that a model did not give is nan.

    Raises ContractError for a figure that no model of the run declares.
    """
    declared = declared_kpis(world)
    unknown = sorted(figures.keys() - declared.keys())
    if unknown:
        raise ContractError(f"kpis() gave {unknown[0]!r}, which no model declares in kpi_list")
    rows = list(declared.values())
    count = len(rows)
    return {
        "suite": np.array([case.suite] * count, dtype=str),
        "arm": np.array([case.arm] * count, dtype=str),
        "replication": np.full(count, case.replication, dtype=np.int64),
        "seed": np.full(count, case.seed, dtype=np.int64),
        "kpi": np.array([kpi.name for kpi in rows], dtype=str),
        "value": np.array([figures.get(kpi.name, np.nan) for kpi in rows], dtype=np.float64),
        "unit": np.array([kpi.unit for kpi in rows], dtype=str),
        "direction": np.array([kpi.direction for kpi in rows], dtype=str),
        "margin": np.array([kpi.margin for kpi in rows], dtype=np.float64),
        "meaning": np.array([kpi.meaning for kpi in rows], dtype=str),
    }


def declared_kpis(world: World) -> dict[str, Kpi]:
    """Return every figure the models of a run declare, by name, in solving order."""
    models = [c for c in world.assembly.components if isinstance(c, Model)]
    return {kpi.name: kpi for model in models for kpi in model.kpi_list}


def event_columns(world: World, events: Columns) -> dict[str, Any]:
    """Return the event log with ids and, where the kind of an event or order names a city table, the target's id."""
    kinds, target = events["kind"], events["target"]
    names = np.full(len(target), "", dtype=object)
    city = world.assembly.city
    for kind in np.unique(kinds).tolist():
        declared = world.assembly.logged_kinds.get(str(kind).removeprefix("order."))
        tables = declared.target.split("|") if declared else []
        for number, table in enumerate(tables):
            if table in city.tables and "id" in city[table]:
                ids = city[table]["id"]
                about = (kinds == kind) & (target >= 0) & (target < len(ids))
                rows = np.flatnonzero(about & (events["data"] == number) if len(tables) > 1 else about)
                names[rows] = ids[target[rows]]
    return {"id": np.arange(len(target)), **events, "target_id": names.astype(str)}


def kind_columns(world: World, logged: Array) -> dict[str, Any]:
    """Return what the kinds of logged events say: what their target and their value are.

    logged  kind of each event of the log; an order names the kind of event it asks for
    """
    names = sorted({str(name).removeprefix("order.") for name in np.unique(logged)})
    declared = world.assembly.logged_kinds
    kinds = [declared[name] for name in names if name in declared]
    words = {
        "kind": [kind.name for kind in kinds],
        "meaning": [kind.meaning for kind in kinds],
        "target": [kind.target for kind in kinds],
        "unit": [kind.unit for kind in kinds],
        "row": [kind.row for kind in kinds],
    }
    return {
        **{name: np.array(column, dtype=str) for name, column in words.items()},
        "scenario": np.array([kind.scenario for kind in kinds], dtype=bool),
    }


def domain_tables(world: World) -> dict[str, Columns]:
    """Return the final tables of all models by `folder/name`, checked.

    Raises ContractError when two models write one table, or columns differ in length.
    """
    found: dict[str, Columns] = {}
    for component in world.assembly.components:
        if not isinstance(component, Model):
            continue
        for name, columns in component.tables(world.view(component.name)).items():
            if not _TABLE_NAME.fullmatch(name):
                raise ContractError(f"{component.name} names a table {name!r}; write folder/name in a-z, 0-9, _")
            if name in found:
                raise ContractError(f"two models write the table {name!r}")
            if len({len(values) for values in columns.values()}) > 1:
                raise ContractError(f"{component.name} gives table {name!r} columns of different lengths")
            found[name] = columns
    return found


def with_clock(columns: Columns, start: int, zone: str) -> dict[str, Any]:
    """Put UTC and local columns after each int64 column of us since the start.

    Columns are `time` (utc, local) or end in `_time` (x_utc, x_local); negative means never.
    """
    out: dict[str, Any] = {}
    for name, values in columns.items():
        out[name] = values
        is_time = name == "time" or name.endswith("_time")
        if is_time and np.asarray(values).dtype == np.int64:
            prefix = name.removesuffix("time")
            utc, local = clock(np.asarray(values), start, zone)
            out[f"{prefix}utc"], out[f"{prefix}local"] = utc, local
    return out


def clock(times: Array, start: int, zone: str) -> tuple[Any, Any]:
    """Return times as UTC instants and as local wall-clock times, null where negative.

    Offsets are looked up per quarter of an hour, the finest step at which any zone changes.
    """
    import pyarrow

    never = times < 0
    instants = np.where(never, 0, times + start)
    quarters, inverse = np.unique(instants // _QUARTER, return_inverse=True)
    offsets = np.array([_offset(int(q) * _QUARTER, zone) for q in quarters], dtype=np.int64)
    local = instants + (offsets[inverse] if len(quarters) else 0)
    utc_type, local_type = pyarrow.timestamp("us", "UTC"), pyarrow.timestamp("us")
    return (
        pyarrow.array(instants, type=pyarrow.int64(), mask=never).cast(utc_type),
        pyarrow.array(local, type=pyarrow.int64(), mask=never).cast(local_type),
    )


def _offset(instant: int, zone: str) -> int:
    seconds = datetime.fromtimestamp(instant / 1e6, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return 0 if seconds is None else round(seconds.total_seconds() * 1e6)


def write_table(target: Path, columns: Columns) -> None:
    """Write columns as a zstd Parquet file, whole or not at all; not yet synced."""
    import pyarrow
    import pyarrow.parquet

    arrays = {name: _arrow(values) for name, values in columns.items()}
    table = pyarrow.table(arrays)
    write_whole(target, lambda file: pyarrow.parquet.write_table(table, file, compression="zstd"), sync=False)


def _arrow(values: Any) -> Any:
    import pyarrow

    if isinstance(values, pyarrow.Array):
        return values
    array = np.asarray(values)
    if array.dtype.kind in "UO":
        return pyarrow.array(array.astype(object), type=pyarrow.string())
    if array.ndim > 1:
        return pyarrow.array(array.tolist())
    return pyarrow.array(np.ascontiguousarray(array))


def write_json(target: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as readable JSON, whole or not at all."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    write_whole(target, lambda file: file.write(text.encode()))
