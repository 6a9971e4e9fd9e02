"""List the fields, events and figures of the power model."""

from __future__ import annotations

from twin.contract import EventKind, Kpi, Option
from twin.fields import Field

NEVER_MEASURED = 9
"""pu, above all voltages: nothing has been solved yet."""

FIELDS = (
    Field("bus.energised", "bool", "1", "connected to a source", 1, traced=True),
    Field("bus.voltage", "float64", "pu", "voltage magnitude, 0 without power", 1),
    Field("bus.dark_since", "int64", "us", "when it lost power, -1 while it has power", -1),
    Field("bus.dark_time", "int64", "us", "time without power, outages that ended"),
    Field("bus.load", "float64", "W", "demand for active power, served or not", group=True),
    Field("bus.absence", "float64", "1", "share of the usual demand that is away: evacuated, shop shut", group=True),
    Field("evacuation.lasts", "bool", "1", "an evacuation of the scenario is going on"),
    Field("zone.ordered_away", "float64", "1", "share of the demand of a zone that is away by order"),
    Field("bus.shed", "bool", "1", "load is switched off on purpose", traced=True),
    Field("bus.back_since", "int64", "us", "when supply last came back, -1 for never", -1),
    Field("bus.cold", "float64", "1", "excess of the cold load when supply last came back"),
    Field("bus.interruptions", "int64", "1", "sustained interruptions that ended"),
    Field("bus.interrupted_time", "int64", "us", "time of sustained interruptions that ended"),
    Field("bus.limit", "int8", "1", "voltage is too low (-1), within limits (0) or too high (1)"),
    Field("substation.failed", "bool", "1", "out of service until repaired", traced=True),
    Field("substation.cut", "int16", "1", "blackouts of the transmission grid in force"),
    Field("substation.event", "int64", "1", "event that last changed its state, -1 for none", -1),
    Field("substation.until", "int64", "us", "when a failure of the scenario ends by itself, -1 for never", -1),
    Field("line.failed", "bool", "1", "out of service until repaired", traced=True),
    Field("line.closed", "bool", "1", "switch is closed", traced=True),
    Field("line.loading", "float64", "1", "current over rated current"),
    Field("line.overloaded", "bool", "1", "current is above its limit"),
    Field("line.relay", "int64", "1", "pending trip by overcurrent, -1 for none", -1),
    Field("line.tripped", "int8", "1", "opened by protection: 1 after a fault, 2 for overcurrent"),
    Field("line.event", "int64", "1", "event that last changed its state, -1 for none", -1),
    Field("line.until", "int64", "us", "when a failure of the scenario ends by itself, -1 for never", -1),
    Field("grid.changes", "int64", "1", "changes of state of substations and lines", 1),
    Field("grid.since", "int64", "us", "up to when lost supply has been added up"),
    Field("grid.dark", "int64", "1", "customers without power since then"),
    Field("grid.unserved", "float64", "W", "demand without power since then"),
    Field("grid.customer_minutes", "float64", "min", "customers without power, integrated"),
    Field("grid.energy", "float64", "J", "demand without power, integrated"),
    Field("grid.least_voltage", "float64", "pu", "lowest voltage of a bus with power so far", NEVER_MEASURED),
    Field("grid.unsolved", "int64", "1", "power flows without a solution"),
    Field("storage.energy", "float64", "J", "energy in store at the last change of power"),
    Field("storage.power", "float64", "W", "given to the grid, negative while it charges"),
    Field("storage.wanted", "float64", "W", "told to give, negative to charge"),
    Field("storage.since", "int64", "us", "when the power last changed"),
    Field("storage.pending", "int64", "1", "pending event of running empty or full, -1 for none", -1),
)
_UNTIL_REPAIR = Option("duration", "until it works again; 0 for until it is repaired", "quantity", 0.0, "s", low=0.0)
_CUT = Option("duration", "until supply returns; 0 for the rest of the run", "quantity", 0.0, "s", low=0.0)
_CLOSED = Option("value", "1 to close, 0 to open", "integer", None, low=0, high=1)
_STORM = (
    Option("probability", "chance that a kilometre of line fails", "number", None, low=0.0, high=1.0),
    Option("duration", "time over which the failures are spread", "quantity", None, "s", low=0.0),
)
_AWAY = (
    Option("value", "share of the demand that is away, 0 for none", "number", None, low=0.0, high=1.0),
    Option("duration", "until people are back; 0 for the rest of the run", "quantity", 0.0, "s", low=0.0),
)
_SHED = Option("value", "1 to switch off, 0 to switch on", "integer", None, low=0, high=1)
_GIVE = Option("value", "power to give, negative to charge", "quantity", None, "W")
EVENTS = (
    EventKind("substation_failure", "substations fail", "substations", (_UNTIL_REPAIR,), scenario=True),
    EventKind("line_failure", "lines fail", "lines", (_UNTIL_REPAIR,), scenario=True),
    EventKind("switch", "lines are closed (value 1) or opened (0)", "lines", (_CLOSED,), scenario=True),
    EventKind("blackout", "the transmission grid supplies substations no more", "substations", (_CUT,), scenario=True),
    EventKind("storm", "wind breaks lines, each by its own luck", "lines", _STORM, scenario=True),
    EventKind("power_repair", "a substation (data 0) or line (data 1) works again", "substations|lines"),
    EventKind("failure_end", "a failure of the scenario ends, of a substation or a line", "substations|lines"),
    EventKind("blackout_end", "the transmission grid supplies again", "substations"),
    EventKind("evacuate", "people of zones are away, and with them demand", "zones", _AWAY, scenario=True),
    EventKind("evacuation_end", "people of a scenario's zones are back", "zones"),
    EventKind("shed_load", "loads of zones are switched off (value 1) or on (0)", "zones", (_SHED,), True),
    EventKind("dispatch_storage", "batteries are told what to give", "storages", (_GIVE,), scenario=True),
    EventKind("storage_limit", "a battery is empty or full", quiet=True),
    EventKind("flisr", "faults are isolated and ties closed for those cut off", "", (), scenario=True),
    EventKind("overcurrent_trip", "the relay of a line opens it", "lines"),
    EventKind("load_tick", "demand follows the time of day", quiet=True),
)

TELLS = (
    EventKind("outage", "customers lose supply, from the first of `data` buses on", "buses", unit="customers"),
    EventKind("supply_back", "customers have supply again", "buses", unit="customers"),
    EventKind("line_opened", "a switch opens", "lines"),
    EventKind("line_closed", "a switch closes", "lines"),
    EventKind("line_overload", "the load of a line passes its limit", "lines", unit="of its rating"),
    EventKind("line_relieved", "the load of a line is within its limit", "lines", unit="of its rating"),
    EventKind("breaker_trip", "a breaker clears a fault", "lines"),
    EventKind("substation_trip", "water switches a substation off", "substations", unit="m"),
    EventKind("voltage_low", "the voltage falls below its limit", "buses", unit="pu"),
    EventKind("voltage_normal", "the voltage is within its limits", "buses", unit="pu"),
    EventKind("voltage_high", "the voltage rises above its limit", "buses", unit="pu"),
    EventKind("power_unsolved", "the flow of power has no solution", "buses", unit="W"),
)
KPIS = (
    Kpi("customer_minutes_lost", "min", "lower", "customers times minutes without power", 1000.0),
    Kpi("energy_not_supplied_kwh", "kWh", "lower", "energy that customers without power would have used", 100.0),
    Kpi("saidi", "min", "lower", "minutes of sustained interruption per customer", 1.0),
    Kpi("saifi", "1", "lower", "sustained interruptions per customer", 0.02),
    Kpi("caidi", "min", "lower", "minutes per sustained interruption, 0 without any", 2.0),
    Kpi("voltage_min", "pu", "higher", "lowest voltage at a bus with power", 0.005),
)
SERIES = (Kpi("customers_without_power", "1", "lower", "customers without power", 1.0),)
OPTIONS = (
    Option(
        "trip_depth",
        "flood water at which a substation trips",
        "quantity",
        0.3,
        "m",
        low=0.0,
        parameter="hazard.substation_trip_depth",
    ),
    Option("load_every", "time between steps of the daily load profile", "quantity", 900.0, "s", low=1.0),
    Option("power_factor", "of demand that other models add to a bus", "number", 0.9, low=0.1, high=1.0),
    Option("cold_load", "load when supply comes back after long, over the usual; 1 for none", "number", 1.0, low=1.0),
    Option("cold_build", "time without supply after which a load is wholly cold", "quantity", 3600.0, "s", low=1.0),
    Option("cold_decay", "time in which the excess of a cold load falls to 37 %", "quantity", 1800.0, "s", low=1.0),
    Option("overcurrent", "loading at which relays of lines start; 0 for no relays", "number", 0.0, low=0.0),
    Option("overcurrent_delay", "until they trip; 0 for the inverse curve", "quantity", 0.0, "s", low=0.0),
    Option("time_multiplier", "of the inverse curve", "number", 0.1, low=0.01),
    Option("voltage_low", "voltage below which a bus is reported, pu", "number", 0.9, low=0.0),
    Option("voltage_high", "voltage above which a bus is reported, pu", "number", 1.1, low=0.5),
    Option("loading_high", "loading above which a line is reported", "number", 1.0, low=0.0),
)
