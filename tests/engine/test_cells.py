"""Writing one cell is writing a row: the quick way of a view does what the long way does."""

import math

import numpy as np
import pytest

from tests.engine.toys import toy_city
from twin.assembly import Assembly
from twin.contract import SECOND, Model, Setup
from twin.fields import Field, Layout, State
from twin.world import World


def _state():
    columns = {
        "crowd.count": Field("crowd.count", "int64", "1", "people"),
        "crowd.level": Field("crowd.level", "float64", "1", "a level"),
        "crowd.open": Field("crowd.open", "bool", "1", "a flag"),
    }
    return State(Layout(columns, {"crowd": 2}))


def test_cells_are_the_memory_of_the_arrays():
    state = _state()
    state.cells["crowd.count"][1] = 7
    state["crowd.level"][0] = 2.5
    assert state["crowd.count"].tolist() == [0, 7]
    assert (type(state.cells["crowd.level"][0]), state.cells["crowd.level"][0]) == (float, 2.5)
    assert state.cells["crowd.open"][1] is False


def test_cells_follow_a_table_that_grows():
    state = _state()
    state.cells["crowd.count"][1] = 7
    state.grow("crowd")
    state.cells["crowd.count"][3] = 9
    assert state["crowd.count"].tolist() == [0, 7, 0, 9]


def _writer(dtype):
    class Writer(Model):
        name = "writer"
        owns = (Field("shelf.value", dtype, "1", "what lies there", traced=True),)

        def setup(self, setup):
            return {"shelf": 3}

    city = toy_city()
    return World(Assembly(city, [Writer()], [], Setup(city, {}, 1, 0, 10 * SECOND)))


@pytest.mark.parametrize("dtype", ["float64", "int64", "int8", "bool"])
@pytest.mark.parametrize(
    "value", [0, 1, 2.7, -0.0, True, math.nan, np.float64(2.7), np.float32(0.1), np.int64(3), np.bool_(True)]
)
def test_one_cell_and_one_row_are_written_alike(dtype, value):
    if math.isnan(value) and dtype != "float64":
        return
    worlds = _writer(dtype), _writer(dtype)
    for repeat in range(2):
        quick, slow = (world.view("writer", cause=5 + repeat) for world in worlds)
        changed = quick.put("shelf.value", 1, value), slow.put("shelf.value", np.array([1]), value)
        assert changed[0].tolist() == changed[1].tolist()
        assert worlds[0].digest() == worlds[1].digest()


@pytest.mark.parametrize("row", [1, np.int64(1), np.int32(1)])
@pytest.mark.parametrize("cause", [4, np.int64(4), np.array([4])])
def test_row_and_cause_may_be_numbers_of_any_kind(row, cause):
    world = _writer("float64")
    assert world.view("writer").put("shelf.value", row, 2.5, cause).tolist() == [1]
    assert world.state["shelf.value"].tolist() == [0.0, 2.5, 0.0]
    assert world.state["shelf.value@cause"].tolist() == [-1, 4, -1]


WHOLE_COLUMNS = (
    ([1.0, 0.0, 2.0], [1.0, -0.0, 3.0]),
    ([math.nan, math.nan, 1.0], [math.nan, 2.0, math.nan]),
    ([math.inf, 1.0, 0.0], [math.inf, -math.inf, 0.0]),
    ([1.0, math.nan, 2.0], math.nan),
    ([1.0, 0.0, 2.0], 2),
)


@pytest.mark.parametrize(("before", "after"), WHOLE_COLUMNS)
@pytest.mark.parametrize("cause", [9, np.array([7, 8, 9])])
def test_a_whole_column_and_its_rows_are_written_alike(before, after, cause):
    worlds = _writer("float64"), _writer("float64")
    changed = []
    for world, rows in zip(worlds, (slice(None), np.arange(3)), strict=True):
        world.state["shelf.value"][:] = before
        changed.append(world.view("writer").put("shelf.value", rows, after, cause).tolist())
    assert changed[0] == changed[1]
    assert worlds[0].digest() == worlds[1].digest()


def test_what_a_view_holds_follows_a_table_that_grows():
    world = _writer("int64")
    view = world.view("writer")
    view.put("shelf.value", 1, 7)
    assert view["shelf.value"].tolist() == [0, 7, 0]
    world.state.grow("pending")
    view.put("shelf.value", 2, 8)
    view.put("shelf.value", slice(None), view["shelf.value"] + 1)
    assert view["shelf.value"].tolist() == world.state["shelf.value"].tolist() == [1, 8, 9]


def test_a_closed_state_gives_back_its_memory_though_a_view_had_looked_at_it():
    world = _writer("float64")
    world.view("writer").put("shelf.value", 1, float(world.view("writer")["shelf.value"][0]) + 1.0)
    layout = world.state.layout
    world.state.close()
    assert len(layout.spare) == 1


def test_what_is_made_of_arrays_is_kept_until_they_move():
    world = _writer("int64")
    view, made = world.view("writer"), []

    def make(view):
        made.append(view.raw("shelf.value"))
        return made[-1]

    assert view.keep("shelf", make) is view.keep("shelf", make)
    assert len(made) == 1
    world.state.grow("pending")
    view.keep("shelf", make)[1] = 5
    assert (len(made), world.state["shelf.value"].tolist()) == (2, [0, 5, 0])
