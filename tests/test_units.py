"""Quantities and local times: what goes in comes out, and bad ones say why."""

from __future__ import annotations

import doctest
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin import units

ZONES = ["Asia/Makassar", "Asia/Jakarta", "Asia/Jayapura", "Asia/Kuala_Lumpur", "Asia/Singapore", "Australia/Melbourne"]
DIMENSIONS = ["s", "m", "m/s", "W", "m3", "m3/s", "Pa", "J", "V", "1/s", "veh/s"]


def test_examples_in_docstrings_hold():
    assert doctest.testmod(units).failed == 0


@given(st.integers(0, 10**15))
def test_a_formatted_duration_is_read_back_to_the_microsecond(time):
    assert units.parse_duration(units.format_duration(time)) == time


@given(st.integers(-(10**14), -1))
def test_a_negative_duration_keeps_its_sign(time):
    assert units.format_duration(time).startswith("-")


@given(st.sampled_from(DIMENSIONS), st.data(), st.integers(1, 10**6))
def test_converting_is_linear(dimension, data, number):
    unit = data.draw(st.sampled_from(units.units_of(dimension)))
    one, many = units.parse(f"1 {unit}", dimension), units.parse(f"{number} {unit}", dimension)
    assert math.isclose(many, number * one, rel_tol=1e-12)


@given(st.sampled_from(DIMENSIONS), st.data())
def test_a_unit_of_another_dimension_is_refused(dimension, data):
    other = data.draw(st.sampled_from([d for d in DIMENSIONS if d != dimension]))
    unit = data.draw(st.sampled_from([u for u in units.units_of(other) if u not in units.units_of(dimension)]))
    with pytest.raises(units.QuantityError, match="measures something else"):
        units.parse(f"1 {unit}", dimension)


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_plain_number_needs_no_unit_when_it_has_none(number):
    assert units.parse(number, "1") == number


@pytest.mark.parametrize(
    ("value", "unit", "reason"),
    [
        (3, "m", "missing"),
        ("3", "s", "missing"),
        ("3 parsec", "m", "unit"),
        ("fast", "m/s", "number"),
        (True, "1", "number"),
        (float("nan"), "1", "finite"),
        (".inf", "m", "finite"),
        ("1e999 m", "m", "number"),
        (None, "m", "number"),
    ],
)
def test_a_bad_quantity_names_its_reason(value, unit, reason):
    with pytest.raises(units.QuantityError) as caught:
        units.parse(value, unit)
    assert caught.value.reason == reason


def test_a_missing_unit_names_the_unit_wanted():
    with pytest.raises(units.QuantityError, match="needs a unit, for example '30 s'") as caught:
        units.parse(30, "s")
    assert "min" in caught.value.allowed


def test_a_figure_without_a_known_dimension_takes_its_own_unit():
    assert units.parse("12.5 veh h", "veh h") == 12.5


@given(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)), st.sampled_from(ZONES))
def test_a_local_time_is_read_back(moment, zone):
    time = int((moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000
    assert units.parse_local(units.format_local(time, zone), "UTC") == time


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-01-15 17:00", "Asia/Makassar", "2026-01-15 09:00"),
        ("2026-01-15 17:00 WIB", "Asia/Makassar", "2026-01-15 10:00"),
        ("2026-01-15T17:00:30+05:30", "Asia/Makassar", "2026-01-15 11:30:30"),
        ("2026-01-15 17:00 MYT", "UTC", "2026-01-15 09:00"),
        ("2026-01-15 17:00Z", "Asia/Jakarta", "2026-01-15 17:00"),
        ("2006-10-01 12:00", "Australia/Melbourne", "2006-10-01 02:00"),
    ],
)
def test_local_times_become_utc(text, zone, utc):
    assert units.parse_local(text, zone) == units.parse_local(utc, "UTC")


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Makassar", "2026-01-15 08:00:00 WITA"),
        ("Asia/Kuala_Lumpur", "2026-01-15 08:00:00 MYT"),
        ("Asia/Jayapura", "2026-01-15 09:00:00 WIT"),
        ("Europe/Helsinki", "2026-01-15 02:00:00 +02:00"),
    ],
)
def test_times_are_shown_with_the_zone(zone, shown):
    assert units.format_local(units.parse_local("2026-01-15 00:00", "UTC"), zone) == shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tomorrow", "YYYY-MM-DD HH:MM"),
        ("2026-13-01 10:00", "month"),
        ("2026-01-15 17:00 WOTA", "not known"),
        ("2026-01-15 17:00 +19:00", "offset"),
        ("2006-10-29 02:30", "does not exist"),
        ("2006-04-02 02:30", "occurs twice"),
    ],
)
def test_a_bad_time_says_why(text, says):
    with pytest.raises(units.QuantityError, match=says):
        units.parse_local(text, "Australia/Melbourne")


def test_an_unknown_zone_is_named():
    with pytest.raises(units.QuantityError, match="IANA"):
        units.parse_local("2026-01-15 17:00", "Mars/Olympus")


@pytest.mark.parametrize(
    ("text", "seconds"), [("1e15 s", 1e15), ("1E3 min", 6e4), ("1e-3 s", 1e-3), ("2 h 3e1 s", None)]
)
def test_an_exponent_is_no_unit(text, seconds):
    if seconds is None:
        with pytest.raises(units.QuantityError, match="unit"):
            units.parse(text, "s")
    else:
        assert units.parse(text, "s") == seconds


@pytest.mark.parametrize(
    ("text", "zone"),
    [("0001-01-01 00:00", "Asia/Makassar"), ("9999-12-31 23:59", "America/New_York")],
)
def test_a_time_beyond_the_calendar_says_why(text, zone):
    with pytest.raises(units.QuantityError, match="outside the years 1 to 9999"):
        units.parse_local(text, zone)


@pytest.mark.parametrize("zone", ["Asia", "", "../etc/passwd", "Mars/Olympus"])
def test_what_is_no_zone_says_so(zone):
    with pytest.raises(units.QuantityError, match="IANA"):
        units.format_local(0, zone)
