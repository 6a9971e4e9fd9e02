"""Corners of the engine that a review broke once: growth, ghosts, queues, luck, truth."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest

from tests.engine.toys import toy_assembly, toy_city
from twin.assembly import ENGINE_ROWS, Assembly
from twin.contract import SECOND, Acquire, Command, Delay, Done, EventKind, Model, Park, Policy, Resource, Setup
from twin.errors import ContractError, TwinError
from twin.fields import Field
from twin.world import World

END = 20 * SECOND


def assembled(parts, policies=(), seed=1) -> Assembly:
    return Assembly(toy_city(), parts, policies, Setup(toy_city(), {}, seed, 0, END, measure_every=7 * SECOND))


def ticking(name: str, **more: Any) -> Any:
    """Return a model class that writes `NAME.count` every second."""

    def start(self, view):
        view.schedule(f"{name}_tick", SECOND)

    def on_event(self, view, event):
        view.put(f"{name}.count", 0, view[f"{name}.count"][0] + 1)
        view.schedule(f"{name}_tick", SECOND)

    body = {
        "name": name,
        "owns": (Field(f"{name}.count", "int64", "1", "ticks so far"),),
        "events": (EventKind(f"{name}_tick", "a tick"),),
        "setup": lambda self, setup: {name: 1},
        "start": start,
        "on_event": on_event,
    }
    return type(name.title(), (Model,), {**body, **more})


class Crowd(Model):
    """Fills the calendar from within a step."""

    name = "crowd"
    owns = (Field("crowd.seen", "int64", "1", "what it last read", observable=True),)
    reads = ("clock.count",)
    events = (EventKind("crowd_noise", "nothing"),)

    def setup(self, setup):
        return {"crowd": 1}

    def step(self, view):
        for i in range(8):
            view.schedule("crowd_noise", SECOND // 3 + i)
        view.put("crowd.seen", 0, view["clock.count"][0])


class Last(Model):
    """Reads what the crowd wrote."""

    name = "last"
    owns = (Field("last.seen", "int64", "1", "what it last read"),)
    reads = ("crowd.seen",)

    def setup(self, setup):
        return {"last": 1}

    def step(self, view):
        view.put("last.seen", 0, view["crowd.seen"][0])


def test_a_table_that_grows_within_a_step_skips_no_model(monkeypatch):
    monkeypatch.setitem(ENGINE_ROWS, "pending", 4)
    world = World(assembled([ticking("clock")(), Crowd(), Last()])).run(5 * SECOND)
    assert world.state.layout.rows["pending"] > 4
    assert world.state["crowd.seen"][0] == world.state["last.seen"][0] == world.state["clock.count"][0] == 4


def test_moving_all_arrays_at_any_moment_changes_nothing(monkeypatch):
    plain = World(toy_assembly()).run(END)
    from twin import rows

    calls = 0
    original = rows.take

    def moving(state, table):
        nonlocal calls
        calls += 1
        if calls % 5 == 0:
            old = state.buffer
            state.layout = state.layout.grown("claim", state.layout.rows["claim"])
            state.buffer = old.copy()
            state.clear()
            old[:] = 255
        return original(state, table)

    for module in ("twin.calendar", "twin.procedure", "twin.view"):
        monkeypatch.setattr(f"{module}.take", moving)
    moved = World(toy_assembly()).run(END)
    assert calls > 100
    assert moved.digest() == plain.digest()


class Counter(Model):
    """Reads its own field, so that every instant counts; cancels an event each second."""

    name = "counter"
    owns = (Field("counter.steps", "int64", "1", "times it solved"),)
    reads = ("counter.steps",)
    events = (EventKind("counter_tick", "a tick"), EventKind("counter_ghost", "never happens"))

    def setup(self, setup):
        return {"counter": 1}

    def start(self, view):
        view.schedule("counter_tick", SECOND)

    def on_event(self, view, event):
        view.cancel(view.schedule("counter_ghost", SECOND // 2))
        view.schedule("counter_tick", SECOND)

    def step(self, view):
        view.put("counter.steps", 0, view["counter.steps"][0] + 1)


def test_a_cancelled_event_leaves_no_instant_behind():
    assembly = assembled([Counter()])
    whole = World(assembly).run(END)
    cut = World(assembly).run(5 * SECOND + SECOND // 4).branch().run(END)
    assert cut.state["counter.steps"][0] == whole.state["counter.steps"][0]


class Kiosk(Model):
    """One server; a step of the model lets the first customer go while two wait."""

    name = "kiosk"
    owns = (
        Field("kiosk.first", "int64", "1", "ticket of the first customer", -1),
        Field("kiosk.order", "int64", "1", "who was served, as digits"),
    )
    reads = ("clock.count",)
    events = (EventKind("kiosk_comes", "a customer comes"),)
    procedures = {"visit": ("ask", "served", "after", "wait")}
    resources = (Resource("counter", "kiosk", "servers", "place at the window"),)

    def setup(self, setup):
        self.servers = np.array([1])
        return {"kiosk": 1}

    def start(self, view):
        for person, when in ((1, 1), (2, 2), (3, 3)):
            view.schedule("kiosk_comes", when * SECOND // 2, data=person)

    def on_event(self, view, event):
        ticket = view.begin("visit", 0, event.data)
        if event.data == 1:
            view.raw("kiosk.first")[0] = ticket

    def visit_ask(self, view, job):
        return Acquire("counter", 0, priority=-job.data, then="served")

    def visit_served(self, view, job):
        view.raw("kiosk.order")[0] = 10 * view["kiosk.order"][0] + job.data
        return Park("after") if job.data == 1 else Delay(10 * SECOND, "after")

    def visit_after(self, view, job):
        return Done()

    def visit_wait(self, view, job):
        return Done()

    def step(self, view):
        if view["clock.count"][0] == 2:
            view.release(int(view["kiosk.first"][0]), "counter")


@pytest.mark.parametrize("cut", [False, True])
def test_a_server_freed_by_a_model_goes_to_the_most_urgent_even_across_a_cut(cut, tmp_path):
    assembly = assembled([ticking("clock")(), Kiosk()])
    world = World(assembly)
    if cut:
        while world.now < 2 * SECOND:
            world.step()
        world = World.load(world.save(tmp_path), assembly)
    assert world.run(6 * SECOND).state["kiosk.order"][0] == 13


class Shuffler(Policy):
    """Orders by the first of its shuffled people."""

    name = "shuffler"
    role = "test"
    sees = ("node.pumping",)
    commands = ("drawn",)
    every = SECOND

    def decide(self, observation):
        return [Command("drawn", observation.agents("node").shuffle()[0].row)]


class Drawn(Model):
    """Keeps what was drawn."""

    name = "drawn"
    owns = (
        Field("drawn.sum", "int64", "1", "digits of all draws, hashed"),
        Field("node.pumping", "bool", "1", "known to the desk", observable=True),
    )
    events = (EventKind("drawn", "somebody was drawn", target="nodes"),)

    def setup(self, setup):
        return {"drawn": 1}

    def on_event(self, view, event):
        view.raw("drawn.sum")[0] = (view["drawn.sum"][0] * 31 + event.target) % 1_000_003


def test_what_agents_draw_does_not_depend_on_how_a_run_is_cut():
    assembly = assembled([Drawn()], [Shuffler()])
    whole = World(assembly).run(END)
    cut = World(assembly).run(7 * SECOND).branch().run(END)
    assert cut.digest() == whole.digest()


def test_a_world_whose_policies_asked_for_agents_is_forgotten():
    assembly = assembled([Drawn()], [Shuffler()])
    world = World(assembly).run(END)
    watch = weakref.ref(world)
    del world
    gc.collect()
    assert watch() is None


def test_an_order_for_a_row_that_does_not_exist_is_refused_and_logged():
    class Wild(Shuffler):
        name = "wild"

        def decide(self, observation):
            return [Command("drawn", 10**6), Command("drawn", -1), Command("drawn", 0, float("nan"))]

    world = World(assembled([Drawn()], [Wild()])).run(SECOND)
    assert [row[1] for row in world.events.rows()] == ["order_refused"] * 3


def test_a_policy_that_would_see_the_truth_is_refused():
    class Seer(Shuffler):
        name = "seer"
        sees = ("drawn.sum",)

    with pytest.raises(ContractError, match=r"'seer' would see the truth: 'drawn\.sum' of drawn"):
        assembled([Drawn()], [Seer()])


def test_nobody_can_write_through_an_observation():
    class Vandal(Shuffler):
        name = "vandal"

        def decide(self, observation):
            observation["node.pumping"].flags.writeable = True
            return []

    with pytest.raises(TwinError, match="WRITEABLE"):
        World(assembled([Drawn()], [Vandal()])).run(SECOND)


def test_a_model_that_only_lags_is_solved_a_second_later():
    late = type(
        "Late",
        (Model,),
        {
            "name": "late",
            "owns": (Field("late.seen", "int64", "1", "what it last read"),),
            "lags": ("clock.count",),
            "setup": lambda self, setup: {"late": 1},
            "step": lambda self, view: view.put("late.seen", 0, view["clock.count"][0]),
        },
    )
    world = World(assembled([ticking("clock")(), late()])).run(5 * SECOND + 1)
    assert world.state["late.seen"][0] == 5


def test_an_inherited_advance_is_called():
    class Base(Model):
        def advance(self, view, until):
            view.raw("runner.to")[0] = until

    class Runner(Base):
        name = "runner"
        owns = (Field("runner.to", "int64", "us", "advanced up to"),)

        def setup(self, setup):
            return {"runner": 1}

    assert World(assembled([Runner()])).run(3 * SECOND).state["runner.to"][0] == 3 * SECOND


def test_advance_may_not_tell_others():
    class Loud(Model):
        name = "loud"
        owns = (Field("loud.to", "int64", "us", "advanced up to"),)

        def setup(self, setup):
            return {"loud": 1}

        def advance(self, view, until):
            view.put("loud.to", 0, until)

    with pytest.raises(ContractError, match=r"loud\.advance must not change a field"):
        World(assembled([Loud()])).run(SECOND)


class Errand(Model):
    """A job that is over when somebody breaks it off."""

    name = "errand"
    owns = (Field("errand.runs", "int64", "1", "steps done"), Field("errand.job", "int64", "1", "its ticket", -1))
    events = (EventKind("errand_begin", "it begins"), EventKind("errand_poke", "somebody breaks it off"))
    procedures = {"run": ("go", "rest")}

    def setup(self, setup):
        return {"errand": 1}

    def start(self, view):
        view.schedule("errand_begin", SECOND)
        view.schedule("errand_poke", 2 * SECOND)

    def on_event(self, view, event):
        if event.kind == "errand_begin":
            view.raw("errand.job")[0] = view.begin("run", 0)
        else:
            assert not view.interrupt(int(view["errand.job"][0]), "go")
            assert not view.resume(int(view["errand.job"][0]))

    def run_go(self, view, job):
        view.raw("errand.runs")[0] += 1
        view.interrupt(job.ticket, "go")
        return Done()

    def run_rest(self, view, job):
        return Done()


def test_a_job_that_is_over_cannot_be_woken():
    world = World(assembled([Errand()])).run(5 * SECOND)
    assert world.state["errand.runs"][0] == 1
    assert not world.state["job.alive"].any()


class Writer(Model):
    """Writes with a mask, with nan, and with a row below 0."""

    name = "writer"
    owns = (Field("node.level", "float64", "m", "a level"),)
    events = (EventKind("write", "it writes"),)

    def start(self, view):
        view.schedule("write", SECOND)

    def on_event(self, view, event):
        assert view.put("node.level", np.array([False, False, True]), np.nan).tolist() == [2]
        assert view.put("node.level", slice(None), view["node.level"].copy()).size == 0
        view.put("node.level", -1, 1.0)


def test_rows_are_written_by_number_or_by_mask_and_never_below_zero():
    world = World(assembled([Writer()]))
    with pytest.raises(ContractError, match=r"writes row -1 of 'node\.level'"):
        world.run(2 * SECOND)
    assert np.isnan(world.state["node.level"]).tolist() == [False, False, True]


def test_a_branch_of_a_branch_of_a_branch_has_its_log():
    world = World(assembled([ticking("clock")()])).run(3 * SECOND)
    rows = world.events.rows()
    for _ in range(2000):
        world = world.branch()
    assert world.events.rows() == rows
    for _ in range(1500):
        world = world.branch()
        world.emit("note", -1, 0.0, -1, [])
    assert len(world.events.rows()) == len(rows) + 1500
