"""Small components that use every mechanism of the engine."""

from __future__ import annotations

import numpy as np

from twin.assembly import Assembly
from twin.city import City
from twin.contract import SECOND, Acquire, Command, Delay, Done, Event, EventKind, Model, Park, Policy, Resource, Setup
from twin.fields import Field

HOSPITALS = 2


def toy_city() -> City:
    """Return a city with three nodes in a row and two hospitals."""
    nodes = {
        "id": np.array(["n0", "n1", "n2"]),
        "x": np.array([0.0, 100.0, 200.0]),
        "y": np.zeros(3),
        "lon": np.array([0.0, 0.001, 0.002]),
        "lat": np.zeros(3),
        "elevation": np.zeros(3),
        "signal": np.zeros(3, dtype=bool),
    }
    hospitals = {"id": np.array(["h0", "h1"]), "bays": np.array([1, 2])}
    return City(
        name="toy",
        title="Toy",
        driving_side="left",
        timezone="Asia/Makassar",
        crs=32750,
        tables={"nodes": nodes, "hospitals": hospitals},
        parameters={},
        provenance=[],
        report={},
    )


class Rain(Model):
    """Water that rises by keyed random steps."""

    name = "rain"
    owns = (Field("node.water", "float64", "m", "depth of water", traced=True),)
    events = (EventKind("rain_falls", "a shower", target="nodes"),)

    def start(self, view):
        view.schedule("rain_falls", SECOND)

    def on_event(self, view, event: Event):
        count = event.data + 1
        depth = view["node.water"] + [view.uniform("rain", n, count) for n in range(3)]
        view.put("node.water", slice(None), depth)
        view.schedule("rain_falls", int(SECOND * (1 + view.uniform("gap", 0, count))), data=count)


class Drain(Model):
    """Pumps that switch on when water is high."""

    name = "drain"
    owns = (
        Field("node.pumping", "bool", "1", "pump runs", traced=True, observable=True),
        Field("node.switches", "int64", "1", "times a pump switched"),
    )
    reads = ("node.water",)

    def step(self, view):
        high = view["node.water"] > 4.0
        rows = view.put("node.pumping", slice(None), high)
        view.raw("node.switches")[rows] += 1
        for row in rows:
            view.emit("pump_switched", int(row), causes=[view.cause("node.water", int(row))])


class Ward(Model):
    """Patients who queue for bays, give up, or are broken off."""

    name = "ward"
    owns = (
        Field("patient.treated", "int64", "1", "patients treated", observable=True),
        Field("patient.gave_up", "int64", "1", "patients who left"),
        Field("patient.broken_off", "int64", "1", "treatments broken off"),
        Field("patient.parked", "int64", "1", "job that waits for a call, -1 for none", -1, observable=True),
        Field("patient.last", "int64", "1", "newest job", -1),
    )
    events = (
        EventKind("patient_comes", "somebody arrives"),
        EventKind("call_in", "the parked patient is called", target=""),
    )
    procedures = {"visit": ("arrive", "treat", "leave", "give_up", "wait", "back")}
    resources = (Resource("bay", "hospital", "bays", "places for treatment"),)

    def setup(self, setup: Setup):
        return {"patient": 1}

    def start(self, view):
        view.schedule("patient_comes", SECOND // 2, data=0)

    def on_event(self, view, event):
        if event.kind == "patient_comes":
            job = view.begin("visit", entity=event.data % HOSPITALS, data=event.data)
            if event.data % 7 == 6 and view["patient.last"][0] >= 0:
                self._break_off(view)
            view.raw("patient.last")[0] = job if event.data % 7 == 5 else -1
            gap = int(SECOND * view.uniform("arrivals", event.data))
            view.schedule("patient_comes", gap, data=event.data + 1)
        elif view["patient.parked"][0] >= 0:
            view.resume(int(view["patient.parked"][0]), "back")
            view.put("patient.parked", 0, -1)

    def _break_off(self, view):
        view.interrupt(int(view["patient.last"][0]), "leave")
        view.raw("patient.broken_off")[0] += 1

    def visit_arrive(self, view, job):
        return Acquire("bay", job.entity, priority=job.data % 3, patience=3 * SECOND, otherwise="give_up")

    def visit_treat(self, view, job):
        return Delay(int(SECOND * (0.5 + 2 * view.uniform("treat", job.number))))

    def visit_leave(self, view, job):
        view.release(job.ticket, "bay")
        view.put("patient.treated", 0, view["patient.treated"][0] + 1)
        if view["patient.parked"][0] < 0 and job.data % 5 == 0:
            view.put("patient.parked", 0, job.ticket)
            return Park(then="wait")
        return Done()

    def visit_give_up(self, view, job):
        view.raw("patient.gave_up")[0] += 1
        return Done()

    def visit_wait(self, view, job):
        return Done()

    def visit_back(self, view, job):
        view.emit("came_back", job.entity)
        return Done()


class Desk(Policy):
    """Calls parked patients in."""

    name = "desk"
    role = "desk"
    sees = ("patient.treated", "patient.parked", "node.pumping")
    commands = ("call_in",)
    every = 2 * SECOND
    on = ("pump_switched",)

    def decide(self, observation):
        return [Command("call_in")] if observation["patient.parked"][0] >= 0 else []


def toy_assembly(seed: int = 1) -> Assembly:
    """Return all toys, set up."""
    city = toy_city()
    setup = Setup(city, {}, seed, 0, 120 * SECOND, measure_every=10 * SECOND)
    return Assembly(city, [Ward(), Drain(), Rain()], [Desk()], setup)
