"""Importers of power grids: pandapower, power-grid-model and MATPOWER; good files and bad ones."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from twin.city.grids import build_grid
from twin.errors import CityError
from twin.models.power.network import network_of
from twin.models.power.solver import FlowSolver

CASE = """function mpc = small
mpc.version = '2';
mpc.baseMVA = 10;
mpc.bus = [ % loads in kW
  1 3 0   0  0 0 1 1 0 12.66 1 1.1 0.9;
  2 1 100 60 0 0 1 1 0 12.66 1 1.1 0.9;
  7 1 200 90 0 0 1 1 0 12.66 1 1.1 0.9;
];
mpc.gen = [
  1 0 0 10 -10 1.02 100 1 10 0;
];
mpc.branch = [
  1 2 0.5 0.4 0 0 0 0 0 0 1 -360 360;
  2 7 0.6 0.3 0 0 0 0 0 0 1 -360 360;
  1 7 0.6 0.3 0 0 0 0 0 0 0 -360 360;
];
Vbase = mpc.bus(1, BASE_KV) * 1e3;
Sbase = mpc.baseMVA * 1e6;
mpc.branch(:, [BR_R BR_X]) = mpc.branch(:, [BR_R BR_X]) / (Vbase^2 / Sbase);
mpc.bus(:, [PD, QD]) = mpc.bus(:, [PD, QD]) / 1e3;
"""


def written(tmp_path, text, name="grid.m"):
    file = tmp_path / name
    file.write_text(text)
    return file


def solved(city):
    """Return voltages of a city's grid, its generators as negative loads."""
    buses, lines = city["buses"], city["lines"]
    active, reactive = buses["p"].astype(float), buses["q"].astype(float)
    if city.rows("generators"):
        np.subtract.at(active, city["generators"]["bus"], city["generators"]["p"])
        np.subtract.at(reactive, city["generators"]["bus"], city["generators"]["q"])
    works = np.concatenate([lines["closed"], np.ones(city.rows("transformers"), bool)])
    return FlowSolver(network_of(city)).solve(np.ones(buses.rows, bool), works, active, reactive)


def test_a_matpower_case_in_ohm_and_kilowatt(tmp_path):
    city = build_grid(written(tmp_path, CASE))
    assert city["buses"]["p"].tolist() == [0, 1e5, 2e5]
    assert city["lines"]["r"].tolist() == [0.5, 0.6, 0.6]
    assert city["lines"]["closed"].tolist() == [True, True, False]
    assert city["sources"]["u_ref"].tolist() == [1.02]
    drop = (0.5 * 3e5 + 0.4 * 1.5e5) / 12660**2
    assert solved(city).voltage[1] == pytest.approx(1.02 - drop / 1.02, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("2 7 0.6", "2 8 0.6"), "branch 2 is at bus 8, which does not exist; the nearest is 7"),
        (("7 1 200 90", "7 1 -200 90"), "load of bus 7 at bus 7 has a negative load of -200000 W"),
        (("2 7 0.6 0.3 0 0 0 0 0 0 1", "2 7 0.6 0.3 0 0 0 0 0 0 0"), "an island of 1 buses with load has no source"),
        (("12.66 1 1.1 0.9;\n  7", "0 1 1.1 0.9;\n  7"), "bus 2 has a rated voltage of 0 V"),
        (("mpc.gen = [", "mpc.generators = ["), "lacks mpc.gen"),
        (("0.5 0.4", "0.5 many"), "row 1 of mpc.branch is not all numbers"),
        (("1 2 0.5 0.4 0 0 0 0 0 0 1 -360 360", "1 2 0.5"), "row 1 of mpc.branch has 3 numbers, not 11"),
        (("/ 1e3;", "* 2;"), "changes a table and is not understood"),
    ],
)
def test_a_bad_matpower_case_is_named_and_located(tmp_path, change, message):
    assert change[0] in CASE
    with pytest.raises(CityError, match=re.escape(message)) as caught:
        build_grid(written(tmp_path, CASE.replace(*change)))
    assert "grid.m" in str(caught.value)


def test_all_problems_are_told_at_once(tmp_path):
    text = CASE.replace("2 7 0.6", "2 8 0.6").replace("7 1 200", "7 1 -200")
    with pytest.raises(CityError) as caught:
        build_grid(written(tmp_path, text))
    assert "bus 8" in str(caught.value)
    assert "negative load" in str(caught.value)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": 1}', '{"version": "1.0", "type": "update", "is_batch": true, "data": {}}']
)
def test_json_that_is_no_grid_is_refused(tmp_path, text):
    with pytest.raises(CityError, match=r"grid\.json"):
        build_grid(written(tmp_path, text, "grid.json"))


@pytest.mark.parametrize("case", ["case33bw", "case14", "case118", "create_cigre_network_mv"])
def test_a_pandapower_file_gives_pandapowers_voltages(tmp_path, case):
    pandapower = pytest.importorskip("pandapower", reason="pandapower is in the extra `test`")
    networks = pytest.importorskip("pandapower.networks")
    net = getattr(networks, case)()
    pandapower.to_json(net, str(tmp_path / "net.json"))
    # A line with one switch open is out for us; pandapower keeps its charging current.
    net.line.loc[net.switch.element[(net.switch.et == "l") & ~net.switch.closed], "in_service"] = False
    pandapower.runpp(net, tolerance_mva=1e-9, trafo_model="pi", numba=False)
    voltage = solved(build_grid(tmp_path / "net.json")).voltage
    assert np.abs(voltage - net.res_bus.vm_pu.to_numpy()).max() <= 1e-6


@pytest.mark.parametrize("case", ["case14", "case57", "case118"])
def test_machines_within_their_limits_give_the_voltages_that_pandapower_finds_with_them(tmp_path, case):
    pandapower = pytest.importorskip("pandapower", reason="pandapower is in the extra `test`")
    net = getattr(pytest.importorskip("pandapower.networks"), case)()
    net.load.loc[:, ["p_mw", "q_mvar"]] *= 1.1
    pandapower.to_json(net, str(tmp_path / "net.json"))
    pandapower.runpp(net, tolerance_mva=1e-9, trafo_model="pi", numba=False, enforce_q_lims=True)
    free, kept = (build_grid(tmp_path / "net.json", reactive_limits=keep) for keep in (0, 1))
    wanted = net.res_bus.vm_pu.to_numpy()
    assert np.abs(solved(kept).voltage - wanted).max() <= 2e-6
    assert np.abs(solved(free).voltage - wanted).max() > 1e-4
    assert free.report["dropped"]["reactive limit"] == len(net.gen)
    assert "reactive limit" not in kept.report["dropped"]


MACHINE = "  2 0.05 0 0.03 -0.01 1.03 10 1 10 0;\n"
HELD = CASE.replace("  2 1 100", "  2 2 100").replace("];\nmpc.branch", f"{MACHINE}];\nmpc.branch")


@pytest.mark.parametrize(("keep", "at_bus"), [(0, 1.03), (1, None)])
def test_a_matpower_machine_lets_go_of_its_voltage_at_its_limit(tmp_path, keep, at_bus):
    """0.03 Mvar are too few to hold 1.03 pu: it gives them all, as a plain generator of 0.03 Mvar would."""
    city = build_grid(written(tmp_path, HELD), reactive_limits=keep)
    given = solved(build_grid(written(tmp_path, HELD.replace("2 2 100", "2 1 100").replace("0.05 0 0", "0.05 0.03 0"))))
    assert solved(city).voltage[1] == pytest.approx(given.voltage[1] if at_bus is None else at_bus, abs=1e-8)
    assert given.voltage[1] < 1.025


def test_machines_at_one_bus_add_up_their_limits(tmp_path):
    twice = "  2 0.05 0 0.015 -0.005 1.03 10 1 10 0;\n"
    both = build_grid(written(tmp_path, HELD.replace(MACHINE, 2 * twice.replace("0.05", "0.025"))), reactive_limits=1)
    one = build_grid(written(tmp_path, HELD), reactive_limits=1)
    assert solved(both).voltage == pytest.approx(solved(one).voltage, abs=1e-12)


def test_a_machine_that_must_give_more_than_it_may_is_refused(tmp_path):
    with pytest.raises(CityError, match="gen2 must give 40000 var or more, and 30000 or less"):
        build_grid(written(tmp_path, HELD.replace("0.03 -0.01", "0.03 0.04")))


@pytest.mark.data
@pytest.mark.parametrize("file", ["micropolis/power_low.json", "shelby/power.json"])
def test_old_pandapower_files_of_real_places(file):
    """Within 1e-5: closed switches in rings get 1e-8 pu, 5 micro-ohm at 23 kV, where pandapower joins the buses."""
    folder = os.environ.get("TWIN_DATA")
    if not folder:
        pytest.skip("TWIN_DATA is not set")
    pandapower = pytest.importorskip("pandapower", reason="pandapower is in the extra `test`")
    city = build_grid(Path(folder) / file)
    net = pandapower.from_json(str(Path(folder) / file))
    pandapower.runpp(net, tolerance_mva=1e-8, trafo_model="pi", numba=False)
    assert city["buses"].rows == len(net.bus)
    assert np.abs(solved(city).voltage - net.res_bus.vm_pu.to_numpy()).max() <= 1e-5
    assert city["buses"]["id"][0] == net.bus.name.iloc[0]
    assert np.ptp(city["buses"]["x"]) > 1000


def test_bad_parts_of_a_pandapower_file_are_named(tmp_path):
    pandapower = pytest.importorskip("pandapower", reason="pandapower is in the extra `test`")
    networks = pytest.importorskip("pandapower.networks")
    net = networks.case33bw()
    net.load.loc[3, "p_mw"] = -0.5
    net.line.loc[5, "to_bus"] = 99
    pandapower.to_json(net, str(tmp_path / "net.json"))
    with pytest.raises(CityError) as caught:
        build_grid(tmp_path / "net.json")
    assert "load3 at bus 4 has a negative load of -500000 W" in str(caught.value)
    assert "line line5 is at bus 99, which does not exist" in str(caught.value)


def test_a_power_grid_model_file_gives_its_voltages(tmp_path):
    from power_grid_model import PowerGridModel
    from power_grid_model.utils import json_deserialize

    data = {
        "node": [{"id": i, "u_rated": 10e3} for i in (1, 2, 3, 4)] + [{"id": 5, "u_rated": 400.0}],
        "line": [
            {"id": 10 + k, "from_node": a, "to_node": b, "from_status": s, "to_status": s, "r1": 0.3, "x1": 0.2,
             "c1": 1e-6, "tan1": 0.0, "i_n": 300.0}
            for k, (a, b, s) in enumerate([(1, 2, 1), (2, 3, 1), (1, 3, 0)])
        ],
        "link": [{"id": 20, "from_node": 3, "to_node": 4, "from_status": 1, "to_status": 1}],
        "transformer": [
            {"id": 30, "from_node": 4, "to_node": 5, "from_status": 1, "to_status": 1, "u1": 10e3, "u2": 400.0,
             "sn": 4e5, "uk": 0.04, "pk": 4e3, "i0": 0.01, "p0": 600.0, "winding_from": 1, "winding_to": 1,
             "clock": 0, "tap_side": 0, "tap_pos": 2, "tap_min": -3, "tap_max": 3, "tap_nom": 0, "tap_size": 250.0}
        ],
        "source": [{"id": 40, "node": 1, "status": 1, "u_ref": 1.01, "sk": 1e9}],
        "sym_load": [
            {"id": 50 + k, "node": n, "status": 1, "type": t, "p_specified": 1e5, "q_specified": 4e4}
            for k, (n, t) in enumerate([(2, 0), (3, 1), (4, 2), (5, 0)])
        ],
        "sym_gen": [{"id": 60, "node": 2, "status": 1, "type": 0, "p_specified": 5e4, "q_specified": 1e4}],
        "shunt": [{"id": 70, "node": 2, "status": 1, "g1": 1e-5, "b1": 2e-5}],
    }  # fmt: skip
    text = json.dumps({"version": "1.0", "type": "input", "is_batch": False, "attributes": {}, "data": data})
    city = build_grid(written(tmp_path, text, "grid.json"))
    wanted = PowerGridModel(json_deserialize(text)).calculate_power_flow()["node"]["u_pu"]
    flow = solved(city)
    assert flow.method == "sweep"
    assert np.abs(flow.voltage - wanted).max() <= 1e-7
    assert city["lines"]["closed"].tolist() == [True, True, False, True]


def test_what_has_no_place_is_counted(tmp_path):
    data = {"node": [{"id": 1, "u_rated": 10e3}], "source": [{"id": 2, "node": 1, "u_ref": 1.0}], "asym_load": [{}, {}]}
    text = json.dumps({"version": "1.0", "type": "input", "is_batch": False, "attributes": {}, "data": data})
    city = build_grid(written(tmp_path, text, "grid.json"))
    assert city.report["dropped"] == {"asym_load": 2}


def test_an_imported_grid_runs_in_a_world(tmp_path):
    from tests.models.utility_city import assemble
    from twin.contract import SECOND
    from twin.models.power import Power
    from twin.world import World

    world = World(assemble(parts=[Power()], city=build_grid(written(tmp_path, CASE)))).run(SECOND)
    assert world.state["bus.energised"].all()
    assert world.state["bus.voltage"].min() < 1.02


def test_a_negative_load_of_a_city_is_found(tmp_path):
    city = build_grid(written(tmp_path, CASE))
    from twin.city import City
    from twin.city.checks import faults

    buses = {**dict(city["buses"]), "p": np.array([0.0, -1.0, 2e5])}
    wrong = City("g", "Grid", "left", "UTC", 32750, {"buses": buses})
    assert faults(wrong) == ["buses.p is negative in 1 rows (first: bus2)"]


def _small_net(pandapower):
    net = pandapower.create_empty_network()
    buses = [pandapower.create_bus(net, voltage) for voltage in (110.0, 20.0, 20.0, 20.0)]
    pandapower.create_ext_grid(net, buses[0], vm_pu=1.01)
    tap = {"tap_neutral": 0, "tap_pos": 0, "tap_step_percent": 2.5, "tap_min": -5, "tap_max": 5}
    rated = {"sn_mva": 25, "vn_hv_kv": 110, "vn_lv_kv": 20, "vk_percent": 12, "vkr_percent": 0.41}
    losses = {"pfe_kw": 14, "i0_percent": 0.07}
    pandapower.create_transformer_from_parameters(net, *buses[:2], **rated, **losses, **tap, tap_side="hv")
    for start in (1, 2):
        pandapower.create_line_from_parameters(net, buses[start], buses[start + 1], 3.0, 0.2, 0.35, 300, 0.4)
        pandapower.create_load(net, buses[start + 1], 2.0 + start, 0.5)
    return net


def _lower_tap(pandapower, net):
    net.trafo["tap_changer_type"] = "Ratio"
    net.trafo.tap_side, net.trafo.tap_pos = "lv", 3


def _idle_tap(pandapower, net):
    net.trafo["tap_changer_type"] = None
    net.trafo.tap_pos = 3


def _slack_generator(pandapower, net):
    pandapower.create_gen(net, 3, 1.0, vm_pu=1.0, slack=True)


def _switch_with_impedance(pandapower, net):
    bus = pandapower.create_bus(net, 20.0)
    pandapower.create_switch(net, 3, bus, "b", z_ohm=0.5)
    pandapower.create_load(net, bus, 1.0, 0.2)


@pytest.mark.parametrize("change", [_lower_tap, _idle_tap, _slack_generator, _switch_with_impedance])
def test_taps_slack_generators_and_switches_are_read_as_pandapower_has_them(tmp_path, change):
    pandapower = pytest.importorskip("pandapower", reason="pandapower is in the extra `test`")
    net = _small_net(pandapower)
    change(pandapower, net)
    pandapower.to_json(net, str(tmp_path / "net.json"))
    pandapower.runpp(net, tolerance_mva=1e-10, trafo_model="pi", calculate_voltage_angles=False, numba=False)
    assert solved(build_grid(tmp_path / "net.json")).voltage == pytest.approx(net.res_bus.vm_pu.to_numpy(), abs=1e-8)


def test_what_stands_at_a_bus_out_of_service_is_counted(tmp_path):
    pandapower = pytest.importorskip("pandapower", reason="pandapower is in the extra `test`")
    net = _small_net(pandapower)
    net.bus.loc[3, "in_service"] = False
    pandapower.to_json(net, str(tmp_path / "net.json"))
    city = build_grid(tmp_path / "net.json")
    assert city.report["dropped"]["load at a dead bus"] == 1
    assert city.rows("buses") == 3
