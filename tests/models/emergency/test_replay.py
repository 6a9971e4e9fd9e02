"""Calls of a table: replayed as they are, and what cannot be used is named or counted."""

import pytest

from tests.models.emergency.service_world import plan_file, seconds, service
from twin.contract import SECOND
from twin.errors import DataError

HEAD = "time,lon,lat,priority,kind\n"
GOOD = HEAD + "2026-01-15 17:10:00,0.0271,0.0,1,\n2026-01-15 17:05:00,0.0089,0.0001,3,\n"


def table(tmp_path, text):
    path = tmp_path / "calls.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_calls_ring_when_and_where_the_table_says(tmp_path):
    world = service(calls=table(tmp_path, GOOD)).run()
    # Nodes lie 1 km apart from longitude 0; the rows are put in order of time.
    assert (world.state["call.rung"] // SECOND).tolist() == [300, 600]
    assert world.state["call.node"].tolist() == [1, 3]
    assert world.state["call.priority"].tolist() == [3, 1]
    assert seconds(world, "triaged", 0) == 360
    assert world.check() == []


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2026-01-15 17:10:00,0.5,0.0,1,", "the call at lon 0.5, lat 0 is 51.6 km from any road"),
        ("2026-01-15 17:10:00,0.02,0.0,9,", "priority (9) must be 1, 2 or 3"),
        ("2026-01-15 17:10:00,0.02,0.0,1,dragon", "kind (dragon) is not an incident of the service plan: no plan"),
        ("2026-01-15 16:10:00,0.02,0.0,1,", "lies outside the run of 2 h"),
        ("yesterday,0.02,0.0,1,", "time: "),
        ("2026-01-15 17:10:00,west,0.0,1,", "lon (west) is not a number"),
        ("2026-01-15 17:10:00,nan,0.0,1,", "lon (nan) is not finite"),
        ("2026-01-15 17:10:00,0.02", "lat (None) is not a number"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_or_left_out(tmp_path, row, said):
    path = table(tmp_path, GOOD + row + "\n")
    with pytest.raises(DataError) as caught:
        service(calls=path)
    assert "calls.csv:4 " in str(caught.value)
    assert said in str(caught.value)
    world = service(calls=path, bad_calls="leave_out").run()
    listed = world.assembly.by_name["emergency"].tables(world.view("emergency"))["incidents/left_out"]
    assert listed["line"].tolist() == [4]
    assert said in listed["reason"][0]
    assert world.state["call.rung"].shape[0] == 2


def test_a_table_without_a_column_is_named(tmp_path):
    with pytest.raises(DataError, match="has no column lat, priority"):
        service(calls=table(tmp_path, "time,lon\n"))


def test_the_kind_of_a_row_decides_what_is_sent(tmp_path):
    plan = plan_file(
        tmp_path,
        "units:\n  - {kind: ambulance, station: west}\n  - {kind: fire_engine, station: east}\n"
        "incidents: {fire: {needs: [pump]}}\n",
    )
    rows = HEAD + "2026-01-15 17:05:00,0.0269,0.0,1,fire\n2026-01-15 17:06:00,0.0269,0.0,1,medical\n"
    world = service(plan=plan, calls=table(tmp_path, rows)).run()
    assert world.state["call.unit"].tolist() == [1, 0]
    assert world.check() == []
