"""List the fields, events and figures of the water model."""

from __future__ import annotations

from twin.contract import EventKind, Kpi, Option
from twin.fields import Field

FIELDS = (
    Field("water_link.status", "int8", "1", "0 closed, 1 open, 2 a valve that keeps its setting"),
    Field("water_link.setting", "float64", "1", "pump speed, valve setting in SI units, NaN for none"),
    Field("water_link.closed", "bool", "1", "nothing passes, by command or by itself"),
    Field("water_link.held", "bool", "1", "under manual control: obeys neither controls nor rules"),
    Field("water_link.order", "int64", "1", "newest order by hand to it, -1 for none", -1),
    Field("water_link.works", "bool", "1", "has power, is not failed, not cut out and not shut off", 1),
    Field("water_link.cut_out", "int16", "1", "protections that keep a pump stopped", traced=True),
    Field("water_link.failed", "bool", "1", "a pump out of service, a pipe that has burst", traced=True),
    Field("water_link.until", "int64", "us", "when its failure ends by itself"),
    Field("water_link.hole", "float64", "m3/s", "outflow of a burst at 1 m of pressure while the pipe is open"),
    Field("water_link.shut", "int16", "1", "reasons for which its shut-off valves are closed", traced=True),
    Field("water_link.flow", "float64", "m3/s", "flow from the first node to the second"),
    Field("water_node.head", "float64", "m", "height of the water surface or of the pressure line"),
    Field("water_node.inflow", "float64", "m3/s", "what leaves the pipes here; negative where it enters"),
    Field("water_node.connected", "bool", "1", "joined to a tank or reservoir", 1),
    Field("junction.demand", "float64", "m3/s", "demand if pressure were sufficient"),
    Field("junction.delivered", "float64", "m3/s", "demand that is met"),
    Field("junction.pressure", "float64", "m", "pressure head, 0 where cut off", traced=True),
    Field("junction.low", "bool", "1", "pressure is below the service pressure", traced=True),
    Field("junction.draw", "float64", "m3/s", "drawn besides the demand of customers", group=True),
    Field("junction.leak", "float64", "m3/s", "outflow of leaks at 1 m of pressure", group=True),
    Field(
        "junction.hole", "float64", "m3/s", "outflow at 1 m of pressure of leaks that no scenario planned", traced=True
    ),
    Field("water_leak.lasts", "bool", "1", "a leak of the scenario, at one junction, is open", traced=True),
    Field("water_draw.lasts", "bool", "1", "a draw of the scenario, from one hydrant, goes on"),
    Field("hydrant.flow", "float64", "m3/s", "drawn from it", traced=True),
    Field("hydrant.ordered", "float64", "m3/s", "what is drawn besides the scenario"),
    Field("hydrant.works", "bool", "1", "at least 20 psi remain while it is used", 1, traced=True),
    Field("tank.level", "float64", "m", "water above the bottom"),
    Field("tank.volume", "float64", "m3", "water held"),
    Field("tank.corrected", "float64", "m3", "what rounding to full or empty has added so far"),
    Field("water_clock.time", "int64", "us", "volumes hold for; next thing to do; end of step; rules last seen"),
    Field("water_count.number", "int64", "1", "solves; without solution; switches; oscillations; rough solutions"),
    Field("water.changes", "int64", "1", "reasons to solve again so far", 1),
    Field("water.answered", "int64", "1", "reasons that the last solution has answered"),
    Field("water.pending", "int64", "1", "pending number of the next tick, -1 for none", -1),
    Field("water.event", "int64", "1", "newest event that changed the network since it was solved, -1 for none", -1),
    Field("water.since", "int64", "us", "up to when the sums below have been added up"),
    Field("water.asked", "float64", "m3", "demand of customers, integrated"),
    Field("water.given", "float64", "m3", "demand met, integrated"),
    Field("water.dry", "float64", "h", "persons below the service pressure, integrated"),
    Field("water_rate.asked", "float64", "m3/s", "demand of customers since then"),
    Field("water_rate.given", "float64", "m3/s", "demand met since then"),
    Field("water_rate.dry", "float64", "1", "persons below the service pressure since then"),
    Field("water.least_todini", "float64", "1", "least resilience index so far", float("nan")),
)

_ON = Option("value", "1 to start or open, 0 to stop or close", "integer", None, low=0, high=1)
_FOR = Option("duration", "until it ends by itself; 0 for until it is repaired", "quantity", 0.0, "s", low=0.0)
_SPEED = Option("value", "speed over rated speed", "number", None, low=0.0, high=2.0)
_SETTING = Option(
    "value", "pressure head (m), flow (m3/s) or loss coefficient, by kind of valve", "number", None, low=0
)
_HOLE = Option("share", "area of the hole over the pipe's cross-section", "number", 0.5, low=0.0, high=1.0)
_AREA = Option("area", "area of the hole, m2", "number", None, low=0.0)
_DRAW = Option("flow", "drawn, m3/s", "number", 0.0631, low=0.0)

EVENTS = (
    EventKind("pump_switch", "pumps are started (value 1) or stopped (0) by hand", "pumps", (_ON,), scenario=True),
    EventKind("pump_speed", "pumps run at a speed, by hand", "pumps", (_SPEED,), scenario=True),
    EventKind("pump_automatic", "pumps obey controls and rules again", "pumps", scenario=True),
    EventKind("pump_protection", "protection stops a pump (value 1) or lets go of it (0)", "pumps", quiet=True),
    EventKind("pump_failure", "pumps fail; an order says for how many s, 0 for ever", "pumps", (_FOR,), scenario=True),
    EventKind("pump_failure_end", "pumps work again by themselves", "pumps"),
    EventKind("pump_repair", "pumps work again", "pumps", scenario=True),
    EventKind("valve_set", "valves keep a new setting, by hand", "valves", (_SETTING,), scenario=True),
    EventKind("valve_switch", "valves are opened fully (1) or closed (0) by hand", "valves", (_ON,), scenario=True),
    EventKind("valve_automatic", "valves obey controls and rules again", "valves", scenario=True),
    EventKind("pipe_switch", "pipes are opened (value 1) or closed (0) by hand", "pipes", (_ON,), scenario=True),
    EventKind("pipe_automatic", "pipes obey controls and rules again", "pipes", scenario=True),
    EventKind("pipe_burst", "pipes burst and spill at their first end", "pipes", (_HOLE, _FOR), scenario=True),
    EventKind("pipe_burst_end", "bursts of pipes close by themselves", "pipes"),
    EventKind("pipe_repair", "bursts of pipes are mended", "pipes", scenario=True),
    EventKind("leak", "a hole opens at junctions", "junctions", (_AREA, _FOR), scenario=True),
    EventKind("leak_end", "holes at junctions close by themselves", "junctions"),
    EventKind("leak_repair", "holes at junctions are mended", "junctions", scenario=True),
    EventKind("isolate", "the shut-off valves around pipes are closed", "pipes", scenario=True),
    EventKind("reopen", "the shut-off valves around pipes are opened", "pipes", scenario=True),
    EventKind("hydrant_draw", "water is drawn from hydrants", "hydrants", (_DRAW, _FOR), scenario=True),
    EventKind("hydrant_draw_end", "a draw from hydrants is over", "hydrants"),
    EventKind("water_tick", "the hydraulic step or rule step is over", quiet=True),
)

TELLS = (
    EventKind("pump_stopped", "a pump stops for want of power", "pumps"),
    EventKind("pump_started", "a pump has power again", "pumps"),
    EventKind("water_rule", "a rule of the network acts, number `target` of them"),
    EventKind("water_control", "a control of the network acts, number `target` of them"),
    EventKind("water_oscillates", "a control keeps turning its link on and off"),
    EventKind("water_unsolved", "the flow of water has no solution, by which code; where it is worst", "junctions"),
    EventKind(
        "pressure_lost", "persons lose pressure, from the first of `data` junctions on", "junctions", unit="persons"
    ),
    EventKind("pressure_back", "persons have pressure again", "junctions", unit="persons"),
    EventKind("hydrant_dry", "a hydrant that is drawn from loses its pressure", "hydrants", unit="m"),
    EventKind("hydrant_back", "a hydrant has its pressure again", "hydrants", unit="m"),
    EventKind("valve_refused", "a valve cannot take such a setting", "valves"),
)

KPIS = (
    Kpi("water_service_availability", "1", "higher", "demand met over demand (WSA)", 0.01),
    Kpi("water_person_hours_lost", "h", "lower", "persons times hours below the service pressure", 100.0),
    Kpi("water_todini_min", "1", "higher", "least resilience index of Todini", 0.02),
)
SERIES = (
    Kpi("persons_without_water", "1", "lower", "persons below the service pressure", 1.0),
    Kpi("water_unserved", "m3/s", "lower", "demand that is not met", 1e-3),
    Kpi("tank_storage", "m3", "higher", "water in tanks", 1.0),
)
