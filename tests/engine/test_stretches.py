"""A snapshot leaves out what is as it was at the start, and nothing else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.fields import Field, Layout, State
from twin.stretches import BLOCK, read_state, stretches

COLUMNS = {
    "a.time": Field("a.time", "int64", "us", "a time", -1),
    "a.share": Field("a.share", "float64", "1", "a share", 0.25),
    "b.flag": Field("b.flag", "bool", "1", "a flag", 1),
    "b.pair": Field("b.pair", "int32", "1", "two numbers", 0, (2,)),
}
ROWS = {"a": 2000, "b": 5000}
BYTES = 2 * 8 * 2000 + 5000 + 2 * 4 * 5000


def written(state):
    return b"".join(state.buffer.data[begin:end] for begin, end in stretches(state).tolist())


def again(state):
    return read_state(state.layout, stretches(state), io.BytesIO(written(state)))


@given(st.lists(st.tuples(st.sampled_from(sorted(COLUMNS)), st.integers(0, 1999), st.integers(-1, 3)), max_size=20))
def test_what_is_written_brings_back_every_byte(changes):
    state = State(Layout(COLUMNS, ROWS))
    for name, row, value in changes:
        state[name][row] = value
    assert np.array_equal(again(state).buffer, state.buffer)


@given(st.integers(0, 1999))
def test_one_changed_row_is_one_block(row):
    state = State(Layout(COLUMNS, ROWS))
    before = len(written(state))
    state["a.time"][row] = 7
    assert len(written(state)) - before in {0, BLOCK}
    assert before < BYTES % BLOCK + 4 * BLOCK


def test_an_empty_table_and_no_column_at_all():
    assert np.array_equal(
        again(State(Layout(COLUMNS, {"a": 0, "b": 3}))).buffer, State(Layout(COLUMNS, {"a": 0, "b": 3})).buffer
    )
    assert again(State(Layout({}, {}))).buffer.size == 0


def test_all_rows_changed_are_one_stretch():
    state = State(Layout({"b.flag": COLUMNS["b.flag"]}, {"b": 5000}))
    state["b.flag"][:] = 0
    assert stretches(state).tolist() == [[0, 5000]]


def test_a_file_of_another_length_is_refused():
    state = State(Layout(COLUMNS, ROWS))
    content = written(state)
    with pytest.raises(ValueError, match="cut short"):
        read_state(state.layout, stretches(state), io.BytesIO(content[:-1]))
    with pytest.raises(ValueError, match="longer"):
        read_state(state.layout, stretches(state), io.BytesIO(content + b"0"))


@pytest.mark.parametrize(
    "places",
    [
        np.array([[-64, 0]]),
        np.array([[0, BYTES + 10**4]]),
        np.array([[64, 128], [0, 64]]),
        np.array([[64, 0]]),
        np.array([[0.0, 64.0]]),
        np.array([0, 64]),
        np.array([[0, 64, 128]]),
    ],
)
def test_places_that_are_none_are_refused(places):
    with pytest.raises(ValueError, match="list of stretches"):
        read_state(Layout(COLUMNS, ROWS), places, io.BytesIO(bytes(10**6)))
