"""A small city and a few components, to read scenarios against."""

from __future__ import annotations

import numpy as np

from twin.city import City
from twin.contract import EventKind, Feed, Kpi, Model, Option, Policy
from twin.fields import Field
from twin.registry import Registry
from twin.scenario.scenario import Scenario

TOWN = """\
scenario: town
city: nusantara
start: 2026-01-15 17:00
duration: 6 h
models: [water]
"""


class Water(Model):
    """A model with one option of each kind."""

    name = "water"
    owns = (Field("node.depth", "float64", "m", "depth"),)
    options = (
        Option("every", "interval", "quantity", 300.0, "s", low=1.0),
        Option("share", "share of all", "number", 0.5, low=0.0, high=1.0),
        Option("rounds", "how often", "integer", 3),
        Option("method", "how", "choice", "fast", choices=("fast", "exact")),
        Option("loud", "whether it tells", "flag", False),
        Option("note", "what to say", "text", ""),
    )
    events = (
        EventKind("flood", "water rises", "nodes", (Option("peak", "depth", "quantity", None, "m", low=0.0),), True),
        EventKind("closure", "a street closes", "links", (), True),
        EventKind("alarm", "all hear it", "", (Option("level", "how loud", "integer", 1),), True),
        EventKind("flood_step", "an event of the run itself"),
    )
    kpi_list = (
        Kpi("depth_mean", "m", "lower", "mean depth", 0.1),
        Kpi("closed_time", "min", "lower", "time closed", 5.0),
    )


class Pipes(Model):
    """A model that needs what the toy city lacks."""

    name = "pipes"
    requires = ("pipes",)


class Follower(Model):
    """A model that needs a field of another."""

    name = "follower"
    requires = ("node.depth",)


class Orphan(Model):
    """A model that needs a field no component has."""

    name = "orphan"
    requires = ("ghost.value",)


class Tuned(Model):
    """A model that must be told a file, and takes parameters the city may lack."""

    name = "tuned"
    options = (Option("file", "what it is tuned to", "path"),)
    city_defaults = {"tuning": {"width": 3.0, "depth": 2.0}}


class Nearest(Policy):
    name = "nearest"
    role = "dispatch"
    options = (Option("speed", "assumed speed", "quantity", 10.0, "m/s", low=0.1),)


class Fair(Policy):
    name = "fair"
    role = "dispatch"


class Crews(Policy):
    name = "crews_first"
    role = "repair"


class Loops(Feed):
    name = "loops"
    options = (
        Option("file", "counts", "text", None),
        Option("latency", "delay", "quantity", 60.0, "s"),
    )
    events = (EventKind("silence", "loops stop", "links", (), True),)


def toy_registry():
    registry = Registry()
    for component in (Water, Pipes, Follower, Orphan, Tuned, Nearest, Fair, Crews, Loops):
        registry.add(component)
    return registry


def toy_city():
    """Return four nodes in a square of 1 km, with streets along three sides."""
    x, y = 466600 + 1000.0 * np.array([0, 1, 1, 0]), 9892800 + 1000.0 * np.array([0, 0, 1, 1])
    from pyproj import Transformer

    lon, lat = Transformer.from_crs(32750, 4326, always_xy=True).transform(x, y)
    place = {"x": x, "y": y, "lon": lon, "lat": lat}
    return City(
        name="square",
        title="Four nodes",
        driving_side="left",
        timezone="Asia/Makassar",
        crs=32750,
        tables={
            "nodes": {"id": np.array(["n0", "n1", "n2", "n3"]), **place},
            "links": {
                "id": np.array(["l0", "l1", "l2"]),
                "name": np.array(["Jalan Sepaku", "Jalan Nusantara", "Jalan Nusantara"]),
                "from_node": np.array([0, 1, 2]),
                "to_node": np.array([1, 2, 3]),
                "point_first": np.array([0, 2, 4]),
                "point_count": np.array([2, 2, 2]),
            },
            "points": {"x": x[[0, 1, 1, 2, 2, 3]], "y": y[[0, 1, 1, 2, 2, 3]]},
            "stations": {"id": np.array(["s0", "s1"]), "name": np.array(["West", "East"]), "node": np.array([0, 2])},
            "buses": {"id": np.array(["b0", "b1"]), **{key: column[:2] for key, column in place.items()}},
            "lines": {"id": np.array(["w0"]), "from_bus": np.array([0]), "to_bus": np.array([1])},
            "notes": {"id": np.array(["m0"])},
        },
    )


def written(folder, text, name="town.yaml"):
    """Write a scenario file and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def town(folder, extra="", text=TOWN, name="town.yaml"):
    """Return a scenario of the toy city with more lines."""
    return Scenario(written(folder, text + extra, name), (), toy_registry())


def codes(scenario, city=None):
    """Return the codes of a scenario's errors and their lines."""
    return [(p.code, p.line) for p in scenario.check(city or toy_city()) if p.is_error]
