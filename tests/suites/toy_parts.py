"""A shop and two policies: components of tiny scenarios, used as a plugin by the tests."""

from __future__ import annotations

import os
import time
import warnings

import numpy as np

from twin.contract import MINUTE, SECOND, Acquire, Command, Delay, Done, EventKind, Kpi, Model, Option, Policy, Resource
from twin.fields import Field


class Shop(Model):
    """Customers who come at keyed random times and queue for the one till, or two."""

    name = "shop"
    owns = (
        Field("shop.arrived", "int64", "1", "customers who came", observable=True),
        Field("shop.served", "int64", "1", "customers served", observable=True),
        Field("shop.wait", "float64", "s", "sum of the time from door to till"),
        Field("shop.quick", "bool", "1", "the till works faster", observable=True),
        Field("shop.rain", "bool", "1", "it rains"),
    )
    events = (
        EventKind("customer", "somebody comes"),
        EventKind("hurry", "the till works faster"),
        EventKind("rain", "fewer come", target="nodes", scenario=True),
    )
    procedures = {"buy": ("queue", "pay", "leave")}
    resources = (Resource("till", "hospital", "bays", "servers"),)
    options = (
        Option("gap", "mean time between customers", "quantity", 20.0, "s"),
        Option("fail_at", "time at which the till breaks the program", "quantity", 1e9, "s"),
        Option("nap", "wall time each customer takes", "quantity", 0.0, "s"),
        Option("kill", "end the process at the first customer", "flag", False),
        Option("complain", "warn of each customer", "flag", False),
        Option("lost", "wait is not a number", "flag", False),
    )
    kpi_list = (
        Kpi("wait_mean", "s", "lower", "mean time from door to till", 1.0),
        Kpi("served", "1", "higher", "customers served", 2.0),
    )
    series = (Kpi("inside", "1", "lower", "customers inside", 0.0),)

    def setup(self, setup):
        self.setting = dict(setup.options)
        return {"shop": 1}

    def start(self, view):
        view.schedule("customer", SECOND, data=0)

    def on_event(self, view, event):
        if event.kind == "customer":
            self._come(view, event.data)
        elif event.kind == "hurry":
            view.put("shop.quick", 0, True)
        else:
            view.put("shop.rain", 0, True)

    def _come(self, view, number):
        if view.now >= self.setting["fail_at"] * SECOND:
            raise ZeroDivisionError("the till is empty")
        if self.setting["kill"]:
            os._exit(9)
        if self.setting["complain"]:
            warnings.warn("the till is slow", UserWarning, stacklevel=1)
        time.sleep(self.setting["nap"])
        view.put("shop.arrived", 0, number + 1)
        view.begin("buy", entity=0, data=view.now // 1000)
        gap = self.setting["gap"] * (2 if view["shop.rain"][0] else 1)
        view.schedule("customer", 1 + int(SECOND * 2 * gap * view.uniform("gap", number)), data=number + 1)

    def buy_queue(self, view, job):
        return Acquire("till", 0)

    def buy_pay(self, view, job):
        view.raw("shop.wait")[0] += view.now / SECOND - job.data / 1000
        factor = 0.5 if view["shop.quick"][0] else 1.0
        return Delay(1 + int(SECOND * 30 * factor * view.uniform("pay", job.number)))

    def buy_leave(self, view, job):
        view.put("shop.served", 0, view["shop.served"][0] + 1)
        view.emit("left", 0)
        return Done()

    def measure(self, view):
        return {"inside": float(view["shop.arrived"][0] - view["shop.served"][0])}

    def kpis(self, view):
        served = int(view["shop.served"][0])
        wait = float(view["shop.wait"][0]) / served if served and not self.setting["lost"] else np.nan
        return {"wait_mean": wait, "served": float(served)}

    def tables(self, view):
        count = len(view.city["nodes"]["id"])
        visits = {"node": np.arange(count), "visits": np.arange(count) * 1.5, "first_time": np.array([MINUTE, -1, 0])}
        ids = view.city["nodes"]["id"]
        wet = {"id": ids, "depth": np.zeros(count)}
        return {"nodes": {"id": ids, **visits}, "nodes/wet": wet, "incidents/visits": visits}


class Idle(Policy):
    """Does nothing."""

    name = "idle"
    role = "shop"
    sees = ("shop.served",)

    def decide(self, observation):
        return []


class Hurry(Policy):
    """Lets the till work faster once the first customer is served."""

    name = "hurry_up"
    role = "shop"
    sees = ("shop.served", "shop.quick")
    commands = ("hurry",)
    every = 30 * SECOND

    def decide(self, observation):
        busy = observation["shop.served"][0] > 0 and not observation["shop.quick"][0]
        return [Command("hurry")] if busy else []
