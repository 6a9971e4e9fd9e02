"""Keys of a scenario file: one table for reading, the schema, the template and the manual."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from twin.contract import Option
from twin.scenario.problems import Problems
from twin.scenario.tree import Node


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a mapping.

    shape    "mapping", "list", "value" or "any"
    default  what a missing key stands for, as text; "" for nothing
    in_arm   whether an arm may change it
    open     whether a sweep or distribution may stand for the value
    """

    name: str
    meaning: str
    shape: str = "value"
    required: bool = False
    default: str = ""
    example: str = ""
    in_arm: bool = False
    open: bool = False


LONGEST_NAME = 100
"""Most letters of a name that becomes a folder (a name may take 255 bytes: POSIX, NAME_MAX)."""

GENERATORS = ("sweep", "range", "distribution")
"""Keys that make a mapping stand for several values."""


TOP = (
    Key("scenario", "name of the suite: a-z, 0-9 and _", required=True, example="flood_night"),
    Key("title", "one line for people", in_arm=True, example="Flood night with a blackout"),
    Key("base", "scenario this one is laid over, a file or an embedded name", example="nusantara"),
    Key("city", "which city", "mapping", required=True, in_arm=True, example="nusantara"),
    Key("start", "local time of the city", required=True, in_arm=True, open=True, example="2026-01-15 17:00"),
    Key("duration", "length of the run", required=True, in_arm=True, open=True, example="6 h"),
    Key("seed", "seed of the first replication", default="1", example="1"),
    Key("replications", "runs per arm, seeds seed, seed + 1, ..., or {first, cap}", "any", default="1", example="10"),
    Key("seeds", "seeds of the replications, one run per arm each, instead of seed and replications", "list"),
    Key("models", "models that run", "any", default="all the city has tables for", in_arm=True, example="[traffic]"),
    Key("options", "component -> option -> value", "mapping", in_arm=True),
    Key("policy", "role -> policy, or {name, option: value}", "mapping", in_arm=True),
    Key("feeds", "sensor feeds, or {feed, option: value}", "list", in_arm=True),
    Key("record", "what is recorded", "mapping", in_arm=True),
    Key("events", "what happens, and where", "list", in_arm=True),
    Key("arms", "name -> changes; what is compared", "mapping"),
    Key("vary", "deltas as a list (union), or axes as a mapping (product)", "any", in_arm=True),
    Key("compare", "how arms are compared", "mapping"),
    Key("expect", "figures the runs must show, 'kpi < value'", "any"),
)
CITY = (
    Key("name", "embedded city", example="nusantara"),
    Key("folder", "folder of a built city", example="cities/mine"),
    Key("osm", "OpenStreetMap extract (.osm.pbf, .osm, .osm.gz)", example="my.osm.pbf"),
    Key("tntp", "TNTP network (_net.tntp)", example="SiouxFalls_net.tntp"),
    Key("scale", "size of a generated city, 1 = its own size", default="1"),
    Key("counts", "traffic counts that belong to an extract (.csv)"),
    Key("options", "settings of the importer", "mapping"),
)
SOURCES = ("name", "folder", "osm", "tntp")
EVENT = (
    Key("at", "'+2 h' after the start, a local time, or HH:MM", required=True, example="+2 h"),
    Key("kind", "kind of event", required=True, example="flood"),
    Key("where", "what it acts on: all, or one way to select", "any", example="all"),
)
WHERE = (
    Key("id", "ids of rows of the event's table", "any"),
    Key("name", "names of rows of the event's table", "any"),
    Key("street", "street names", "any"),
    Key("polygon", "GeoJSON file, or a list of [lon, lat]", "any"),
    Key("lon", "longitude of a circle's centre, degrees east"),
    Key("lat", "latitude of a circle's centre, degrees north"),
    Key("radius", "radius of the circle, for example 2 km"),
)
RECORD = (
    Key("every", "interval of the recorded series", default="5 min", example="5 min"),
    Key("state", "whether the full state is kept at every interval; large", default="false", example="false"),
)
STAGES = (
    Key("first", "runs per arm of the first stage", default="10", example="10"),
    Key("cap", "most runs per arm; reached when judged kpis stay imprecise", required=True, example="60"),
)
COMPARE = (
    Key("baseline", "arm the others are held against", default="the first arm"),
    Key("kpis", "kpi -> {margin: value}: differences that do not matter", "mapping"),
    Key("confidence", "confidence level of intervals", default="0.95"),
)
KPI = (
    Key("margin", "difference that does not matter, in the unit of the kpi"),
    Key("direction", "what is better, lower or higher", default="as the model says"),
)
LABEL = Key("label", "name of an entry of vary: letters, digits and _")
SWEEP = (
    Key("sweep", "values, one arm each", "list", example="[0.2, 0.4]"),
    Key("range", "evenly spaced values, one arm each", "mapping"),
)
RANGE = (
    Key("from", "first value", required=True),
    Key("to", "last value", required=True),
    Key("count", "how many"),
    Key("step", "difference of two values"),
)
DISTRIBUTION = (
    Key("distribution", "uniform, triangular, normal or lognormal", required=True),
    Key("low", "least value; of uniform and triangular, or a limit"),
    Key("mode", "most likely value of triangular"),
    Key("high", "largest value; of uniform and triangular, or a limit"),
    Key("mean", "mean of normal and lognormal before limits"),
    Key("sd", "standard deviation of normal"),
    Key("cv", "coefficient of variation of lognormal"),
)

MOST_REPLICATIONS = 10_000
"""Most runs per arm; seeds count on from the first one, so it stays this far below 2**63."""

SEED = Option("seed", "seed of the first replication", "integer", 1, low=0, high=2**62)
REPLICATIONS = Option("replications", "runs per arm", "integer", 1, low=1, high=MOST_REPLICATIONS)
FIRST = Option("first", "runs per arm of the first stage", "integer", 10, low=2, high=MOST_REPLICATIONS)
CAP = Option("cap", "most runs per arm", "integer", low=2, high=MOST_REPLICATIONS)
DIRECTION = Option("direction", "what is better", "choice", choices=("lower", "higher"))
SCALE = Option("scale", "size of a generated city", "number", 1, low=1e-3, high=100)
STATE = Option("state", "whether the full state is kept at every interval", "flag", False)
CONFIDENCE = Option("confidence", "confidence level of intervals", "number", 0.95, low=0.5, high=0.9999)
LONGITUDE = Option("lon", "degrees east", "number", low=-180, high=180)
LATITUDE = Option("lat", "degrees north", "number", low=-90, high=90)
RADIUS = Option("radius", "radius of the circle", "quantity", unit="m", low=0)


def check_keys(node: Node, keys: Sequence[Key], what: str, problems: Problems, extra: Iterable[str] = ()) -> bool:
    """Note unknown, missing and misshapen keys of a mapping; tell whether it is a mapping at all.

    extra  further names that are known here, for example an event's own parameters
    """
    if not node.is_mapping:
        problems.add(node.mark, "E105", f"{what} takes keys and values", [key.name for key in keys])
        return False
    known = {key.name: key for key in keys}
    allowed = [*known, *extra]
    for name, value in node.value.items():
        if name not in allowed:
            problems.add(node.key_mark(name), "E110", f"unknown key {name!r} of {what}", allowed, name)
        elif name in known:
            _check_shape(value, known[name], what, problems)
    for key in keys:
        if key.required and node.get(key.name) is None:
            example = f", for example {key.name}: {key.example}" if key.example else ""
            problems.add(node.mark, "E111", f"{what} needs {key.name}: {key.meaning}{example}")
    return True


def _check_shape(value: Node, key: Key, what: str, problems: Problems) -> None:
    if key.open and value.is_mapping and any(value.get(name) is not None for name in GENERATORS):
        return
    fits = {"mapping": value.is_mapping, "list": value.is_list, "value": value.is_scalar, "any": True}[key.shape]
    if not fits and value.value is not None:
        problems.add(value.mark, "E105", f"{key.name} of {what} must be a {key.shape}: {key.meaning}")
