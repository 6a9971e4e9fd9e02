"""Signal policies: what they order."""

import numpy as np

from tests.cities import line_city
from tests.models.roads import Planned, assemble
from twin.contract import MINUTE, SECOND, EventKind, Model
from twin.fields import Field
from twin.models.policies.signals import Actuated, FixedTime
from twin.world import World


class Boxes(Model):
    """Controllers of three signals; the event `reset` puts one back to its plan."""

    name = "boxes"
    owns = (Field("signal.mode", "int8", "1", "", observable=True),)
    events = (EventKind("signal_mode", "", "signals"), EventKind("reset", "", scenario=True))

    def on_event(self, view, event):
        if event.kind == "reset":
            view.put("signal.mode", 1, 0)
        else:
            view.put("signal.mode", event.target, int(event.value))


def run(rule, events=()):
    signals = {"id": np.array(["s0", "s1", "s2"]), "node": np.array([1, 2, 3], dtype=np.int32)}
    return World(assemble(line_city(signals=signals), [Boxes()], [rule], events, 1800))


def orders(world):
    return sum(row[1] == "order.signal_mode" for row in world.events.rows())


def test_fixed_time_orders_nothing():
    assert orders(run(FixedTime()).run()) == 0


def test_actuated_switches_every_signal_once():
    world = run(Actuated()).run()
    assert world.state["signal.mode"].tolist() == [1, 1, 1]
    assert orders(world) == 3


def test_a_signal_that_fell_back_is_switched_again():
    world = run(Actuated(), [Planned("reset", 10 * MINUTE + SECOND)])
    world.run(12 * MINUTE)
    assert world.state["signal.mode"].tolist() == [1, 0, 1]
    assert world.run().state["signal.mode"].all()
