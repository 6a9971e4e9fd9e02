"""Tables of real calls: what is read, what is left out, and the traps of the real files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from twin.errors import DataError
from twin.models.emergency.call_tables import DAY, WEEK, in_spans, read_easynet, read_seattle

DATA = Path(os.environ.get("TWIN_DATA", "/nowhere"))
COLUMNS = "municipality_code,transport_code,municipality,urgency_code,lat,lon,date_time,destination_hospital"
HEADER = f",{COLUMNS},real_hospital"


def week(folder, number, *rows):
    text = "\n".join(
        [
            HEADER,
            *(f"0,1.0,{code},Udine,{kind},{lat},13.2,{time},H,{hospital}" for code, kind, lat, time, hospital in rows),
        ]
    )
    (folder / f"anonym-week-{number}.csv").write_text(text + "\n")


MONDAY = ("1", "RED", "46.0", "2022-04-04 00:10:00", "H02")
TUESDAY = ("2", "white", "46.1", "2022-04-05 12:00:00", "")


def test_weeks_are_laid_end_to_end_by_the_number_of_their_file(tmp_path):
    week(tmp_path, 10, ("3", "GREEN", "46.2", "2022-04-04 00:20:00", "H01"))
    week(tmp_path, 2, TUESDAY, MONDAY)
    table = read_easynet(tmp_path)
    assert table.time.tolist() == [600.0, 1.5 * DAY, WEEK + 1200.0]
    assert [table.kinds[k] for k in table.kind] == ["RED", "WHITE", "GREEN"]
    assert [table.hospitals[h] if h >= 0 else "" for h in table.hospital] == ["H02", "", "H01"]
    assert table.span.tolist() == [[0.0, 2 * WEEK]]


def test_a_day_that_stands_in_two_files_is_taken_once(tmp_path):
    week(tmp_path, 0, MONDAY, TUESDAY)
    week(tmp_path, 1, MONDAY, ("4", "RED", "46.0", "2022-04-05 01:00:00", "H02"))
    table = read_easynet(tmp_path)
    assert table.span.tolist() == [[0.0, WEEK], [WEEK + DAY, 2 * WEEK]]
    assert table.report["repeated"] == 1
    assert "anonym-week-1.csv:2: transport 1 stands in an earlier week" in table.problems
    assert read_easynet(tmp_path, repeats=True).time.shape == (4,)


def test_bad_rows_are_left_out_and_named(tmp_path):
    when = "2022-04-04 01:00:00"
    week(
        tmp_path,
        0,
        MONDAY,
        ("5", "YELOW", "46.0", when, ""),
        ("6", "RED", "146", when, ""),
        ("7", "RED", "46.0", "yesterday", ""),
        ("8", "RED", "north", when, ""),
    )
    table = read_easynet(tmp_path)
    assert table.report == {
        "rows": 5,
        "used": 1,
        "outside of spans": 0,
        "left out": 4,
        "bad place": 2,
        "bad time": 1,
        "unknown kind": 1,
    }
    assert table.problems[0].endswith("urgency_code 'YELOW' must be one of RED, YELLOW, GREEN, WHITE; nearest: YELLOW")
    assert table.problems[1] == "anonym-week-0.csv:4: latitude 146, longitude 13.2 is not a place in degrees"
    assert table.problems[2] == "anonym-week-0.csv:5: time 'yesterday' is not like 2022-04-09 07:51:35"


def test_a_file_without_its_columns_is_refused_with_the_nearest_name(tmp_path):
    (tmp_path / "anonym-week-0.csv").write_text("transport_code,urgency,lat,lon,date_time,real_hospital\n")
    with pytest.raises(DataError, match=r"lacks column\(s\) urgency_code; the nearest it has is urgency"):
        read_easynet(tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        read_easynet(tmp_path / "missing")
    week(tmp_path, 0, ("7", "RED", "46.0", "yesterday", ""))
    with pytest.raises(DataError, match=r"none of its 1 rows is usable; the first: .*yesterday"):
        read_easynet(tmp_path)


def test_only_dense_stretches_of_seattle_count_as_complete(tmp_path):
    rows = ["datetime,incident_number,type,address,lat,lon"]
    rows += [f"2005-12-24T{h:02d}:00:00.000,F{h},Aid Response,a,47.6,-122.3" for h in range(24)]
    rows += [
        "2006-03-01T10:00:00.000,F77,Car Fire,a,47.6,-122.3",
        "2005-12-24T05:00:00.000,F5,Aid Response,a,47.6,-122.3",
    ]
    path = tmp_path / "calls.csv"
    path.write_text("\n".join(rows))
    table = read_seattle(path)
    assert table.kinds == ("Aid Response", "Car Fire")
    assert table.span.tolist() == [[5 * DAY, 5 * DAY + 23 * 3600 + 1]]
    assert table.within(table.span).sum() == 24
    assert (table.report["outside of spans"], table.report["repeated"]) == (1, 1)


def test_places_become_metres_around_their_middle(tmp_path):
    week(tmp_path, 0, ("1", "RED", "46.0", "2022-04-04 00:10:00", ""), ("2", "RED", "46.1", "2022-04-04 00:11:00", ""))
    assert np.ptp(read_easynet(tmp_path).xy(), axis=0) == pytest.approx([0.0, 11_119.5], abs=1)


def test_a_span_holds_its_first_instant_and_not_its_last():
    span = np.array([[10.0, 20.0], [0.0, 5.0]])
    assert in_spans(np.array([-1, 0, 5, 10, 19.9, 20]), span).tolist() == [False, True, False, True, True, False]


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "easynet_fvg").exists(), reason="TWIN_DATA does not name a folder with easynet_fvg/")
def test_the_real_weeks_of_friuli():
    table = read_easynet(DATA / "easynet_fvg")
    assert table.report["rows"] == table.report["used"] + table.report["left out"]
    assert table.report["left out"] == table.report["repeated"]
    assert table.within(table.span).all()
    days = (table.span[:, 1] - table.span[:, 0]).sum() / DAY
    assert 200 < table.time.shape[0] / days < 400


@pytest.mark.data
@pytest.mark.skipif(not (DATA / "seattle_fire").exists(), reason="TWIN_DATA does not name a folder with seattle_fire/")
def test_the_real_calls_of_seattle():
    table = read_seattle(DATA / "seattle_fire" / "calls.csv")
    assert table.report["rows"] == table.time.shape[0] + table.report["left out"]
    assert table.kinds[0] == "Aid Response"
    inside = table.within(table.span).sum()
    assert 0.5 < inside / table.time.shape[0] < 1
    assert inside / ((table.span[:, 1] - table.span[:, 0]).sum() / DAY) > 50
