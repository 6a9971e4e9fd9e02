"""List the fields, events and figures of the power model."""

from __future__ import annotations

from twin.contract import EventKind, Kpi, Option
from twin.fields import Field

FIELDS = (
    Field("bus.energised", "bool", "1", "connected to a source", 1, traced=True),
    Field("bus.voltage", "float64", "pu", "voltage magnitude, 0 without power", 1),
    Field("bus.dark_since", "int64", "us", "when it lost power, -1 while it has power", -1),
    Field("bus.dark_time", "int64", "us", "time without power, outages that ended"),
    Field("bus.load", "float64", "W", "demand for active power, served or not", group=True),
    Field("substation.failed", "bool", "1", "out of service until repaired", traced=True),
    Field("substation.cut", "int16", "1", "blackouts of the transmission grid in force"),
    Field("substation.event", "int64", "1", "event that last changed its state, -1 for none", -1),
    Field("substation.until", "int64", "us", "when a failure of the scenario ends by itself, -1 for never", -1),
    Field("line.failed", "bool", "1", "out of service until repaired", traced=True),
    Field("line.closed", "bool", "1", "switch is closed", traced=True),
    Field("line.loading", "float64", "1", "current over rated current"),
    Field("line.event", "int64", "1", "event that last changed its state, -1 for none", -1),
    Field("line.until", "int64", "us", "when a failure of the scenario ends by itself, -1 for never", -1),
    Field("grid.changes", "int64", "1", "changes of state of substations and lines", 1),
    Field("grid.since", "int64", "us", "up to when lost supply has been added up"),
    Field("grid.dark", "int64", "1", "customers without power since then"),
    Field("grid.unserved", "float64", "W", "demand without power since then"),
    Field("grid.customer_minutes", "float64", "min", "customers without power, integrated"),
    Field("grid.energy", "float64", "J", "demand without power, integrated"),
    Field("grid.least_voltage", "float64", "pu", "lowest voltage of a bus with power so far", 9),
    Field("grid.unsolved", "int64", "1", "power flows without a solution"),
)
_UNTIL_REPAIR = Option("duration", "until it works again; 0 for until it is repaired", "quantity", 0.0, "s", low=0.0)
_CUT = Option("duration", "until supply returns; 0 for the rest of the run", "quantity", 0.0, "s", low=0.0)
_CLOSED = Option("value", "1 to close, 0 to open", "integer", None, low=0, high=1)
_STORM = (
    Option("probability", "chance that a kilometre of line fails", "number", None, low=0.0, high=1.0),
    Option("duration", "time over which the failures are spread", "quantity", None, "s", low=0.0),
)
EVENTS = (
    EventKind("substation_failure", "substations fail", "substations", (_UNTIL_REPAIR,), scenario=True),
    EventKind("line_failure", "lines fail", "lines", (_UNTIL_REPAIR,), scenario=True),
    EventKind("switch", "lines are closed (value 1) or opened (0)", "lines", (_CLOSED,), scenario=True),
    EventKind("blackout", "the transmission grid supplies substations no more", "substations", (_CUT,), scenario=True),
    EventKind("storm", "wind breaks lines, each by its own luck", "lines", _STORM, scenario=True),
    EventKind("power_repair", "a substation (data 0) or line (data 1) works again", "substations"),
    EventKind("failure_end", "a failure of the scenario ends: substation (data 0) or line (data 1)"),
    EventKind("blackout_end", "the transmission grid supplies again"),
    EventKind("load_tick", "demand follows the time of day", quiet=True),
)
KPIS = (
    Kpi("customer_minutes_lost", "min", "lower", "customers times minutes without power", 1000.0),
    Kpi("energy_not_supplied_kwh", "kWh", "lower", "energy that customers without power would have used", 100.0),
    Kpi("voltage_min", "pu", "higher", "lowest voltage at a bus with power", 0.005),
)
SERIES = (Kpi("customers_without_power", "1", "lower", "customers without power", 1.0),)
