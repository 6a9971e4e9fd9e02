"""Solve the power flow of a city's grid as a function of its inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]


class GridSolver:
    """Balanced power flow by power-grid-model, with no memory of earlier calls.

    Every call rewrites all statuses and loads as one batch update of the
    unchanged model, so equal inputs give equal bits whatever was solved before.
    Copies and pickles rebuild the model from the tables.

    Taps stand at nominal and windings are star-star without phase shift, which
    leaves voltage magnitudes of balanced flow as they are (assumption). Lines
    have no dielectric loss.
    """

    def __init__(self, city: City) -> None:
        tables = ("buses", "lines", "transformers", "sources")
        self._tables = {name: dict(city[name]) for name in tables if name in city}
        self._build()

    def __getstate__(self) -> dict[str, Any]:
        return {"_tables": self._tables}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._tables = state["_tables"]
        self._build()

    def _build(self) -> None:
        from power_grid_model import ComponentType, PowerGridModel

        buses = len(self._tables["buses"]["u_rated"])
        parts: dict[Any, Array] = {ComponentType.node: self._part("node", 0, buses)}
        parts[ComponentType.node]["u_rated"] = self._tables["buses"]["u_rated"]
        first = buses
        for name, fill in (("line", self._lines), ("transformer", self._transformers), ("source", self._sources)):
            rows = len(self._tables.get(f"{name}s", {}).get("id", ()))
            if rows:
                parts[ComponentType[name]] = self._part(name, first, rows)
                fill(parts[ComponentType[name]], self._tables[f"{name}s"])
                first += rows
        loads = self._part("sym_load", first, buses)
        loads["node"] = np.arange(buses)
        loads["status"] = 1
        loads["type"] = 0
        loads["p_specified"] = loads["q_specified"] = 0.0
        parts[ComponentType.sym_load] = loads
        self._ids = {part.name: array["id"].copy() for part, array in parts.items()}
        self._grid = PowerGridModel(parts)

    @staticmethod
    def _part(name: str, first: int, rows: int) -> Array:
        from power_grid_model import ComponentType, DatasetType, initialize_array

        array: Array = initialize_array(DatasetType.input, ComponentType[name], rows)
        array["id"] = np.arange(first, first + rows)
        return array

    @staticmethod
    def _lines(part: Array, table: dict[str, Array]) -> None:
        part["from_node"], part["to_node"] = table["from_bus"], table["to_bus"]
        part["from_status"] = part["to_status"] = 1
        part["r1"], part["x1"], part["c1"] = table["r"], table["x"], table["c"]
        part["tan1"] = 0.0
        part["i_n"] = table["i_n"]

    @staticmethod
    def _transformers(part: Array, table: dict[str, Array]) -> None:
        part["from_node"], part["to_node"] = table["from_bus"], table["to_bus"]
        part["from_status"] = part["to_status"] = 1
        for ours, theirs in (("u1", "u1"), ("u2", "u2"), ("s_n", "sn"), ("uk", "uk"), ("pk", "pk"), ("i0", "i0")):
            part[theirs] = table[ours]
        part["p0"] = table["p0"]
        part["winding_from"] = part["winding_to"] = 1
        part["clock"] = 0
        part["tap_side"] = 0
        part["tap_pos"] = part["tap_min"] = part["tap_max"] = part["tap_nom"] = 0
        part["tap_size"] = 0.0

    @staticmethod
    def _sources(part: Array, table: dict[str, Array]) -> None:
        part["node"], part["status"] = table["bus"], 1
        part["u_ref"], part["sk"] = table["u_ref"], table["sk"]

    def solve(self, fed: Array, edge_works: Array, active: Array, reactive: Array) -> tuple[Array, Array] | None:
        """Return bus voltages and line loadings, None where no solution was found.

        fed         (n_bus,)          bus is connected to a source
        edge_works  (n_line + n_transformer,)  closed, not failed, fed at both ends
        active      (n_bus,)  W       load of each bus; ignored where not fed
        reactive    (n_bus,)  var
        result      voltage (n_bus,) pu, 0 where not fed; loading (n_line,) share of rated current

        Source: Newton-Raphson to 1e-8 pu from a flat start, power-grid-model 1.12.
        """
        from power_grid_model import ComponentType, errors

        wanted: dict[Any, list[str] | None] = {ComponentType.node: ["u_pu"], ComponentType.line: ["loading"]}
        update = self._update(fed, edge_works, active, reactive)
        try:
            result = self._grid.calculate_power_flow(
                update_data=update,
                threading=-1,
                output_component_types={part: columns for part, columns in wanted.items() if part.name in self._ids},
            )
        except errors.PowerGridError:  # type: ignore[attr-defined]
            return None
        voltage = np.where(fed, result[ComponentType.node]["u_pu"][0], 0.0)
        if not np.isfinite(voltage).all():
            return None
        loading = result[ComponentType.line]["loading"][0] if "line" in self._ids else np.zeros(0)
        return voltage, np.nan_to_num(loading)

    def _update(self, fed: Array, edge_works: Array, active: Array, reactive: Array) -> dict[Any, Array]:
        """Return a batch of one that rewrites everything that can change."""
        from power_grid_model import ComponentType, DatasetType, initialize_array

        update: dict[Any, Array] = {}
        done = 0
        for name in ("line", "transformer"):
            if name in self._ids:
                rows = len(self._ids[name])
                part = initialize_array(DatasetType.update, ComponentType[name], (1, rows))
                part["id"] = self._ids[name]
                part["from_status"] = part["to_status"] = edge_works[done : done + rows]
                update[ComponentType[name]] = part
                done += rows
        loads = initialize_array(DatasetType.update, ComponentType.sym_load, (1, len(fed)))
        loads["id"] = self._ids["sym_load"]
        loads["status"] = fed
        loads["p_specified"] = np.where(fed, active, 0.0)
        loads["q_specified"] = np.where(fed, reactive, 0.0)
        update[ComponentType.sym_load] = loads
        if "source" in self._ids:
            source = initialize_array(DatasetType.update, ComponentType.source, (1, len(self._ids["source"])))
            source["id"] = self._ids["source"]
            source["status"] = fed[self._tables["sources"]["bus"]]
            update[ComponentType.source] = source
        return update
