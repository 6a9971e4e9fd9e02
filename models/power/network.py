"""Describe a grid to the power flow: buses, branches and sources in per-unit arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City
    from twin.kernels.feeder import Parts

Array = np.ndarray[Any, Any]

BASE = 1e6
"""Power that counts as 1 pu, VA; voltages are per unit of each bus's rated voltage."""

SOURCE_ANGLE = 0.1
"""Resistance over reactance of a source; IEC 60909-0 (2016), clause 6.2, where it is not known."""


@dataclass(frozen=True)
class Network:
    """A grid with every part in service, edges being lines, then transformers.

    rated             (n_bus,)   V
    from_bus, to_bus  (n_edge,)
    impedance         (n_edge,)  pu  complex, in series, on the rated voltage of the to-side
    shunt             (n_edge,)  pu  complex admittance of the pi, half of it at each end
    ratio             (n_edge,)  voltage of the from-side over that of the to-side without load, in pu
    rating            (n_edge, 2)  pu  rated current at from-side and to-side; inf for none
    bus_shunt         (n_bus,)   pu  complex admittance to ground
    current_share, impedance_share  (n_bus,)  parts of a load that keep their current, or impedance
    source_bus        (n_source,)
    source_voltage    (n_source,)  pu  behind its impedance
    source_impedance  (n_source,)  pu  complex
    held_bus, held_voltage  (n_held,)  pu  buses whose generator holds the voltage
    held_low, held_high     (n_held,)  pu  reactive power that such a generator may give
    """

    rated: Array
    from_bus: Array
    to_bus: Array
    impedance: Array
    shunt: Array
    ratio: Array
    rating: Array
    bus_shunt: Array
    current_share: Array
    impedance_share: Array
    source_bus: Array
    source_voltage: Array
    source_impedance: Array
    held_bus: Array
    held_voltage: Array
    held_low: Array
    held_high: Array

    @property
    def buses(self) -> int:
        """Return the number of buses."""
        return len(self.rated)

    @property
    def edges(self) -> int:
        """Return the number of lines and transformers."""
        return len(self.from_bus)

    @cached_property
    def parts(self) -> Parts:
        """Return what trees are planted from."""
        from twin.kernels.feeder import Parts

        return Parts(*(np.ascontiguousarray(getattr(self, name)) for name in Parts._fields))


def network_of(city: City) -> Network:
    """Return the grid of a city's tables.

    Tables buses, lines, transformers and sources as in `twin.city.schema`; taps stand at nominal and
    phase shifts do not matter to balanced flow. Columns that a city may add: buses.current_share,
    buses.impedance_share (load that keeps its current or impedance), buses.g and buses.b (S, shunt);
    transformers.tap (from-side voltage over nominal); the table `machines` of generators that hold
    a voltage: bus, u (pu), and optional q_min, q_max (var).
    """
    buses = city["buses"]
    rated = buses["u_rated"].astype(np.float64)
    lines = _lines(city["lines"], rated) if city.rows("lines") else _no_edges()
    windings = _transformers(city["transformers"], rated) if city.rows("transformers") else _no_edges()
    edges = {name: np.concatenate([lines[name], windings[name]]) for name in lines}
    zero = np.zeros(len(rated))
    admittance = (_column(buses, "g", zero) + 1j * _column(buses, "b", zero)) * rated**2 / BASE
    return Network(
        rated=rated,
        **edges,
        bus_shunt=admittance,
        current_share=_column(buses, "current_share", zero),
        impedance_share=_column(buses, "impedance_share", zero),
        **_sources(city["sources"] if city.rows("sources") else None),
        **_machines(city["machines"] if city.rows("machines") else None),
    )


def _column(table: Mapping[str, Array], name: str, otherwise: Array) -> Array:
    """Return a column as floats, or what stands for it where a city lacks it."""
    return np.asarray(dict(table).get(name, otherwise), dtype=np.float64)


def _machines(table: Mapping[str, Array] | None) -> dict[str, Array]:
    """Return held voltages by bus; the machines at one hold the voltage of the first and add up their limits."""
    table = {"bus": np.zeros(0, np.int64), "u": np.zeros(0)} if table is None else table
    bus, first, group = np.unique(table["bus"].astype(np.int64), return_index=True, return_inverse=True)
    none = np.full(len(group), np.inf)
    low, high = (
        np.bincount(group, _column(table, name, otherwise), len(bus)) if len(bus) else np.zeros(0)
        for name, otherwise in (("q_min", -none), ("q_max", none))
    )
    return {
        "held_bus": bus,
        "held_voltage": table["u"].astype(np.float64)[first],
        "held_low": low / BASE,
        "held_high": high / BASE,
    }


def _no_edges() -> dict[str, Array]:
    none = np.zeros(0)
    pairs = {"from_bus": none.astype(np.int64), "to_bus": none.astype(np.int64)}
    return {**pairs, "impedance": none * 1j, "shunt": none * 1j, "ratio": none, "rating": np.zeros((0, 2))}


def _lines(table: Mapping[str, Array], rated: Array) -> dict[str, Array]:
    """Return lines in per unit; no dielectric loss, 50 Hz."""
    ends = {name: table[name].astype(np.int64) for name in ("from_bus", "to_bus")}
    base = rated[ends["to_bus"]] ** 2 / BASE
    rating = np.stack([table["i_n"] * rated[ends[name]] * np.sqrt(3) / BASE for name in ends], axis=1)
    return {
        **ends,
        "impedance": (table["r"] + 1j * table["x"]) / base,
        "shunt": 1j * 2 * np.pi * 50.0 * table["c"] * base,
        "ratio": np.ones(len(base)),
        "rating": np.where(rating > 0, rating, np.inf),
    }


def _transformers(table: Mapping[str, Array], rated: Array) -> dict[str, Array]:
    """Return transformers as a pi on the to-side.

    Source: IEC 60076-1 (2011): uk and pk are short-circuit voltage and loss, i0 and p0
    current and loss without load.
    """
    ends = {name: table[name].astype(np.int64) for name in ("from_bus", "to_bus")}
    base = rated[ends["to_bus"]] ** 2 / BASE
    ohm = table["u2"] ** 2 / table["s_n"]
    resistance = table["pk"] / table["s_n"] * ohm
    reactance = np.sqrt(np.maximum((table["uk"] * ohm) ** 2 - resistance**2, 0.0))
    conductance = table["p0"] / table["u2"] ** 2
    size = table["i0"] * table["s_n"] / table["u2"] ** 2
    susceptance = np.sqrt(np.maximum(size**2 - conductance**2, 0.0))
    tap = _column(table, "tap", np.ones(len(base)))
    ratio = tap * (table["u1"] / rated[ends["from_bus"]]) / (table["u2"] / rated[ends["to_bus"]])
    power = table["s_n"] / BASE
    return {
        **ends,
        "impedance": (resistance + 1j * reactance) / base,
        "shunt": (conductance - 1j * susceptance) * base,
        "ratio": ratio,
        "rating": np.stack([power, power], axis=1),
    }


def _sources(table: Mapping[str, Array] | None) -> dict[str, Array]:
    if table is None:
        none = np.zeros(0)
        return {
            "source_bus": none.astype(np.int64),
            "source_voltage": none,
            "source_impedance": none * 1j,
        }
    size = BASE / table["sk"]
    reactance = size / np.hypot(1.0, SOURCE_ANGLE)
    return {
        "source_bus": table["bus"].astype(np.int64),
        "source_voltage": table["u_ref"].astype(np.float64),
        "source_impedance": reactance * (SOURCE_ANGLE + 1j),
    }
