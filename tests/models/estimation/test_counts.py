from __future__ import annotations

import numpy as np
import pytest

from tests.models.estimation.count_city import HEADER, arm_place, row_of, write_counts
from twin.errors import DataError
from twin.models.estimation.counts import arm_of, parse_date, read_counts, slot_starts

PLACE = arm_place(1, 1, "N")
DAY = list(range(96))


def test_days_are_day_first_and_volumes_keep_their_interval(tmp_path):
    counts = read_counts(write_counts(tmp_path / "c.csv", [row_of(970, PLACE, "3/10/2006", DAY)]))
    assert counts.days == ("2006-10-03",)
    assert counts.volume[0, 0].tolist() == DAY
    assert counts.interval == 900.0
    assert (counts.lon[0], counts.lat[0]) == pytest.approx(PLACE, abs=1e-6)


def test_original_layout_with_times_in_the_date_reads_alike(tmp_path):
    header = ["SCATS Number", "CD_MELWAY", *HEADER[1:-1], "Location Description", "Site Type"]
    row = row_of(970, PLACE, "2006-10-03 00:15:00", DAY, "WARRIGAL/HIGH ST RD")
    counts = read_counts(write_counts(tmp_path / "c.csv", [[row[0], "060G10", *row[1:], "Intersection"]], header))
    assert counts.days == ("2006-10-03",)
    assert counts.text == ("WARRIGAL/HIGH ST RD",)


def test_every_bad_row_is_counted_and_named(tmp_path):
    bad = [
        row_of(1, PLACE, "32/10/2006", DAY),
        row_of(1, (0.0, 0.0), "3/10/2006", DAY),
        row_of(1, PLACE, "3/10/2006", [-1, *DAY[1:]]),
        row_of(1, PLACE, "4/10/2006", ["x", *DAY[1:]]),
        row_of(1, PLACE, "5/10/2006", [0] * 96),
        row_of(1, PLACE, "6/10/2006", DAY)[:50],
    ]
    counts = read_counts(write_counts(tmp_path / "c.csv", [*bad, row_of(1, PLACE, "7/10/2006", DAY)]))
    assert counts.report["used"] == 1
    assert counts.report["left out"] == len(bad) == len(counts.problems)
    assert [problem.split(":")[1] for problem in counts.problems] == ["2", "3", "4", "5", "6", "7"]
    assert counts.report["bad volume"] == 2


def test_an_empty_cell_is_a_gap_and_not_a_zero(tmp_path):
    counts = read_counts(write_counts(tmp_path / "c.csv", [row_of(1, PLACE, "3/10/2006", ["", *DAY[1:]])]))
    assert np.isnan(counts.volume[0, 0, 0])
    assert counts.volume[0, 0, 5] == 5


def test_rows_that_contradict_each_other_are_left_out_and_repeats_kept_once(tmp_path):
    other = [volume + 1 for volume in DAY]
    rows = [row_of(1, PLACE, "3/10/2006", DAY), row_of(1, PLACE, "3/10/2006", DAY)]
    rows += [row_of(1, PLACE, "4/10/2006", DAY), row_of(1, PLACE, "4/10/2006", other)]
    counts = read_counts(write_counts(tmp_path / "c.csv", rows))
    assert counts.days == ("2006-10-03",)
    assert (counts.report["repeated"], counts.report["not told apart"]) == (1, 2)


def test_a_stated_arm_tells_apart_approaches_at_one_place(tmp_path):
    rows = [row_of(1, PLACE, "3/10/2006", DAY, f"A_RD {arm} of B_ST") for arm in ("N", "S")]
    assert len(read_counts(write_counts(tmp_path / "c.csv", rows)).ids) == 2


def test_order_of_rows_does_not_matter(tmp_path):
    rows = [row_of(s, arm_place(s, 1, "N"), f"{d}/10/2006", DAY) for s in (1, 2, 3) for d in (3, 4)]
    one = read_counts(write_counts(tmp_path / "a.csv", rows))
    two = read_counts(write_counts(tmp_path / "b.csv", rows[::-1]))
    assert (one.ids, one.days) == (two.ids, two.days)
    np.testing.assert_array_equal(one.volume, two.volume)


def test_a_missing_column_is_named(tmp_path):
    header = [name for name in HEADER if name not in {"NB_LATITUDE", "V17"}]
    with pytest.raises(DataError, match="NB_LATITUDE, V17"):
        read_counts(write_counts(tmp_path / "c.csv", [], header))


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_what_is_not_a_counts_file_is_refused(tmp_path, text):
    path = tmp_path / "c.csv"
    path.write_text(text)
    with pytest.raises(DataError):
        read_counts(path)


def test_no_usable_row_is_an_error_that_names_the_first(tmp_path):
    with pytest.raises(DataError, match=r"bad\.csv:2: date 'x'"):
        read_counts(write_counts(tmp_path / "bad.csv", [row_of(1, PLACE, "x", DAY)]))


def test_a_day_that_is_not_there_is_refused(tmp_path):
    counts = read_counts(write_counts(tmp_path / "c.csv", [row_of(1, PLACE, "3/10/2006", DAY)]))
    assert counts.day("2006-10-03").shape == (1, 96)
    with pytest.raises(DataError, match="not in the counts"):
        counts.day("4/10/2006")


def test_dates_and_arms_are_read_as_written():
    assert parse_date("1/12/2006").month == 12
    assert parse_date("2006-13-01") is None
    assert arm_of("WARRIGAL_RD SW of TOORAK_RD")[1] == "SW"
    assert arm_of("WARRIGAL/TOORAK") is None


def test_intervals_begin_on_local_time():
    starts = slot_starts("2006-10-05", 96, "Australia/Melbourne")
    assert np.diff(starts).tolist() == [900_000_000] * 95
    assert starts[0] == 1_159_970_400_000_000
