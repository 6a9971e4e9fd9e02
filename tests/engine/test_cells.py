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
@pytest.mark.parametrize("value", [0, 1, 2.7, -0.0, True, math.nan])
def test_one_cell_and_one_row_are_written_alike(dtype, value):
    if math.isnan(value) and dtype != "float64":
        return
    worlds = _writer(dtype), _writer(dtype)
    for repeat in range(2):
        quick, slow = (world.view("writer", cause=5 + repeat) for world in worlds)
        changed = quick.put("shelf.value", 1, value), slow.put("shelf.value", np.array([1]), value)
        assert changed[0].tolist() == changed[1].tolist()
        assert worlds[0].digest() == worlds[1].digest()
