"""A city of a TNTP network runs in the twin with the trips of its own table, or says what it lacks."""

from __future__ import annotations

import numpy as np

import twin
from tests.city.small import NET, TRIPS


def scenario(folder, trips=TRIPS):
    (folder / "mini_net.tntp").write_text(NET)
    if trips:
        (folder / "mini_trips.tntp").write_text(trips)
    twin.city.build_city(folder / "mini_net.tntp", length_unit="kilometre", hours=0.5).save(folder / "mini")
    path = folder / "mini.yaml"
    text = "scenario: mini\ncity: {folder: mini}\nstart: 2026-01-15 07:00\nduration: 1 h\nmodels: [hazards, traffic]\n"
    path.write_text(text)
    return twin.load(path)


def test_its_own_trips_drive(tmp_path):
    found = scenario(tmp_path)
    assert [str(problem) for problem in found.check() if problem.is_error] == []
    world = found.world().run()
    trips = world.assembly.by_name["traffic"].trips
    # 100 trips one way and 50 the other in half an hour
    assert len(trips.depart) == 300
    assert set(zip(trips.origin.tolist(), trips.destination.tolist(), strict=True)) == {(0, 1), (1, 0)}
    assert abs(np.mean(trips.origin == 0) - 2 / 3) < 0.1
    assert world.kpis()["trips_arrived"] > 200


def test_without_trips_it_is_refused_before_it_runs(tmp_path):
    (problem,) = [problem for problem in scenario(tmp_path, trips="").check() if problem.is_error]
    assert problem.code == "E136"
    assert "traffic needs what city mini lacks: demand.profile, demand.trips_morning" in problem.message
