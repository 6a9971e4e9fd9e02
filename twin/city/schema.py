"""State every table and column of a city once: type, unit and meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnRule:
    """Describe one column.

    kind      numpy kind: "f", "i", "b" or "U"
    target    table it points to
    optional  whether a row may point nowhere (-1)
    spare     whether a city may leave the column out
    """

    kind: str
    unit: str
    meaning: str
    target: str = ""
    optional: bool = False
    spare: bool = False


_ID = ColumnRule("U", "", "unique id")
_NAME = ColumnRule("U", "", "name for people")
_PLACE = {
    "x": ColumnRule("f", "m", "easting on the city's grid"),
    "y": ColumnRule("f", "m", "northing on the city's grid"),
    "lon": ColumnRule("f", "deg", "longitude, WGS 84"),
    "lat": ColumnRule("f", "deg", "latitude, WGS 84"),
}
_GROUND = {
    **_PLACE,
    "elevation": ColumnRule("f", "m", "height of the ground; 0 where the report says unknown"),
    "above_river": ColumnRule("f", "m", "ground over the normal river level; 1e6 where no river is known"),
}
_NODE = ColumnRule("i", "row", "nearest road node", "nodes")
_XY = {"x": _PLACE["x"], "y": _PLACE["y"]}
_WATER_ENDS = {
    "from_node": ColumnRule("i", "row", "water node at one end: junctions, then reservoirs, then tanks"),
    "to_node": ColumnRule("i", "row", "water node at the other end"),
}
_PATTERN = ColumnRule("i", "row", "pattern over time, -1 for none", "water_patterns", True)
_CURVE = ColumnRule("i", "row", "curve, -1 for none", "water_curves", True)
_SPAN = {
    "first": ColumnRule("i", "row", "first of its values"),
    "count": ColumnRule("i", "", "number of its values"),
}
_BUS = ColumnRule("i", "row", "bus it hangs on", "buses")
_WATTS = ColumnRule("f", "W", "active power")

WATER: dict[str, dict[str, ColumnRule]] = {
    "junctions": {
        "id": _ID,
        **_XY,
        "elevation": _GROUND["elevation"],
        "emitter": ColumnRule("f", "m3/s", "outflow of leaks at 1 m of pressure"),
        "zone": ColumnRule("i", "row", "zone supplied, -1 for none", "zones", True, True),
        "population": ColumnRule("i", "persons", "residents supplied", spare=True),
    },
    "reservoirs": {"id": _ID, **_XY, "head": ColumnRule("f", "m", "height of the water surface"), "pattern": _PATTERN},
    "tanks": {
        "id": _ID,
        **_XY,
        "elevation": ColumnRule("f", "m", "height of the bottom"),
        "initial_level": ColumnRule("f", "m", "water over the bottom at the start"),
        "min_level": ColumnRule("f", "m", "least level"),
        "max_level": ColumnRule("f", "m", "level when full"),
        "diameter": ColumnRule("f", "m", "of the round tank"),
        "min_volume": ColumnRule("f", "m3", "water at the least level"),
        "curve": _CURVE,
        "overflow": ColumnRule("b", "", "spills when full"),
    },
    "pipes": {
        "id": _ID,
        **_WATER_ENDS,
        "length": ColumnRule("f", "m", "length along the street"),
        "diameter": ColumnRule("f", "m", "inner diameter"),
        "roughness": ColumnRule("f", "", "Hazen-Williams coefficient, or as the head loss formula wants it"),
        "minor_loss": ColumnRule("f", "", "loss of fittings, in velocity heads"),
        "open": ColumnRule("b", "", "False for closed ones"),
        "check_valve": ColumnRule("b", "", "lets water pass in one direction only"),
    },
    "pumps": {
        "id": _ID,
        **_WATER_ENDS,
        "curve": _CURVE,
        "power": _WATTS,
        "speed": ColumnRule("f", "", "of rated speed"),
        "pattern": _PATTERN,
        "open": ColumnRule("b", "", "False for one that starts at rest"),
        "bus": ColumnRule("i", "row", "bus of the supply, -1 for none", "buses", True, True),
    },
    "valves": {
        "id": _ID,
        **_WATER_ENDS,
        "kind": ColumnRule("U", "", "PRV, PSV, PBV, FCV, TCV or GPV"),
        "diameter": ColumnRule("f", "m", "inner diameter"),
        "minor_loss": ColumnRule("f", "", "loss when open, in velocity heads"),
        "setting": ColumnRule("f", "", "pressure (m), flow (m3/s) or loss coefficient"),
        "curve": _CURVE,
        "state": ColumnRule("U", "", "active, open or closed"),
    },
    "water_demands": {
        "junction": ColumnRule("i", "row", "junction", "junctions"),
        "base": ColumnRule("f", "m3/s", "demand at pattern value 1"),
        "pattern": _PATTERN,
    },
    "water_patterns": {"id": _ID, **_SPAN},
    "water_pattern_values": {"value": ColumnRule("f", "", "multiplier of one pattern step")},
    "water_curves": {"id": _ID, **_SPAN},
    "water_curve_points": {
        "x": ColumnRule("f", "", "flow (m3/s) or level (m)"),
        "y": ColumnRule("f", "", "head (m), volume (m3) or loss (m)"),
    },
    "hydrants": {"id": _ID, "junction": ColumnRule("i", "row", "junction", "junctions"), "node": _NODE},
}

DEVICES: dict[str, dict[str, ColumnRule]] = {
    "generators": {
        "bus": _BUS,
        "p": _WATTS,
        "q": ColumnRule("f", "var", "reactive power it gives", spare=True),
        "kind": ColumnRule("U", "", "solar or steady", spare=True),
    },
    "storages": {
        "bus": _BUS,
        "p": _WATTS,
        "energy": ColumnRule("f", "J", "capacity", spare=True),
        "charge": ColumnRule("f", "share", "filled at the start", spare=True),
        "efficiency": ColumnRule("f", "share", "of a full cycle", spare=True),
    },
    "chargers": {"bus": _BUS, "p": _WATTS},
    "machines": {
        "bus": _BUS,
        "u": ColumnRule("f", "pu", "voltage kept"),
        "q_min": ColumnRule("f", "var", "least reactive power", spare=True),
        "q_max": ColumnRule("f", "var", "most reactive power", spare=True),
    },
}

SCHEMA: dict[str, dict[str, ColumnRule]] = {
    "nodes": {"id": _ID, **_GROUND, "signal": ColumnRule("b", "", "True where a signal stands")},
    "links": {
        "id": _ID,
        "from_node": ColumnRule("i", "row", "junction at which the link starts", "nodes"),
        "to_node": ColumnRule("i", "row", "junction at which the link ends", "nodes"),
        "length": ColumnRule("f", "m", "length along the street"),
        "speed": ColumnRule("f", "m/s", "free-flow speed"),
        "lanes": ColumnRule("i", "lanes", "lanes of this direction"),
        "capacity": ColumnRule("f", "PCU/s", "saturation flow of the whole link"),
        "jam_density": ColumnRule("f", "PCU/m per lane", "density of a standing queue"),
        "road_class": ColumnRule("U", "", "OpenStreetMap highway value"),
        "name": _NAME,
        "rank": ColumnRule("i", "", "0 to 15: where links merge, lower ones go first; 0 if left out", spare=True),
        "reverse": ColumnRule("i", "row", "link of the opposite direction, -1 on one-way streets", "links", True),
        "point_first": ColumnRule("i", "row", "first point of the polyline in driving direction", "points"),
        "point_count": ColumnRule("i", "", "number of points of the polyline"),
    },
    "points": {"x": _PLACE["x"], "y": _PLACE["y"]},
    "signals": {
        "id": _ID,
        "node": ColumnRule("i", "row", "junction", "nodes"),
        "cycle": ColumnRule("f", "s", "length of the cycle"),
        "offset": ColumnRule("f", "s", "start of the cycle after midnight, modulo the cycle"),
        "gap": ColumnRule(
            "f", "s", "turns across oncoming traffic with green wait for it; 0, or left out: never", spare=True
        ),
        "late_turn": ColumnRule("f", "s", "after the green, such turns are still made; 3 if left out", spare=True),
    },
    "phases": {
        "signal": ColumnRule("i", "row", "signal", "signals"),
        "order": ColumnRule("i", "", "position within the cycle, from 0"),
        "green": ColumnRule("f", "s", "green time; what is left of the cycle is shared as intergreen"),
        "amber": ColumnRule("f", "s", "after the green, nobody enters; 0 if left out", spare=True),
        "all_red": ColumnRule("f", "s", "after the amber, all are red; 0 if left out", spare=True),
    },
    "phase_links": {
        "phase": ColumnRule("i", "row", "phase", "phases"),
        "link": ColumnRule("i", "row", "approach that has green", "links"),
        "to_link": ColumnRule("i", "row", "only the pocket to this link has it; -1: the approach", "links", True, True),
    },
    "pockets": {
        "from_link": ColumnRule("i", "row", "link with a turn pocket", "links"),
        "to_link": ColumnRule("i", "row", "link that the pocket leads to", "links"),
        "storage": ColumnRule("f", "PCU", "vehicles the pocket holds"),
    },
    "banned_turns": {
        "from_link": ColumnRule("i", "row", "link that vehicles come from", "links"),
        "to_link": ColumnRule("i", "row", "link that they may not take next", "links"),
    },
    "zones": {
        "id": _ID,
        "name": _NAME,
        **_PLACE,
        "population": ColumnRule("i", "persons", "residents"),
        "jobs": ColumnRule("i", "jobs", "work places"),
        "node": ColumnRule("i", "row", "road node in the middle", "nodes"),
    },
    "zone_nodes": {
        "zone": ColumnRule("i", "row", "zone", "zones"),
        "node": ColumnRule("i", "row", "road node at which trips start and end", "nodes"),
        "weight": ColumnRule("f", "share", "share of the zone's trips"),
    },
    "buses": {
        "id": _ID,
        **_GROUND,
        "u_rated": ColumnRule("f", "V", "rated voltage, line to line"),
        "kind": ColumnRule("U", "", "grid, substation or load"),
        "zone": ColumnRule("i", "row", "zone supplied, -1 for none", "zones", True),
        "customers": ColumnRule("i", "customers", "customers supplied from this bus"),
        "p": ColumnRule("f", "W", "active load at the peak"),
        "q": ColumnRule("f", "var", "reactive load at the peak"),
        "node": _NODE,
        "substation": ColumnRule("i", "row", "substation of the normal supply, -1 for none", "substations", True),
    },
    "substations": {
        "id": _ID,
        "name": _NAME,
        "bus": ColumnRule("i", "row", "medium-voltage busbar", "buses"),
        **_GROUND,
        "node": _NODE,
    },
    "transformers": {
        "id": _ID,
        "from_bus": ColumnRule("i", "row", "high-voltage side", "buses"),
        "to_bus": ColumnRule("i", "row", "medium-voltage side", "buses"),
        "u1": ColumnRule("f", "V", "rated voltage of the high side"),
        "u2": ColumnRule("f", "V", "rated voltage of the low side"),
        "s_n": ColumnRule("f", "VA", "rated power"),
        "uk": ColumnRule("f", "pu", "short-circuit voltage"),
        "pk": ColumnRule("f", "W", "copper loss at rated current"),
        "i0": ColumnRule("f", "pu", "no-load current"),
        "p0": ColumnRule("f", "W", "iron loss"),
    },
    "sources": {
        "id": _ID,
        "bus": ColumnRule("i", "row", "bus that is fed", "buses"),
        "u_ref": ColumnRule("f", "pu", "voltage kept"),
        "sk": ColumnRule("f", "VA", "short-circuit power"),
    },
    "lines": {
        "id": _ID,
        "from_bus": ColumnRule("i", "row", "end towards the source", "buses"),
        "to_bus": ColumnRule("i", "row", "far end", "buses"),
        "r": ColumnRule("f", "ohm", "resistance of the line"),
        "x": ColumnRule("f", "ohm", "reactance of the line"),
        "c": ColumnRule("f", "F", "capacitance of the line"),
        "i_n": ColumnRule("f", "A", "rated current"),
        "length": ColumnRule("f", "m", "length along streets"),
        "closed": ColumnRule("b", "", "False for normally-open ties"),
        "link": ColumnRule("i", "row", "street link that the cable follows, -1 for none", "links", True),
    },
    "hospitals": {
        "id": _ID,
        "name": _NAME,
        **_GROUND,
        "node": _NODE,
        "bays": ColumnRule("i", "bays", "emergency bays"),
        "bus": ColumnRule("i", "row", "bus of the normal supply", "buses"),
    },
    "stations": {
        "id": _ID,
        "name": _NAME,
        **_GROUND,
        "node": _NODE,
        "kind": ColumnRule("U", "", "service: ambulance"),
        "units": ColumnRule("i", "units", "vehicles based here"),
    },
    "depots": {
        "id": _ID,
        "name": _NAME,
        **_GROUND,
        "node": _NODE,
        "kind": ColumnRule("U", "", "utility: power"),
        "crews": ColumnRule("i", "crews", "repair crews based here"),
    },
    "fire_stations": {
        "id": _ID,
        "name": _NAME,
        **_GROUND,
        "node": _NODE,
        "engines": ColumnRule("i", "engines", "fire engines based here"),
    },
    "sites": {
        "id": _ID,
        **_GROUND,
        "node": _NODE,
        "bus": ColumnRule("i", "row", "bus of the normal supply", "buses"),
        "battery": ColumnRule("f", "s", "autonomy without supply"),
        "radius": ColumnRule("f", "m", "area served around the site"),
    },
    "dependencies": {
        "from_table": ColumnRule("U", "", "table of the supplier"),
        "from_id": ColumnRule("U", "", "id of the supplier"),
        "from_row": ColumnRule("i", "row", "row of the supplier in from_table"),
        "to_table": ColumnRule("U", "", "table of the dependent"),
        "to_id": ColumnRule("U", "", "id of the dependent"),
        "to_row": ColumnRule("i", "row", "row of the dependent in to_table"),
        "kind": ColumnRule("U", "", "what is supplied; see twin/city/dependencies.py"),
        "rule": ColumnRule("U", "", "what happens without it"),
        "delay": ColumnRule("f", "s", "time without supply after which the dependent stops"),
        "source": ColumnRule("U", "", "where this is known from"),
    },
    "river": {
        "x": _PLACE["x"],
        "y": _PLACE["y"],
        "level": ColumnRule("f", "m", "normal water level"),
        "width": ColumnRule("f", "m", "distance between the banks"),
    },
    **WATER,
    **DEVICES,
}
