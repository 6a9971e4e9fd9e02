"""Worlds of a service on the line city, with a plan and orders given by hand."""

from __future__ import annotations

import numpy as np

from tests.cities import line_city
from tests.models.roads import Mirror, assemble
from twin.contract import SECOND, Command, Policy
from twin.models.emergency.model import Emergency
from twin.models.emergency.service_plan import plan_of
from twin.models.policies.dispatch import ClosestIdle
from twin.world import World

PLAIN = {"calls_factor": 0.0, "spread": 0.0, "triage_error": 0.0}
HALVES = "rosters: {day: ['07:00-17:10'], late: ['17:10-07:00']}\n"
"""The runs begin at 17:00, so these rosters change after 600 s."""


class Orders(Policy):
    """Gives orders at the seconds it is told, whatever it sees."""

    name = "orders"
    role = "orders"
    commands = ("dispatch", "move", "divert", "accept", "request_aid")
    every = SECOND

    def __init__(self, *orders):
        self.orders = orders

    def decide(self, observation):
        now = observation.now // SECOND
        return [Command(kind, target, float(value)) for at, kind, target, value in self.orders if at == now]


def two_stations():
    """Return the tables of two stations, at both ends of the line, one ambulance each."""
    city = line_city()
    both = {k: np.concatenate([v, v]) for k, v in city["stations"].items()}
    x = np.array([0.0, 4000.0])
    both |= {"id": np.array(["west", "east"]), "x": x, "node": np.array([0, 4], dtype=np.int32)}
    return both | {"units": np.array([1, 1], dtype=np.int32)}


def plan_file(tmp_path, text):
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def service(events=(), orders=(), plan="", city=None, duration=7200, seed=1, dispatch=True, parts=(), **options):
    """Return a world; parts are further models."""
    city = city or line_city(stations=two_stations())
    count = plan_of(city, plan).units.node.shape[0]
    options = {"emergency": {**PLAIN, **options, "service": plan}}
    policies = [*([ClosestIdle()] if dispatch else []), *([Orders(*orders)] if orders else [])]
    return World(assemble(city, [Emergency(), Watch(count), *parts], policies, list(events), duration, seed, options))


class Watch(Mirror):
    """Reports of exactly the units of the plan."""

    name = "watch"

    def __init__(self, count):
        self.count = count

    def setup(self, setup):
        return {"observed_unit": self.count}

    def start(self, view):
        self.step(view)


def seconds(world, column, call=0):
    return world.state[f"call.{column}"][call] / SECOND


def kinds(world):
    return world.events.arrays()["kind"].tolist()


def parents_of(world, event):
    table = world.parents.arrays()
    return [kinds(world)[p] for p in table["parent"][table["event"] == event]]
