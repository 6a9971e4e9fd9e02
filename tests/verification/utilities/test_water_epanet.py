"""The twin's stepping against uninterrupted EPANET runs of published networks."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.models.water_city import network_file
from tests.verification.utilities.water_oracle import Oracle, compared, stepped, worst

DATA = os.environ.get("TWIN_DATA")
HOURS = 24


def compare(path, folder, settings=None, hours=HOURS):
    """Compare a run with EPANET's; return the number of solves, heads and flows compared."""
    network, found, _ = stepped(path, hours, settings)
    moments = list(Oracle(path, network, folder).run(hours))
    assert {m.code for m in moments} <= {0, 4, 6}
    head, flow, shared = worst(moments, found)
    assert abs(len(found) - len(moments)) <= 1
    assert shared >= 0.95 * len(moments)
    assert head <= 1e-3
    assert flow <= 1.0
    return len(moments), *compared(moments, found)


@pytest.mark.parametrize(("name", "solves"), [("Net1.inp", 27), ("Net2.inp", 25), ("Net3.inp", 27)])
def test_a_day_of_a_small_network_is_epanet_s(name, solves, tmp_path):
    assert compare(network_file(name), tmp_path)[0] == solves


def test_a_day_of_ky4_is_epanet_s(tmp_path):
    assert compare(network_file("ky4.inp"), tmp_path) == (31, 31 * 964, 31 * 1158)


def test_a_day_of_net6_is_epanet_s(tmp_path):
    assert compare(network_file("Net6.inp"), tmp_path) == (155, 153 * 3356, 153 * 3892)


@pytest.mark.data
@pytest.mark.skipif(not DATA, reason="TWIN_DATA is not set")
def test_a_day_of_c_town_is_epanet_s(tmp_path):
    assert compare(Path(DATA) / "ctown" / "ctown_map.inp", tmp_path)[0] > 300


def test_a_day_of_l_town_is_epanet_s(tmp_path):
    epyt = find_spec("epyt")
    if epyt is None or epyt.origin is None:
        pytest.skip("L-TOWN comes with epyt, which is not installed")
    found = compare(Path(epyt.origin).parent / "networks" / "L-TOWN.inp", tmp_path)
    assert found == (291, 291 * 785, 291 * 909)


def rewritten(name, folder):
    """Let wntr read and write a file that EPANET 2.3 refuses as it is."""
    import wntr

    if not DATA:
        pytest.skip("TWIN_DATA is not set")
    target = folder / "rewritten.inp"
    model = wntr.network.WaterNetworkModel(str(Path(DATA) / name))
    wntr.network.write_inpfile(model, str(target), version=2.2)
    return target


@pytest.mark.data
@pytest.mark.filterwarnings("ignore")
def test_a_day_of_shelby_is_epanet_s_with_its_22_rules(tmp_path):
    assert compare(rewritten("shelby/water.inp", tmp_path), tmp_path)[0] > 24


@pytest.mark.data
@pytest.mark.filterwarnings("ignore")
def test_the_rules_of_micropolis_fire_when_epanet_s_do(tmp_path):
    """EPANET cannot balance Micropolis to 1e-6 (it ends at 1e-4), so it runs at the file's 1e-3.

    Up to the state in which its check valves first end differently, rules fire at the same instants;
    heads then differ by what EPANET itself leaves open.
    """
    path = rewritten("micropolis/water_med.inp", tmp_path)
    network, found, _ = stepped(path, 3, {"trials": 40})
    moments = [m for m in Oracle(path, network, tmp_path, 1e-3).run(3) if m.time <= 9360]
    assert [m.time for m in moments] == [0, 360, 3600, 7200, 8640, 9000, 9360]
    assert sorted(t for t in found if t <= 9360) == [m.time for m in moments]
    head, _, shared = worst([m for m in moments if m.time < 9360], found)
    assert shared == 6
    assert head <= 5e-2


def test_pumps_out_and_a_fire_on_net3_are_epanet_s_own_pressure_driven_run(tmp_path):
    """Both pumps out from 6 to 12 h, 63.09 L/s drawn at junction 121 from 8 to 10 h."""
    from tests.verification.utilities.water_fire import epanet_fire, twin_fire

    network, moments = epanet_fire(tmp_path)
    found = twin_fire(network)
    head, flow, shared = worst(moments, found)
    assert shared >= 24
    assert min(m.head[network.node_identifier.tolist().index("121")] for m in moments) < 40
    assert head <= 1e-3
    assert flow <= 1.0
