"""What the emergency model owns, handles, offers and reports."""

from __future__ import annotations

from twin.contract import EventKind, Kpi, Option, Resource
from twin.fields import Field
from twin.models.travel import leg_fields

FUTURE, RINGING, TALKING, WAITING, DISPATCHED, ON_SCENE, TRANSPORT, AT_HOSPITAL, SERVED, ABANDONED = range(10)
AT_STATION, ALERTED, TO_SCENE, AT_SCENE, TO_HOSPITAL, IN_HOSPITAL, RETURNING = range(7)

NOT_FREE, NO_DISPATCHER = 1, 2

FIELDS = (
    Field("call.stage", "int8", "1", "0 not yet, 1 ringing ... 8 served, 9 abandoned", observable=True),
    Field("call.node", "int32", "1", "where it happens, -1 until triaged", -1, observable=True),
    Field("call.priority", "int8", "1", "priority found by triage, 0 until then", observable=True),
    Field("call.rung", "int64", "us", "when it rang", -1, observable=True),
    Field("call.triaged", "int64", "us", "when triage ended", -1, observable=True),
    Field("call.dispatched", "int64", "us", "when a unit was ordered", -1, observable=True),
    Field("call.on_scene", "int64", "us", "when the unit arrived", -1, observable=True),
    Field("call.at_hospital", "int64", "us", "when the unit reached the hospital", -1, observable=True),
    Field("call.bay", "int64", "us", "when a bay was free for it", -1, observable=True),
    Field("call.closed", "int64", "us", "when it was served or abandoned", -1, observable=True),
    Field("call.unit", "int32", "1", "unit sent, -1 for none", -1, observable=True),
    Field("call.event", "int64", "1", "last logged event of the call", -1),
    Field("unit.free", "bool", "1", "may be sent to a call", 1),
    Field("unit.stage", "int8", "1", "0 at station, 1 alerted ... 6 returning"),
    Field("unit.call", "int32", "1", "call it works on, -1 for none", -1),
    Field("unit.hospital", "int32", "1", "hospital it drives to, -1 for none", -1),
    Field("unit.job", "int64", "1", "its job, -1 for none", -1),
    Field("unit.order", "int64", "1", "event of its last dispatch", -1),
    Field("dispatcher.idle", "bool", "1", "handles no dispatch", 1, observable=True),
    Field("desk.failed_orders", "int64", "1", "orders that could not be carried out"),
    Field("desk.roads", "int64", "1", "checksum of open links when last looked at"),
    *leg_fields("unit"),
)

EVENTS = (
    EventKind(
        "surge",
        "extra calls in an area",
        target="zones",
        params=(
            Option("calls", "calls it brings", "integer", low=1, high=100_000),
            Option("duration", "time over which they ring", "quantity", unit="s", low=0),
        ),
        scenario=True,
    ),
    EventKind("call_rings", "somebody calls the emergency number", target="call"),
    EventKind("dispatch", "order: send unit `value` to a call", target="call"),
    EventKind("dispatcher_free", "a dispatcher has handled an order", target="dispatcher"),
    EventKind("unit_reroute", "a road ahead of a unit closed, or one opened for a waiting unit", target="unit"),
)

OPTIONS = (
    Option("calls_factor", "multiplies the city's calls per day", default=1.0, low=0, high=100),
    Option("call_takers", "people who answer calls", "integer", 4, low=1, high=10_000),
    Option("dispatchers", "people who send units", "integer", 4, low=1, high=10_000),
    Option("dispatch_time", "work of a dispatcher per order (assumption)", "quantity", 30.0, "s", low=0),
    Option("patience", "a caller hangs up after this time unanswered (assumption)", "quantity", 300.0, "s", low=1),
    Option("triage_error", "share of calls given a priority one level off (assumption)", default=0.1, low=0, high=1),
    Option(
        "spread",
        "coefficient of variation of all durations (16.5 / 35.6: Vandeventer 2011)",
        default=0.46,
        low=0,
        high=10,
    ),
    Option("siren_share", "part of congestion a unit with siren feels (assumption)", default=0.5, low=0, high=1),
    Option("retime", "interval at which legs are timed again", "quantity", 300.0, "s", low=1),
    Option("track", "interval at which units report their node", "quantity", 15.0, "s", low=1),
    Option(
        "dark_factor", "handover takes longer in a hospital without power (assumption)", default=1.5, low=1, high=100
    ),
)

RESOURCES = (
    Resource("call_taker", "desk", "call_takers", "people who answer calls"),
    Resource("hospital_bay", "hospital", "bays", "emergency bays of a hospital"),
)

KPIS = (
    Kpi("response_mean", "s", "lower", "mean time from ring to unit on scene, calls reached", 15.0),
    Kpi("response_p90", "s", "lower", "90th percentile of the same", 30.0),
    Kpi("late_share", "1", "lower", "calls reached later than their target or waiting beyond it, of all such", 0.02),
    Kpi("calls_served", "1", "higher", "calls closed with help given", 1.0),
    Kpi("calls_open", "1", "lower", "calls that wait for a unit at the end", 1.0),
    Kpi("hospital_wait", "s", "lower", "mean wait for a bay", 30.0),
)
SERIES = (
    Kpi("calls_waiting", "1", "lower", "calls without a unit", 1.0),
    Kpi("units_busy", "1", "lower", "units on calls", 1.0),
)

PROCEDURES = {
    "call": ("answer", "talk", "triaged", "hung_up"),
    "mission": (
        "alert",
        "mobilise",
        "depart",
        "drive",
        "scene",
        "leave",
        "carry",
        "door",
        "handover",
        "clear",
        "back",
        "home",
    ),
    "tracking": ("look",),
}
