"""What EPANET refuses or cannot solve: every code is named, located, and comes with what to do."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tests.models.utility_city import order, times
from tests.models.water_city import network_file, small_city, water_world
from twin.models.water.backend import ROUGH, SINGULAR, SOLVED, UNBALANCED, Inputs
from twin.models.water.epanet import EpanetBackend, EpanetError, project
from twin.models.water.epanet import library as lib
from twin.models.water.epanet.errors import ERRORS
from twin.models.water.inp import read_inp
from twin.models.water.network import Network
from twin.models.water.state import UNSOLVED
from twin.world import World

THINGS = (
    *("memory", "file", "node", "link", "pattern", "curve", "pump", "valve", "tank", "rule", "clause", "section"),
    *("option", "control", "coordinates", "category", "head", "pressure", "property", "syntax", "solver", "report"),
)
"""Words of EPANET's messages that ours must share; 110 to 120 speak of equations."""


def told_by_epanet():
    """Return the library's own message of every code that has one."""
    found, buffer = {}, ctypes.create_string_buffer(256)
    for code in range(1, 400):
        lib.library().EN_geterror(code, buffer, 255)
        words = buffer.value.decode().partition(":")[2].replace("function call contains", "").strip()
        if words:
            found[code] = words.lower()
    return found


TOLD = told_by_epanet()


def test_the_library_has_some_sixty_codes():
    assert {1, 6, 101, 110, 200, 226, 263, 301, 309} <= set(TOLD)
    assert len(TOLD) > 60


@pytest.mark.parametrize("code", sorted(TOLD))
def test_every_code_is_named_located_and_advised(code):
    error = EpanetError(code, "pump u0", "value 3")
    name, advice = ERRORS[code]
    assert (error.code, error.place) == (code, "pump u0")
    assert str(error) == f"EPANET error {code} ({name}) at pump u0: value 3; {advice}"
    assert len(advice) > 9
    assert [word for word in THINGS if word in TOLD[code] and word not in name.lower()] == []


def test_an_unknown_code_is_told_all_the_same():
    assert "EPANET error 777 (unknown) at tank t; look the code up" in str(EpanetError(777, "tank t"))


@pytest.mark.parametrize(
    ("line", "instead", "code", "place"),
    [
        ("U0 R0 J0 HEAD C0", "U0 R0 J0 HEAD C9", 206, "pump u0"),
        ("P1 J1 J2", "P1 J1 J77", 203, "pipe p1"),
        ("P1 J1 J2", "P1 J1 J1", 222, "pipe p1"),
        ("P1 J1 J2", "P0 J1 J2", 215, "pipe p0"),
        ("P1 J1 J2 500.0", "P1 J1 J2 -500.0", 202, "pipe p1"),
        ("P1 J1 J2 500.0", "P1 J1 J2 long", 202, "pipe p1"),
        ("R0 0.0", "R0 high", 202, "reservoir lake0"),
        ("J3 10.0 0", "J3 10.0 0\nJ4 10.0 0", 233, "the opened network"),
        ("HEADLOSS H-W", "HEADLOSS X-Y", 213, "opening the network"),
        ("[PUMPS]", "[PUMPPS]", 299, "opening the network"),
    ],
)
def test_a_file_epanet_cannot_open_is_located(monkeypatch, line, instead, code, place):
    written = project.project_text
    monkeypatch.setattr(project, "project_text", lambda network: written(network).replace(line, instead))
    with pytest.raises(EpanetError) as error:
        EpanetBackend(Network(small_city()))
    assert (error.value.code, error.value.place) == (code, place)


def limit_trials(world, trials, more):
    """Give EPANET a number of trials, and what to do when they run out: -1 to stop, else how many more."""
    for one in world.assembly.by_name["water"].engine.backend._free:
        assert lib.library().EN_setoption(one._handle, 0, float(trials)) == 0
        assert lib.library().EN_setoption(one._handle, 14, float(more)) == 0


def test_a_solution_that_does_not_converge_is_told_kept_out_and_survived(monkeypatch, tmp_path):
    """EPANET gets a single trial for a while; the run goes on, and is resumed from a file once it may try again."""
    monkeypatch.setattr(project, "_MORE", 0)
    world = water_world(read_inp(network_file("Net3.inp"))).run("61 min")
    flows = world.state["water_link.flow"].copy()
    limit_trials(world, 1, -1)
    order(world, "pipe_switch", 5000, 3)
    world.run("3 h 30 min")
    unsolved = [row for row in world.events.rows() if row[1] == "water_unsolved"]
    assert times(world, "water_unsolved")[:2] == [5000, 7200]
    assert int(world.state["water_count.number"][UNSOLVED]) == len(unsolved) >= 3
    assert all(0 <= row[2] < world.assembly.city.rows("junctions") and row[3] == UNBALANCED for row in unsolved)
    assert np.array_equal(world.state["water_link.flow"], flows)
    saved = world.save(tmp_path / "run")
    limit_trials(world, 40, 10)
    resumed = World.load(saved, world.assembly).run("6 h")
    assert int(resumed.state["water_count.number"][UNSOLVED]) == len(unsolved)
    assert np.abs(resumed.state["water_link.flow"] - flows).max() > 1e-3
    assert resumed.digest() == world.run("6 h").digest()


@pytest.mark.parametrize(
    ("codes", "attempts"), [([0], 1), ([1], 1), ([2, 2, 0], 3), ([2, 110], 2), ([110, 0], 2), ([2] * 10, 10)]
)
def test_what_does_not_balance_is_tried_again_from_its_own_flows(monkeypatch, codes, attempts):
    from types import SimpleNamespace

    assert (SOLVED, ROUGH, UNBALANCED, SINGULAR) == (0, 1, 2, 110)
    network, starts = Network(small_city()), []
    ends = iter(codes)

    def attempt(self, start):
        starts.append(start)
        return SimpleNamespace(code=next(ends))

    monkeypatch.setattr(project._Project, "_attempt", attempt)
    inputs = (np.zeros(4), np.zeros(4), np.zeros(1), np.ones(1), network.initial_status, network.initial_setting)
    assert EpanetBackend(network).solve(Inputs(*inputs)).code == codes[attempts - 1]
    assert starts == ([lib.INIT_FLOWS] * 2 + [lib.KEEP_FLOWS] * 8)[:attempts]


def test_a_shut_check_valve_with_more_head_before_it_betrays_a_wrong_solution():
    """Pipe 1 leads from junction 1 to 2 and pipe 3 to the tank, which shuts it when full."""
    from tests.models.water_city import water_tables
    from twin.kernels.water_inputs import holds_back

    pipes = water_tables()["pipes"] | {"check_valve": np.array([False, True, False, True])}
    looked = EpanetBackend(Network(small_city(pipes=pipes)))._free[0]._looked
    head, closed = np.array([50.0, 50.0, 49.0, 49.0, 0.0, 40.0]), np.zeros(5, bool)
    assert not holds_back(looked, head, closed)
    closed[1] = True
    assert holds_back(looked, head, closed)
    assert not holds_back(looked, np.sort(head), closed)
    assert not holds_back(looked, head, np.arange(5) == 3)
