"""Solve rings and several sources on one island by power-grid-model."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.models.power.held import LEAST_IMPEDANCE
from twin.models.power.network import BASE, Network

Array = np.ndarray[Any, Any]

_PARTS = ("node", "generic_branch", "source", "shunt", "sym_load")
_TOLERANCE = 1e-10


class GeneralSolver:
    """Balanced power flow of any grid, with no memory of earlier calls.

    Every call rewrites all statuses and loads as a batch update of the unchanged
    model, so equal inputs give equal bits whatever was solved before. Copies and
    pickles rebuild the model. An edge without impedance gets 1e-8 pu. Held voltages are not
    held here: see `twin.models.power.held`.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._types = _load_types(network)
        self._build()

    def __getstate__(self) -> dict[str, Any]:
        return {"_network": self._network, "_types": self._types}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._build()

    def _build(self) -> None:
        from power_grid_model import PowerGridModel

        network = self._network
        loads = network.buses * len(self._types)
        shunt_bus = np.flatnonzero(network.bus_shunt)
        counts = (network.buses, network.edges, len(network.source_bus), len(shunt_bus), loads)
        starts = np.cumsum((0, *counts[:-1])).tolist()
        parts = {name: _part(name, first, rows) for name, first, rows in zip(_PARTS, starts, counts, strict=True)}
        parts["node"]["u_rated"] = network.rated
        _fill_edges(parts["generic_branch"], network)
        _fill_sources(parts["source"], network)
        admittance = network.bus_shunt[shunt_bus] * BASE / network.rated[shunt_bus] ** 2
        _fill(parts["shunt"], node=shunt_bus, status=1, g1=admittance.real, b1=admittance.imag)
        kinds = np.repeat([kind for kind, _ in self._types], network.buses)
        buses = np.tile(np.arange(network.buses), len(self._types))
        _fill(parts["sym_load"], node=buses, status=1, type=kinds, p_specified=0.0, q_specified=0.0)
        self._ids = {name: part["id"].copy() for name, part in parts.items() if len(part)}
        self._model = PowerGridModel({name: parts[name] for name in self._ids})

    def solve(self, fed: Array, edge_works: Array, active: Array, reactive: Array) -> tuple[Array, Array] | None:
        """Return bus voltages and edge currents, None where no solution was found.

        fed         (n_bus,)   connected to a source
        edge_works  (n_edge,)  closed, not failed, fed at both ends
        active, reactive  (n_bus,)  W, var  load, ignored where not fed
        result      voltage (n_bus,) pu, 0 where not fed; currents (n_edge, 2) pu at from- and to-side

        Source: Newton-Raphson from a flat start, power-grid-model 1.12.
        """
        from power_grid_model import errors

        update = self._update(fed, edge_works, active, reactive)
        wanted: dict[Any, Any] = {"node": ["u_pu"], "generic_branch": ["i_from", "i_to"]}
        try:
            result: Any = self._model.calculate_power_flow(
                update_data=update,
                threading=-1,
                error_tolerance=_TOLERANCE,
                output_component_types={name: columns for name, columns in wanted.items() if name in self._ids},
            )
        except errors.PowerGridError:  # type: ignore[attr-defined]
            return None
        network = self._network
        currents = np.zeros((network.edges, 2))
        if network.edges:
            for side, bus, name in ((0, network.from_bus, "i_from"), (1, network.to_bus, "i_to")):
                ampere = np.nan_to_num(result["generic_branch"][name][0])
                currents[:, side] = ampere * np.sqrt(3) * network.rated[bus] / BASE
        voltage = np.where(fed, result["node"]["u_pu"][0], 0.0)
        return (voltage, currents) if np.isfinite(voltage).all() else None

    def _update(self, fed: Array, edge_works: Array, active: Array, reactive: Array) -> dict[Any, Array]:
        """Return a batch of one that rewrites everything that can change."""
        from power_grid_model import ComponentType, DatasetType, initialize_array

        update: dict[Any, Array] = {}
        for name in ("generic_branch", "source", "sym_load"):
            if name in self._ids:
                part = initialize_array(DatasetType.update, ComponentType[name], (1, len(self._ids[name])))
                part["id"] = self._ids[name]
                update[name] = part
        if "generic_branch" in update:
            update["generic_branch"]["from_status"] = update["generic_branch"]["to_status"] = edge_works
        if "source" in update:
            update["source"]["status"] = fed[self._network.source_bus]
        for k, (_, share) in enumerate(self._types):
            part = update["sym_load"][:, k * len(fed) : (k + 1) * len(fed)]
            part["status"] = fed
            part["p_specified"] = np.where(fed, share * active, 0.0)
            part["q_specified"] = np.where(fed, share * reactive, 0.0)
        return update


def _load_types(network: Network) -> list[tuple[int, Array]]:
    """Return the kinds of load that occur, by power-grid-model's numbers, with the share of each bus."""
    steady, resistive = network.current_share, network.impedance_share
    kinds = [(0, 1.0 - steady - resistive)]
    kinds += [(number, share) for number, share in ((1, resistive), (2, steady)) if share.any()]
    return kinds


def _part(name: str, first: int, rows: int) -> Array:
    from power_grid_model import ComponentType, DatasetType, initialize_array

    array: Array = initialize_array(DatasetType.input, ComponentType[name], rows)
    array["id"] = np.arange(first, first + rows)
    return array


def _fill(part: Array, **columns: Any) -> None:
    for name, values in columns.items():
        part[name] = values


def _fill_edges(part: Array, network: Network) -> None:
    """Write lines and transformers as branches on the rated voltage of their to-side."""
    base = network.rated[network.to_bus] ** 2 / BASE
    tiny = np.abs(network.impedance) < LEAST_IMPEDANCE
    impedance = np.where(tiny, LEAST_IMPEDANCE * 1j, network.impedance) * base
    shunt = network.shunt / base
    _fill(part, from_node=network.from_bus, to_node=network.to_bus, from_status=1, to_status=1)
    _fill(part, r1=impedance.real, x1=impedance.imag, g1=shunt.real, b1=shunt.imag)
    _fill(part, k=network.ratio, theta=0.0, sn=BASE)


def _fill_sources(part: Array, network: Network) -> None:
    size = np.maximum(np.abs(network.source_impedance), 1e-14)
    ratio = network.source_impedance.real / np.maximum(network.source_impedance.imag, 1e-14)
    _fill(part, node=network.source_bus, status=1, u_ref=network.source_voltage, sk=BASE / size, rx_ratio=ratio)
