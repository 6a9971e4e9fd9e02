"""Columns of the tables of a water network: names, kinds, units."""

from __future__ import annotations

from twin.city.column_rules import CURVE, GROUND, ID, NODE, PATTERN, SPAN, WATER_ENDS, WATTS, XY, ColumnRule

WATER: dict[str, dict[str, ColumnRule]] = {
    "junctions": {
        "id": ID,
        **XY,
        "elevation": GROUND["elevation"],
        "emitter": ColumnRule("f", "m3/s", "outflow of leaks at 1 m of pressure"),
        "zone": ColumnRule("i", "row", "zone supplied, -1 for none", "zones", True, True),
        "population": ColumnRule("i", "persons", "residents supplied", spare=True),
    },
    "reservoirs": {"id": ID, **XY, "head": ColumnRule("f", "m", "height of the water surface"), "pattern": PATTERN},
    "tanks": {
        "id": ID,
        **XY,
        "elevation": ColumnRule("f", "m", "height of the bottom"),
        "initial_level": ColumnRule("f", "m", "water over the bottom at the start"),
        "min_level": ColumnRule("f", "m", "least level"),
        "max_level": ColumnRule("f", "m", "level when full"),
        "diameter": ColumnRule("f", "m", "of the round tank"),
        "min_volume": ColumnRule("f", "m3", "water at the least level"),
        "curve": CURVE,
        "overflow": ColumnRule("b", "", "spills when full"),
    },
    "pipes": {
        "id": ID,
        **WATER_ENDS,
        "length": ColumnRule("f", "m", "length along the street"),
        "diameter": ColumnRule("f", "m", "inner diameter"),
        "roughness": ColumnRule("f", "", "Hazen-Williams coefficient, or as the head loss formula wants it"),
        "minor_loss": ColumnRule("f", "", "loss of fittings, in velocity heads"),
        "open": ColumnRule("b", "", "False for closed ones"),
        "check_valve": ColumnRule("b", "", "lets water pass in one direction only"),
    },
    "pumps": {
        "id": ID,
        **WATER_ENDS,
        "curve": CURVE,
        "power": WATTS,
        "speed": ColumnRule("f", "", "of rated speed"),
        "pattern": PATTERN,
        "open": ColumnRule("b", "", "False for one that starts at rest"),
        "bus": ColumnRule("i", "row", "bus of the supply, -1 for none", "buses", True, True),
    },
    "valves": {
        "id": ID,
        **WATER_ENDS,
        "kind": ColumnRule("U", "", "PRV, PSV, PBV, FCV, TCV or GPV"),
        "diameter": ColumnRule("f", "m", "inner diameter"),
        "minor_loss": ColumnRule("f", "", "loss when open, in velocity heads"),
        "setting": ColumnRule("f", "", "pressure (m), flow (m3/s) or loss coefficient"),
        "curve": CURVE,
        "state": ColumnRule("U", "", "active, open or closed"),
    },
    "water_demands": {
        "junction": ColumnRule("i", "row", "junction", "junctions"),
        "base": ColumnRule("f", "m3/s", "demand at pattern value 1"),
        "pattern": PATTERN,
    },
    "water_patterns": {"id": ID, **SPAN},
    "water_pattern_values": {"value": ColumnRule("f", "", "multiplier of one pattern step")},
    "water_curves": {"id": ID, **SPAN},
    "water_curve_points": {
        "x": ColumnRule("f", "", "flow (m3/s) or level (m)"),
        "y": ColumnRule("f", "", "head (m), volume (m3) or loss (m)"),
    },
    "hydrants": {"id": ID, "junction": ColumnRule("i", "row", "junction", "junctions"), "node": NODE},
}
