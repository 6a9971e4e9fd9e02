"""List the fields, events, options and figures of the restoration model."""

from __future__ import annotations

from twin.contract import EventKind, Kpi, Option
from twin.fields import Field
from twin.models.assets import TABLES
from twin.models.travel import leg_fields

STAGES = (
    "at depot",
    "driving",
    "inspecting",
    "waiting",
    "repairing",
    "testing",
    "returning",
    "isolating",
    "loading",
    "off duty",
    "preparing",
    "standing",
)
(
    AT_DEPOT,
    DRIVING,
    INSPECTING,
    WAITING,
    REPAIRING,
    TESTING,
    RETURNING,
    ISOLATING,
    LOADING,
    OFF_DUTY,
    PREPARING,
    STANDING,
) = range(len(STAGES))

FIELDS = (
    Field(
        "repair.reported",
        "int64",
        "us",
        "when the desk listed it, -1 while nothing is known",
        -1,
        observable=True,
        traced=True,
    ),
    Field("repair.assigned", "bool", "1", "a crew is on it", observable=True),
    Field("repair.settled", "int64", "us", "when a crew last said that it is sound", -1, observable=True),
    Field("repair.failed_at", "int64", "us", "when it failed, -1 while it works", -1),
    Field("repair.left", "int64", "us", "work left by a crew that went off, -1 for none", -1),
    Field("repair.begun", "bool", "1", "a crew said that the work itself has begun", observable=True),
    Field("repair.isolated", "bool", "1", "its valves are closed for the repair"),
    Field("repair.count", "int64", "1", "times it came back into service"),
    Field("repair.outage", "int64", "us", "time out of service until it came back, in total"),
    Field("repair.mended", "int64", "1", "times a crew put it back"),
    Field("crew.free", "bool", "1", "on duty, may be sent to a repair", 1, observable=True),
    Field("crew.on_duty", "bool", "1", "within its shift", 1, observable=True),
    Field("crew.stage", "int8", "1", "what it does, see STAGES", observable=True),
    Field("crew.asset", "int32", "1", "asset it works on, -1 for none", -1, observable=True),
    Field("crew.job", "int64", "1", "its job, -1 for none", -1),
    Field("crew.goal", "int64", "1", "street node it works at or drives to, -1 for none", -1),
    Field("crew.left", "int64", "us", "work left on the asset when it began or was broken off"),
    Field("crew.since", "int64", "us", "when its present stage began"),
    Field("crew.time", "int64", "us", "time spent in each stage that has ended", width=(len(STAGES),)),
    Field("crew.kits", "int64", "1", "kits of material on the truck"),
    Field("stock.kits", "int64", "1", "kits of material in each depot"),
    Field("crew_desk.roads", "int64", "1", "checksum of open links when last looked at"),
    *leg_fields("crew", observable=True),
)

EVENTS = (
    EventKind("repair", "order: send crew `value` to an asset", target="repair", row="crew"),
    EventKind("crew_look", "something changed where a crew drives, waits or works", target="crew"),
    EventKind("crew_shift", "a crew goes on (data 1) or off duty (data 0)", target="crew"),
    EventKind("repair_report", "word of a failure that no sensor shows reaches the desk", target="repair", quiet=True),
    EventKind("restock", "every depot has its material again"),
)

_ASSET = "|".join(TABLES)
TELLS = (
    EventKind("repair_wanted", "the desk knows of an asset to repair", _ASSET),
    EventKind("repair_refused", "an order could not be carried out", _ASSET, row="crew"),
    EventKind("repair_broken_off", "a crew has left its work, with so much left to do", _ASSET, unit="s"),
    EventKind("repair_done", "an asset works again", _ASSET, row="crew"),
    EventKind("crew_sent", "a crew sets out", _ASSET, row="crew"),
    EventKind("crew_on_site", "a crew has come", _ASSET, row="crew"),
    EventKind("crew_free", "a crew can be sent", "crew"),
)


def _time(name: str, meaning: str, seconds: float) -> Option:
    return Option(name, meaning, "quantity", seconds, "s", low=0)


OPTIONS = (
    _time("mobilisation", "time to leave a depot (assumption)", 600.0),
    _time("preparation", "time before each further trip (assumption)", 0.0),
    _time("linger", "time a crew stays on site for another order (assumption)", 0.0),
    Option("inspection", "time to find the fault; overrides the table", "quantity", -1.0, "s", low=-1),
    Option("isolation", "time to isolate it; overrides the table", "quantity", -1.0, "s", low=-1),
    Option("test", "time to test before switching on; overrides the table", "quantity", -1.0, "s", low=-1),
    Option("spread", "coefficient of variation of repair times; overrides the table", default=-1.0, low=-1, high=10),
    Option("durations", "table of durations by asset and step, for the built-in one", "path", ""),
    Option("work_depth", "no work in deeper water (assumption)", "quantity", 0.3, "m", low=0),
    Option("retime", "interval at which legs are timed again", "quantity", 300.0, "s", low=1),
    _time("report_delay", "until people report a burst or a broken road (assumption)", 900.0),
    Option("shift_from", "local hour at which crews go on duty", default=0.0, low=0, high=24),
    Option(
        "shift_to", "local hour at which they go off duty; 24 with 0 for day and night", default=24.0, low=0, high=24
    ),
    Option("kits", "kits of material in each depot, one a repair; 0 for no limit", "integer", 0, low=0),
    Option("carries", "kits a truck carries", "integer", 2, low=1),
    Option("restock", "interval at which depots get their kits again", "quantity", 86400.0, "s", low=60),
)

KPIS = (
    Kpi("repairs_done", "1", "higher", "assets that crews put back into service", 1.0),
    Kpi("mean_restoration_time", "s", "lower", "mean time from failure to service, assets back in service", 300.0),
    Kpi("assets_out_at_end", "1", "lower", "assets out of service at the end", 1.0),
)
SERIES = (Kpi("crews_busy", "1", "lower", "crews on repairs", 1.0),)
