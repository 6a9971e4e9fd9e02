"""Write a Network as the text EPANET opens: elements and solver settings, nothing that changes.

Elements are named by kind and row (J0, P12), so any identifier of a city will do.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twin.models.water.network import Network


def project_text(network: Network) -> str:
    """Return the input file."""
    sections = (
        ("JUNCTIONS", _junctions(network)),
        ("RESERVOIRS", _reservoirs(network)),
        ("TANKS", _tanks(network)),
        ("PIPES", _pipes(network)),
        ("PUMPS", _pumps(network)),
        ("VALVES", _valves(network)),
        ("CURVES", _curves(network)),
        ("OPTIONS", _options(network)),
        ("TIMES", iter(("DURATION 0",))),
        ("REPORT", iter(("STATUS NO", "SUMMARY NO"))),
    )
    return "\n".join(f"[{name}]\n" + "\n".join(lines) for name, lines in sections) + "\n[END]\n"


def node_name(network: Network, node: int) -> str:
    """Return the name EPANET knows a water node by."""
    if node < network.n_junction:
        return f"J{node}"
    if node < network.first_tank:
        return f"R{node - network.n_junction}"
    return f"T{node - network.first_tank}"


def link_name(network: Network, link: int) -> str:
    """Return the name EPANET knows a water link by."""
    if link < network.first_pump:
        return f"P{link}"
    if link < network.first_valve:
        return f"U{link - network.first_pump}"
    return f"V{link - network.first_valve}"


def _junctions(network: Network) -> Iterator[str]:
    height = (network.elevation[: network.n_junction] / network.units.length).tolist()
    for row, value in enumerate(height):
        yield f"J{row} {value!r} 0"


def _reservoirs(network: Network) -> Iterator[str]:
    for row, head in enumerate((network.column("reservoirs", "head") / network.units.length).tolist()):
        yield f"R{row} {head!r}"


def _tanks(network: Network) -> Iterator[str]:
    """Write tanks as cylinders: the twin knows their volumes, EPANET only needs their levels."""
    length = network.units.length
    names = ("elevation", "initial_level", "min_level", "max_level", "diameter")
    columns = [np.asarray(network.column("tanks", name), dtype=np.float64) / length for name in names]
    columns[4] = np.where(columns[4] > 0, columns[4], 1.0)
    overflow = network.column("tanks", "overflow", False)
    for row, values in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        told = " ".join(repr(value) for value in values)
        yield f"T{row} {told} 0 * {'YES' if overflow[row] else 'NO'}"


def _ends(network: Network, link: int) -> str:
    first, second = int(network.from_node[link]), int(network.to_node[link])
    return f"{link_name(network, link)} {node_name(network, first)} {node_name(network, second)}"


def _pipes(network: Network) -> Iterator[str]:
    units = network.units
    rough = 1.0 if network.hydraulics.headloss != "D-W" else units.roughness
    scales = {"length": units.length, "diameter": units.diameter, "roughness": rough, "minor_loss": 1.0}
    columns = [(network.column("pipes", name) / scale).tolist() for name, scale in scales.items()]
    check = network.check_valve
    for row, values in enumerate(zip(*columns, strict=True)):
        told = " ".join(repr(float(value)) for value in values)
        yield f"{_ends(network, row)} {told} {'CV' if check[row] else 'OPEN'}"


def _pumps(network: Network) -> Iterator[str]:
    curve, power = network.column("pumps", "curve", -1), network.column("pumps", "power", 0.0)
    for row in range(network.rows("pumps")):
        does = f"HEAD C{curve[row]}" if curve[row] >= 0 else f"POWER {float(power[row]) / network.units.power!r}"
        yield f"{_ends(network, network.first_pump + row)} {does}"


def _valves(network: Network) -> Iterator[str]:
    kinds = network.column("valves", "kind")
    for row, kind in enumerate(kinds.tolist()):
        size = float(network.column("valves", "diameter")[row]) / network.units.diameter
        loss = float(network.column("valves", "minor_loss")[row])
        setting = f"C{network.column('valves', 'curve')[row]}" if kind == "GPV" else "0"
        yield f"{_ends(network, network.first_valve + row)} {size!r} {kind} {setting} {loss!r}"


def _curves(network: Network) -> Iterator[str]:
    """Write curves of pumps and general-purpose valves: flow against head."""
    used = np.concatenate([network.column("pumps", "curve", -1), network.column("valves", "curve", -1)])
    curves = network.curves
    for row in sorted({int(i) for i in used if i >= 0}):
        points = slice(curves.first[row], curves.first[row] + curves.count[row])
        flow, head = curves.x[points] / network.units.flow, curves.y[points] / network.units.length
        for x, y in zip(flow.tolist(), head.tolist(), strict=True):
            yield f"C{row} {x!r} {y!r}"


def setting_scale(network: Network) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return what one unit of each link's setting is in SI."""
    scale = np.ones(network.n_link)
    kinds = network.column("valves", "kind").astype(str)
    pressure, flow = np.isin(kinds, ("PRV", "PSV", "PBV")), kinds == "FCV"
    scale[network.first_valve :] = np.where(pressure, network.units.length, np.where(flow, network.units.flow, 1.0))
    return scale


def _options(network: Network) -> Iterator[str]:
    given, pressure = network.hydraulics, network.units.length
    yield f"UNITS {given.units}"
    yield f"PRESSURE {'FEET' if network.units.length < 1 else 'METERS'}"
    yield f"HEADLOSS {given.headloss}"
    yield f"SPECIFIC GRAVITY {given.gravity!r}"
    yield f"VISCOSITY {given.viscosity!r}"
    yield f"TRIALS {given.trials}"
    yield f"CHECKFREQ {given.check_every}"
    yield f"MAXCHECK {given.check_until}"
    yield f"DAMPLIMIT {given.damp_limit!r}"
    yield "UNBALANCED CONTINUE 10"
    yield f"EMITTER EXPONENT {given.emitter_exponent!r}"
    yield f"BACKFLOW ALLOWED {'YES' if given.emitter_backflow else 'NO'}"
    yield f"DEMAND MODEL {'PDA' if given.pressure_driven else 'DDA'}"
    if given.pressure_driven:
        yield f"MINIMUM PRESSURE {given.least_pressure / pressure!r}"
        yield f"REQUIRED PRESSURE {given.required_pressure / pressure!r}"
        yield f"PRESSURE EXPONENT {given.pressure_exponent!r}"
    yield "QUALITY NONE"
