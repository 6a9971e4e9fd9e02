"""The emergency calls of a run, drawn before it starts.

Calls are a Poisson process in time, its rate following the hour of day, thinned
from a constant rate (Lewis and Shedler, Naval Research Logistics 26, 1979), and
fall on the nodes of zones in proportion to population. Every number of a call
is keyed by the call, so that it is the same under every policy. `surge` events
of the scenario bring calls of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.errors import CityError
from twin.random import uniform

if TYPE_CHECKING:
    from twin.city import City
    from twin.contract import Setup
    from twin.models.emergency.replay import Replay

Array = np.ndarray[Any, Any]

PRIORITIES = 3
_SURGE_NUMBERS = 1_000_000_000

# What a city's parameters["emergency"] may leave out. Target of 8 min: the call category
# for life-threatening cases of NHS England until 2017; mobilisation: NFPA 1710 allows 60 s
# for medical calls; hospital time: mean 35.6 min, deviation 16.5 min, of which
# the drive to the bay is little (Vandeventer et al., Prehospital Emergency Care 15, 2011);
# the rest are assumptions.
DEFAULTS: Mapping[str, Any] = {
    "priority_shares": [0.3, 0.5, 0.2],
    "transport_share": [0.85, 0.75, 0.45],
    "profile": [1.0] * 24,
    "call_taking": [60.0, 90.0, 120.0],
    "mobilisation": 60.0,
    "scene": [900.0, 1200.0, 1200.0],
    "handover": 2136.0,
    "target_response": [480.0, 900.0, 1800.0],
}


@dataclass(frozen=True)
class CallList:
    """Calls of a run, one row a call: those of every day first, by time, then surges.

    number     (n_call,)  permanent number
    time       (n_call,)  us, when it rings
    node       (n_call,)  where it happens
    zone       (n_call,)
    priority   (n_call,)  true priority, 1 (life-threatening) to 3
    triaged    (n_call,)  priority the call-taker will find
    talk, mobilise, scene, handover  (n_call,)  us
    transport  (n_call,)  the patient goes to hospital
    surge      (n_call,)  number of the scenario event that brings it, -1 for none
    patience   (n_call,)  us after which an unanswered caller hangs up
    """

    number: Array
    time: Array
    node: Array
    zone: Array
    priority: Array
    triaged: Array
    talk: Array
    mobilise: Array
    scene: Array
    handover: Array
    transport: Array
    surge: Array
    patience: Array

    def taken(self, rows: Array) -> CallList:
        """Return some of the calls, in the order of their rows."""
        return CallList(*(getattr(self, f.name)[rows] for f in fields(CallList)))


def joined(parts: list[CallList]) -> CallList:
    """Return calls of several lists as one."""
    return CallList(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(CallList)))


def draw_calls(setup: Setup, replay: Replay | None = None) -> CallList:
    """Draw every call that can ring during a run, apart from mass-casualty incidents.

    replay  calls of a table, in the place of drawn ones
    """
    settings = emergency_settings(setup.city)
    if replay is None:
        number, time = _daily(setup, settings)
        zone = _pick(setup, number, np.asarray(setup.city["zones"]["population"], dtype=float))
        parts = [describe(setup, number, time, zone, -1)]
    else:
        parts = [_replayed(setup, replay)]
    for index, event in enumerate(setup.events):
        if event.kind == "surge":
            parts.append(_surge(setup, index, event))
    return joined(parts)


def _replayed(setup: Setup, replay: Replay) -> CallList:
    """Return the calls of a table; what it does not tell is drawn."""
    number = np.arange(replay.time.shape[0])
    nodes, zones = setup.city["nodes"], setup.city["zones"]
    east = np.asarray(nodes["x"])[replay.node, None] - np.asarray(zones["x"])
    north = np.asarray(nodes["y"])[replay.node, None] - np.asarray(zones["y"])
    zone = np.hypot(east, north).argmin(axis=1) if number.size else number
    made = describe(setup, number, replay.time, zone, -1, replay.priority)
    return replace(made, node=replay.node)


def emergency_settings(city: City) -> dict[str, Any]:
    """Return the emergency parameters of a city, completed by the table of defaults.

    Raises CityError when the city does not say how many calls a day brings.
    """
    given = city.parameters.get("emergency", {})
    if "calls_per_day" not in given:
        raise CityError(
            f"city {city.name} has no parameters.emergency.calls_per_day; "
            "give it, or leave the model 'emergency' out of the scenario"
        )
    return {**city.settings("emergency", DEFAULTS), "calls_per_day": given["calls_per_day"]}


def target_times(city: City) -> Array:
    """Return the response time (s) wanted for each priority; (3,)."""
    return np.asarray(emergency_settings(city)["target_response"], dtype=float)


def _daily(setup: Setup, settings: Mapping[str, Any]) -> tuple[Array, Array]:
    """Return numbers and times (us) of calls by thinning."""
    profile = np.asarray(settings["profile"], dtype=float)
    profile = profile / profile.mean()
    per_second = float(settings["calls_per_day"]) * float(setup.options["calls_factor"]) / 86_400
    peak = per_second * profile.max()
    seconds = setup.duration / SECOND
    if peak <= 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    expected = peak * seconds
    number = np.arange(int(expected + 10 * np.sqrt(expected) + 50))
    time = np.cumsum(-np.log(uniform(setup.seed, "call.gap", number)) / peak)
    hour = (setup.local_hour() + time / 3600) % 24
    rate = profile[(hour * profile.shape[0] / 24).astype(np.int64) % profile.shape[0]] / profile.max()
    kept = (uniform(setup.seed, "call.thin", number) < rate) & (time < seconds)
    return number[kept], np.rint(time[kept] * SECOND).astype(np.int64)


def _surge(setup: Setup, index: int, event: Any) -> CallList:
    """Return the calls of one surge: uniform over its duration and its zones' people."""
    count = int(event.params["calls"])
    number = _SURGE_NUMBERS * (index + 1) + np.arange(count)
    within = np.sort(uniform(setup.seed, "call.surge", number)) * float(event.params["duration"])
    time = event.time + np.rint(within * SECOND).astype(np.int64)
    people = np.zeros(setup.city.rows("zones"))
    rows = np.asarray(event.targets, dtype=np.int64)
    people[rows] = np.maximum(np.asarray(setup.city["zones"]["population"])[rows], 1)
    return describe(setup, number, time, _pick(setup, number, people), index)


def _pick(setup: Setup, number: Array, people: Array) -> Array:
    """Return a zone for each call, in proportion to its people."""
    if people.sum() <= 0:
        people = np.ones_like(people)
    edges = np.cumsum(people) / people.sum()
    zone = np.searchsorted(edges, uniform(setup.seed, "call.zone", number), side="right")
    return np.asarray(np.minimum(zone, people.shape[0] - 1))


def describe(
    setup: Setup,
    number: Array,
    time: Array,
    zone: Array,
    surge: int,
    priority: Array | None = None,
) -> CallList:
    """Draw everything else about calls; see CallList.

    priority  (n_call,)  as known from elsewhere
    """
    settings = emergency_settings(setup.city)

    def draw(stream: str) -> Array:
        return uniform(setup.seed, f"call.{stream}", number)

    def last(stream: str, mean: Any) -> Array:
        law = _exponential if stream == "talk" and setup.options["talk_law"] == "exponential" else _lognormal
        return law(draw(stream), np.asarray(mean, dtype=float), float(setup.options["spread"]))

    shares = np.cumsum(np.asarray(settings["priority_shares"], dtype=float))
    level = np.minimum(np.searchsorted(shares / shares[-1], draw("priority"), side="right"), PRIORITIES - 1)
    level = level if priority is None else priority - 1
    return CallList(
        number=number,
        time=time,
        node=_nodes(setup.city, zone, draw("node")),
        zone=zone,
        priority=level + 1,
        triaged=_triage(level + 1, draw("triage"), float(setup.options["triage_error"])),
        talk=last("talk", np.asarray(settings["call_taking"])[level]),
        mobilise=last("mobilise", np.full(number.shape, settings["mobilisation"])),
        scene=last("scene", np.asarray(settings["scene"])[level]),
        handover=last("handover", np.full(number.shape, settings["handover"])),
        transport=draw("transport") < np.asarray(settings["transport_share"])[level],
        surge=np.full(number.shape, surge),
        patience=_patience(setup, draw("patience")),
    )


def _patience(setup: Setup, chance: Array) -> Array:
    """Return how long callers wait (us): all alike, or exponential."""
    mean = np.full(chance.shape, float(setup.options["patience"]))
    if setup.options["patience_law"] == "exponential":
        return _exponential(chance, mean, 1.0)
    return np.asarray(np.rint(mean * SECOND), dtype=np.int64)


def _triage(priority: Array, chance: Array, error: float) -> Array:
    """Return the priority found: wrong by one level with probability `error`, half of it each way."""
    shift = np.where(chance < error / 2, -1, np.where(chance < error, 1, 0))
    return np.asarray(np.clip(priority + shift, 1, PRIORITIES))


def _lognormal(chance: Array, mean: Array, spread: float) -> Array:
    """Return lognormal times (us) with given means (s) and coefficient of variation."""
    from scipy.special import ndtri

    sigma = np.sqrt(np.log1p(spread**2))
    seconds = mean * np.exp(sigma * ndtri(chance) - sigma**2 / 2)
    return np.asarray(np.maximum(np.rint(seconds * SECOND), 1), dtype=np.int64)


def _exponential(chance: Array, mean: Array, spread: float) -> Array:
    """Return exponential times (us) with given means (s), whatever the spread."""
    return np.asarray(np.maximum(np.rint(-mean * np.log(chance) * SECOND), 1), dtype=np.int64)


def _nodes(city: City, zone: Array, chance: Array) -> Array:
    """Return a node of each call's zone, by the weights of `zone_nodes`."""
    table = city["zone_nodes"]
    owner = np.asarray(table["zone"], dtype=np.int64)
    order = np.argsort(owner, kind="stable")
    weight = np.asarray(table["weight"], dtype=float)[order]
    first = np.searchsorted(owner[order], np.arange(city.rows("zones") + 1))
    total = np.concatenate([[0.0], np.cumsum(weight)])
    wanted = total[first[zone]] + chance * (total[first[zone + 1]] - total[first[zone]])
    row = np.clip(np.searchsorted(total, wanted, side="right") - 1, first[zone], first[zone + 1] - 1)
    return np.asarray(np.asarray(table["node"])[order][row], dtype=np.int64)
