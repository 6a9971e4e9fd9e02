from __future__ import annotations

import pytest

from tests.models.estimation.count_city import arm_place, four_arms, grid_city, link_between, row_of, write_counts
from twin.models.estimation.counts import read_counts
from twin.models.estimation.matching import match, street_names

DAY = [10] * 96


def matched(tmp_path, rows):
    city = grid_city()
    counts = read_counts(write_counts(tmp_path / "c.csv", rows))
    return city, counts, match(counts, city)


def test_each_arm_gets_the_link_that_drives_to_the_junction(tmp_path):
    city, _counts, matches = matched(tmp_path, four_arms(2, 2))
    wanted = {link_between(city, near, 12) for near in (17, 13, 7, 11)}
    assert set(matches.link.tolist()) == wanted
    assert set(matches.how) == {"street"}
    assert matches.distance.max() < 1.0


def test_a_single_counter_finds_its_junction_by_the_street_names(tmp_path):
    city, _, matches = matched(tmp_path, four_arms(2, 2)[:1])
    assert matches.link.tolist() == [link_between(city, 17, 12)]


def test_a_stated_arm_gives_the_direction_without_a_known_junction(tmp_path):
    place = arm_place(1, 2, "N", 200.0)
    city, _, matches = matched(tmp_path, [row_of(1, place, "5/10/2006", DAY, "BURKE_RD N of SOMEWHERE_ST")])
    assert matches.link.tolist() == [link_between(city, 16, 11)]
    assert matches.how == ("arm",)


def test_a_shift_is_found_on_the_way(tmp_path):
    rows = [row for c in (1, 2, 3) for r in (1, 2, 3) for row in four_arms(c, r, shift=(0.0013, 0.0015))]
    _, _counts, matches = matched(tmp_path, rows)
    assert matches.shift.lon == pytest.approx(0.0013, abs=2e-5)
    assert len(matches.link) == len(set(matches.link.tolist())) == 36
    assert not matches.left_out


def test_what_stays_open_is_counted_and_not_guessed(tmp_path):
    far = row_of(1, arm_place(2, 2, "N", 200.0), "5/10/2006", DAY, "NOWHERE")
    off_road = row_of(2, arm_place(2.5, 2.5, "N", 0.0), "5/10/2006", DAY, "CHURCH/THIRD")
    double = [*four_arms(1, 1)[:1], row_of(101, arm_place(1, 1, "N", 60.0), "5/10/2006", DAY, "BURKE/SECOND")]
    _, counts, matches = matched(tmp_path, [far, off_road, *double])
    report = matches.report()
    assert report["direction not known"] == 1
    assert report["no major road within 60 m"] == 1
    assert report["ambiguous: another counter is nearer to its link"] == 1
    assert len(matches.link) + len(matches.left_out) == len(counts.ids)


def test_between_two_streets_the_match_is_ambiguous(tmp_path):
    _lon, lat = arm_place(2, 2, "N", 12.0)
    east = arm_place(2, 2, "E", 12.0)[0]
    rows = [row_of(1, (east, lat), "5/10/2006", DAY, "CHURCH/THIRD")]
    _, _, matches = matched(tmp_path, rows)
    assert list(matches.left_out.values()) == ["ambiguous: two streets fit"]


def test_street_words_do_not_matter():
    assert street_names("BURWOOD HWY/WARRIGAL") == ("BURWOOD", "WARRIGAL")
    assert street_names("Jalan Sudirman & Jl. Thamrin") == ("SUDIRMAN", "THAMRIN")
