"""What the emergency model owns, handles, offers and reports."""

from __future__ import annotations

from twin.contract import EventKind, Kpi, Option, Resource
from twin.fields import Field
from twin.models.emergency.convoy import convoy_fields
from twin.models.emergency.incidents import MASS_CASUALTY
from twin.models.travel import leg_fields

FUTURE, RINGING, TALKING, WAITING, DISPATCHED, ON_SCENE, TRANSPORT, AT_HOSPITAL, SERVED, ABANDONED, TRANSFERRED = range(
    11
)
AT_STATION, ALERTED, TO_SCENE, AT_SCENE, TO_HOSPITAL, IN_HOSPITAL, RETURNING, OFF_DUTY, GOING_OFF = range(9)

NOT_FREE, NO_DISPATCHER, NOT_ABLE, NO_PLACE = 1, 2, 3, 4
CLOSED_HUNG_UP, CLOSED_SERVED, CLOSED_HANDED_ON = 0.0, 1.0, 2.0

FIELDS = (
    Field("call.stage", "int8", "1", "0 not yet, 1 ringing ... 8 served, 9 abandoned, 10 transferred", observable=True),
    Field("call.node", "int32", "1", "where it happens, -1 until triaged", -1, observable=True),
    Field("call.priority", "int8", "1", "priority found by triage, 0 until then", observable=True),
    Field("call.rung", "int64", "us", "when it rang", -1, observable=True),
    Field("call.answered", "int64", "us", "when the first call-taker answered", -1, observable=True),
    Field("call.triaged", "int64", "us", "when triage ended", -1, observable=True),
    Field("call.dispatched", "int64", "us", "when a unit was ordered", -1, observable=True),
    Field("call.on_scene", "int64", "us", "when the unit arrived", -1, observable=True),
    Field("call.at_hospital", "int64", "us", "when the unit reached the hospital", -1, observable=True),
    Field("call.bay", "int64", "us", "when a bay was free for it", -1, observable=True),
    Field("call.closed", "int64", "us", "when it was served or abandoned", -1, observable=True),
    Field("call.unit", "int32", "1", "unit sent, -1 for none", -1, observable=True),
    Field("call.event", "int64", "1", "last logged event of the call", -1),
    Field("call.incident", "int32", "1", "first call of its incident, -1 until triaged", -1, observable=True),
    Field("call.kind", "int8", "1", "kind of incident found by triage, -1 until then", -1, observable=True),
    Field("call.desk", "int8", "1", "desk its caller speaks to"),
    Field("call.need", "int64", "1", "capabilities a unit must have, 0 for any unit", observable=True),
    Field("call.work", "int64", "us", "work on scene that others add: a fire that has grown", group=True),
    Field("call.worked", "int64", "us", "work added by others that has been begun"),
    Field("call.scenario", "int32", "1", "event of the scenario that raised the alarm, -1 for none", -1),
    Field("call.fights", "bool", "1", "request of an alarm for a unit that pumps water"),
    Field("call.help", "int8", "1", "stage of a call that an alarm brought, 0 for other calls", traced=True),
    Field(
        "call.held",
        "int16",
        "1",
        "reasons why its unit stays on scene, added by others: a fire burns",
        group=True,
        traced=True,
    ),
    Field("call.preempted", "int16", "1", "times a unit was taken from it", observable=True),
    Field("call.worsened", "int8", "1", "times it became more urgent while nobody had come", observable=True),
    Field("call.sorted", "bool", "1", "the first unit on scene has begun to sort casualties"),
    Field("unit.free", "bool", "1", "may be sent to a call", 1),
    Field("unit.stage", "int8", "1", "0 at station, 1 alerted ... 6 returning, 7 off duty, 8 going off"),
    Field("unit.call", "int32", "1", "call it works on, -1 for none", -1),
    Field("unit.hospital", "int32", "1", "hospital it drives to, -1 for none", -1),
    Field("unit.job", "int64", "1", "its job, -1 for none", -1),
    Field("unit.quiet", "bool", "1", "drives without siren"),
    Field("unit.order", "int64", "1", "event of its last dispatch", -1),
    Field("unit.duty", "bool", "1", "its crew is on duty", 1, observable=True),
    Field("unit.can", "int64", "1", "set of its capabilities", observable=True),
    Field("unit.station", "int32", "1", "station it goes back to", observable=True),
    Field("unit.held", "bool", "1", "its work on scene is done, but it has to stay"),
    Field("unit.shift", "int32", "1", "shift changes so far"),
    Field("unit.overtime", "int64", "us", "work beyond the end of shifts"),
    Field("unit.ended", "int64", "us", "when its shift ended, -1 on or off duty", -1),
    Field("unit.asked", "bool", "1", "unit of a neighbour that has been asked for", observable=True),
    Field("hospital.diverts", "bool", "1", "sends ambulances elsewhere", observable=True, traced=True),
    Field("hospital.ordered", "bool", "1", "diverts by order"),
    Field("hospital.present", "int32", "1", "ambulances in a bay or waiting for one", observable=True),
    Field("hospital.queue", "int32", "1", "ambulances that wait for a bay", observable=True),
    Field("hospital.diverted", "int64", "1", "patients brought elsewhere because of diversion"),
    Field("hospital.waterless", "int16", "1", "reasons why it has no water, added by others", group=True),
    Field("taker.away", "bool", "1", "not at the desk", observable=True),
    Field("taker.absence", "int32", "1", "absences so far"),
    Field("dispatcher.idle", "bool", "1", "handles no dispatch", 1, observable=True),
    Field("desk.failed_orders", "int64", "1", "orders that could not be carried out"),
    Field("desk.preempted", "int64", "1", "units taken from a less urgent call"),
    Field("desk.moves", "int64", "1", "units moved to another station"),
    Field(
        "desk.upgrade",
        "bool",
        "1",
        "a unit may be taken from a call of priority row + 1 for one of column + 1",
        width=(3, 3),
        observable=True,
    ),
    Field("desk.fires", "bool", "1", "the plan says who goes to fires"),
    Field("desk.roads", "int64", "1", "checksum of open links when last looked at"),
    *leg_fields("unit"),
    *convoy_fields("unit"),
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
    MASS_CASUALTY,
    EventKind("alarm", "somebody calls about what event `data` of the scenario has begun", quiet=True),
    EventKind("patient_waits", "a patient has waited so long as to get worse if nobody has come", "call", quiet=True),
    EventKind("casualty_found", "the first unit on scene has sorted a patient", target="call", quiet=True),
    EventKind("incident_declared", "triage has found an incident that needs several units", target="call"),
    EventKind("mass_casualty_declared", "triage has found an incident with many injured", target="call"),
    EventKind("incident_closed", "every request of such an incident has ended", target="call"),
    EventKind("move", "order: make station `value` the place a unit goes back to", target="unit", row="stations"),
    EventKind("shift_change", "a crew comes on or goes off duty", target="unit"),
    EventKind(
        "request_aid",
        "neighbours are asked for units",
        params=(Option("units", "how many", "integer", 1, low=1, high=1000),),
        scenario=True,
    ),
    EventKind("divert", "hospitals send ambulances elsewhere", "hospitals", scenario=True),
    EventKind("accept", "hospitals take ambulances again", "hospitals", scenario=True),
    EventKind("call_rings", "somebody calls the emergency number", target="call"),
    EventKind("dispatch", "order: send unit `value` to a call", target="call", row="unit"),
    EventKind("dispatcher_free", "a dispatcher has handled an order", target="dispatcher"),
    EventKind("unit_reroute", "a road ahead of a unit closed, or one opened for a waiting unit", target="unit"),
)

TELLS = (
    EventKind("aid_promised", "neighbours will send units", unit="units"),
    EventKind("aid_failed", "no neighbour has units left to send", unit="units"),
    EventKind("call_triaged", "triage has found a priority", "call", row="priority"),
    EventKind("call_put_through", "the call goes to the desk of another service", "call", row="desk"),
    EventKind("call_closed", "a call has ended: the caller hung up (0), was served (1) or handed on (2)", "call"),
    EventKind("call_late", "a unit came later than the target", "call", unit="s"),
    EventKind("call_preempted", "a more urgent call takes the unit away", "call", row="unit"),
    EventKind("dispatch_failed", "an order could not be carried out, for reason `data`", "call", row="unit"),
    EventKind("diversion", "a hospital sends ambulances elsewhere", "hospitals"),
    EventKind("diversion_ends", "a hospital takes ambulances again", "hospitals"),
    EventKind("move_failed", "a unit could not be moved, for reason `data`", "unit", row="stations"),
    EventKind("patient_worsens", "a patient has waited so long as to become more urgent", "call", row="priority"),
    EventKind("unit_at_hospital", "a unit brings a patient", "call", row="hospitals"),
    EventKind("unit_dispatched", "a unit is sent", "call", row="unit"),
    EventKind("unit_diverted", "a patient goes to another hospital than the nearest", "call", row="hospitals"),
    EventKind("unit_free", "a unit can be sent", "unit"),
    EventKind("unit_moved", "a unit now goes back to another station", "unit", row="stations"),
    EventKind("unit_on_scene", "a unit is with the caller, so long after the call rang", "call", unit="s"),
)

_BAD = ("refuse", "leave_out")
ALWAYS, URGENT = "always", "urgent"
TIMES, VEHICLES = "times", "vehicles"
_LAWS = ("lognormal", "exponential")

OPTIONS = (
    Option("calls_factor", "multiplies the city's calls per day", default=1.0, low=0, high=100),
    Option("call_takers", "people who answer calls", "integer", 4, low=1, high=10_000),
    Option("dispatchers", "people who send units", "integer", 4, low=1, high=10_000),
    Option("dispatch_time", "work of a dispatcher per order (assumption)", "quantity", 30.0, "s", low=0),
    Option("service", "plan of units, rosters, desks and incidents (.yaml)", "path", ""),
    Option("calls", "table of calls to replay instead of drawn ones (.csv)", "path", ""),
    Option("bad_calls", "what to do with rows of it that cannot be used", "choice", "refuse", choices=_BAD),
    Option("talk_law", "distribution of the talk with a caller", "choice", "lognormal", choices=_LAWS),
    Option("patience_law", "distribution of patience", "choice", "fixed", choices=("fixed", "exponential")),
    Option(
        "answer_target",
        "a call is to be answered within (NENA-STA-020.1-2020: 90 % in 15 s)",
        "quantity",
        15.0,
        "s",
        low=0,
    ),
    Option(
        "worsens_after",
        "a patient nobody has reached becomes more urgent each time so long has passed; 0: never (assumption)",
        "quantity",
        0.0,
        "s",
        low=0,
    ),
    Option("aid_hours", "a neighbour's unit stays this long (assumption)", "quantity", 14400.0, "s", low=1),
    Option("divert_dark", "a hospital without power or water sends ambulances elsewhere", "flag", default=False),
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
    Option(
        "drive",
        "units drive by published travel times, or link by link among the vehicles of the traffic",
        "choice",
        TIMES,
        choices=(TIMES, VEHICLES),
    ),
    Option(
        "siren",
        "units drive with siren always, or only to calls of priority 1 and 2 and to hospital with priority 1",
        "choice",
        ALWAYS,
        choices=(ALWAYS, URGENT),
    ),
    Option("retime", "interval at which legs are timed again", "quantity", 300.0, "s", low=1),
    Option("track", "interval at which units report their node", "quantity", 15.0, "s", low=1),
    Option(
        "dark_factor", "handover takes longer in a hospital without power (assumption)", default=1.5, low=1, high=100
    ),
)

RESOURCES = (
    Resource("call_taker", "desk", "call_takers", "people who answer calls at each desk"),
    Resource("hospital_bay", "hospital", "bays", "emergency bays of a hospital"),
)

KPIS = (
    Kpi("response_mean", "s", "lower", "mean time from ring to unit on scene, calls reached", 15.0),
    Kpi("response_p90", "s", "lower", "90th percentile of the same", 30.0),
    Kpi("late_share", "1", "lower", "calls reached later than their target or waiting beyond it, of all such", 0.02),
    Kpi("calls_served", "1", "higher", "calls closed with help given", 1.0),
    Kpi("calls_open", "1", "lower", "calls that have not ended: waiting, or a unit is on its way or at work", 1.0),
    Kpi("calls_transferred", "1", "higher", "calls handed on to others after the talk", 1.0),
    Kpi("calls_abandoned", "1", "lower", "callers who hung up unanswered", 1.0),
    Kpi("answered_in_time", "1", "higher", "share of callers answered within the target, of all who rang", 0.02),
    Kpi("units_preempted", "1", "lower", "times a unit was taken from a less urgent call", 1.0),
    Kpi("hospital_diverted", "1", "lower", "patients brought elsewhere because a hospital diverted", 1.0),
    Kpi("patients_worsened", "1", "lower", "times a patient became more urgent before anybody came", 1.0),
    Kpi("survival_proxy", "1", "higher", "chance to survive of cardiac arrests reached like priority 1", 0.005),
    Kpi("hospital_wait", "s", "lower", "mean wait for a bay", 30.0),
)
SERIES = (
    Kpi("calls_waiting", "1", "lower", "calls without a unit", 1.0),
    Kpi("units_busy", "1", "lower", "units on calls", 1.0),
)

PROCEDURES = {
    "call": ("answer", "talk", "triaged", "hung_up", "connect", "second"),
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
    "absence": ("wait", "leave", "away", "back"),
}
