"""List the fields, events and options of the hazards."""

from __future__ import annotations

from twin.contract import EventKind, Option
from twin.fields import Field
from twin.models.hydrograph import CLOSING_DEPTH

FIELDS = (
    Field("link.depth", "float64", "m", "depth of flood water on the road", traced=True),
    Field("link.wet_speed", "float64", "1", "share of the dry speed that water leaves", 1, traced=True),
    Field("link.max_depth", "float64", "m", "greatest depth of flood water so far"),
    Field("link.barred", "int16", "1", "road closures of the scenario in force"),
    Field("link.broken", "bool", "1", "damaged and closed until repaired", traced=True),
    Field("substation.depth", "float64", "m", "depth of flood water at the substation", traced=True),
    Field("substation.wet_event", "int64", "1", "event that says water stands there, -1 while dry", -1),
    Field("substation.wet_by", "int64", "1", "event of the flood or rain behind it, -1 while dry", -1),
    Field("flood.event", "int64", "1", "event of a flood that is going on, -1 for none", -1),
    Field("flood.start", "int64", "us", "when the flood began"),
    Field("heat_wave.lasts", "bool", "1", "a heat wave of the scenario is going on"),
    Field("line.work", "int16", "1", "planned works on the line that are going on"),
    Field("line.work_found", "bool", "1", "the line was closed when the first of them began"),
    Field("hazard_count.struck", "int64", "1", "assets that hazards have damaged"),
    Field("hazard_count.unheard", "int64", "1", "damages to networks that this run does not model"),
)

_FLOOD = (
    Option("peak", "water above the lowest ground of the area at the crest", "quantity", None, "m", low=0.0, high=100),
    Option("rise", "from first water to the crest", "quantity", None, "s", low=0.0),
    Option("hold", "time at the crest", "quantity", None, "s", low=0.0),
    Option("fall", "from the crest until the water is gone", "quantity", None, "s", low=0.0),
)
_DURATION = Option("duration", "until the road opens again", "quantity", None, "s", low=0.0)
_QUAKE = (
    Option("pga", "peak ground acceleration in the area, in g", "number", None, low=0.0, high=5.0),
    Option("pgv", "peak ground velocity in the area, for pipes", "quantity", 0.0, "m/s", low=0.0, high=10.0),
)
_WIND = (
    Option("gust", "peak gust in the area", "quantity", None, "m/s", low=0.0, high=150.0),
    Option("duration", "time over which the damage is spread", "quantity", 0.0, "s", low=0.0),
    Option("span", "distance between the poles of a line (assumption)", "quantity", 50.0, "m", low=1.0),
)
_AGEING = (
    Option("asset", "what fails", "choice", None, choices=("line", "substation", "pump", "pipe", "link")),
    Option("per_year", "failures a year, per km of line, pipe or road", "number", None, low=0.0),
    Option("duration", "time over which failures happen", "quantity", None, "s", low=0.0),
)
_HEAT = (
    Option("degrees", "warmer than usual, in degrees", "number", None, low=0.0, high=20.0),
    Option("per_degree", "more load per degree, share of the peak load", "number", 0.03, low=0.0, high=0.2),
    Option("duration", "how long it lasts", "quantity", None, "s", low=0.0),
)
_HACKED = Option("duration", "until the operators have it back", "quantity", None, "s", low=0.0)
_SET = Option("value", "setting the attacker gives", "number", 0.0)
_WORK = Option("duration", "how long the line is off", "quantity", None, "s", low=1.0)

EVENTS = (
    EventKind("flood", "water rises over an area and falls again", "nodes", _FLOOD, scenario=True),
    EventKind("road_closure", "roads are closed for a while", "links", (_DURATION,), scenario=True),
    EventKind("road_damage", "roads are damaged and closed until repaired", "links", (), scenario=True),
    EventKind("earthquake", "the ground shakes; assets fail by their fragility", "nodes", _QUAKE, scenario=True),
    EventKind("windstorm", "wind breaks lines and substations by their fragility", "nodes", _WIND, scenario=True),
    EventKind("ageing", "assets fail by themselves, each at its own instant", "", _AGEING, scenario=True),
    EventKind("heat_wave", "heat raises the load", "buses", _HEAT, scenario=True),
    EventKind("attack_pumps", "an attacker stops pumps", "pumps", (_HACKED,), scenario=True),
    EventKind("attack_valves", "an attacker sets valves", "valves", (_SET,), scenario=True),
    EventKind("attack_sensors", "an attacker silences what reports through sites", "sites", (_HACKED,), scenario=True),
    EventKind("planned_work", "lines are switched off for work, as announced", "lines", (_WORK,), scenario=True),
    EventKind("flood_step", "depths of a flood are renewed"),
    EventKind("road_closure_end", "roads closed by order are open again", "links"),
    EventKind("road_repair", "a damaged road is passable again", "links"),
    EventKind("heat_wave_end", "the load is as usual again", "buses"),
    EventKind("planned_work_end", "work on lines is over", "lines"),
)

TELLS = (
    EventKind("substation_wet", "water stands at a substation", "substations", unit="m"),
    EventKind("substation_dry", "a substation is dry again", "substations"),
    EventKind("road_flooded", "water closes a road", "links", unit="m"),
    EventKind("road_drained", "water has left a road", "links", unit="m"),
)
OPTIONS = (
    Option("every", "time between renewals of flood depth", "quantity", 300.0, "s", low=1.0),
    Option(
        "closing_depth",
        "water that closes a road",
        "quantity",
        CLOSING_DEPTH,
        "m",
        low=0.01,
        parameter="hazard.road_closed_depth",
    ),
    Option("fragility", "table of fragility curves, for the built-in one", "path", ""),
)
