"""Reading .inp files, and what is wrong with them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.water_city import network_file, small_city, water_tables, water_world
from twin.city import City
from twin.errors import CityError
from twin.models.water.backend import Inputs
from twin.models.water.epanet import EpanetBackend, EpanetError
from twin.models.water.inp import inp_tables, read_inp
from twin.models.water.inp_controls import seconds, status_and_setting
from twin.models.water.network import Network
from twin.models.water.units import FLOWS, units_of

PLAIN = """
[JUNCTIONS]
a 10 5
b 10 5
[RESERVOIRS]
r 50
[TANKS]
t 40 3 0 5 10 0
[PIPES]
p1 r a 100 300 100 0 OPEN
p2 a b 100 300 100 0 OPEN
p3 b t 100 300 100 0 OPEN
[PUMPS]
[CONTROLS]
{controls}
[RULES]
{rules}
[OPTIONS]
UNITS LPS
HEADLOSS H-W
[TIMES]
DURATION 24:00
[END]
"""


def written(folder, controls="", rules=""):
    path = folder / "net.inp"
    path.write_text(PLAIN.format(controls=controls, rules=rules))
    return path


def test_tables_hold_si_units():
    tables, settings, report = inp_tables(network_file("Net1.inp"))
    assert settings["units"] == "GPM"
    assert "required_pressure" not in settings
    assert tables["junctions"]["elevation"][0] == pytest.approx(710 * 0.3048)
    assert tables["pipes"]["diameter"][0] == pytest.approx(18 * 0.0254)
    assert tables["tanks"]["initial_level"][0] == pytest.approx(120 * 0.3048)
    assert tables["water_demands"]["base"].sum() == pytest.approx(1100 * FLOWS["GPM"])
    assert tables["water_controls"]["limit"].tolist() == pytest.approx([110 * 0.3048, 140 * 0.3048])
    left_out = ["section [ENERGY]", "section [QUALITY]", "section [REACTIONS]"]
    assert sorted(name.split(":")[0] for name in report) == left_out


def test_a_city_of_an_inp_file_survives_a_save(tmp_path):
    city = read_inp(network_file("Net3.inp"))
    city.save(tmp_path / "city")
    assert City.load(tmp_path / "city").digest == city.digest


def test_rules_become_arrays(tmp_path):
    rule = "RULE one\nIF TANK t LEVEL BELOW 2\nOR SYSTEM CLOCKTIME >= 6 PM\nTHEN PIPE p1 STATUS IS OPEN\n"
    rule += "ELSE PIPE p1 STATUS IS CLOSED\nPRIORITY 3"
    tables, _, report = inp_tables(written(tmp_path, rules=rule))
    assert report == {}
    assert tables["water_rules"]["priority"].tolist() == [3.0]
    assert tables["water_premises"]["value"].tolist() == [2.0, 18 * 3600.0]
    assert tables["water_premises"]["either"].tolist() == [False, True]
    assert tables["water_actions"]["status"].tolist() == [1, 0]


@pytest.mark.filterwarnings("ignore")
def test_a_rule_the_twin_cannot_express_is_counted_and_named(tmp_path):
    rule = "RULE odd\nIF LINK p1 STATUS IS ACTIVE\nTHEN PIPE p2 STATUS IS OPEN"
    tables, _, report = inp_tables(written(tmp_path, rules=rule))
    assert len(tables["water_rules"]["id"]) == 0
    assert list(report) == ["rule odd left out: whether a valve is ACTIVE is known to EPANET only"]


def test_an_unknown_pump_in_a_control_is_counted_and_named(tmp_path):
    tables, _, report = inp_tables(written(tmp_path, controls="LINK PU9 OPEN IF NODE t BELOW 2"))
    assert len(tables["water_controls"]["link"]) == 0
    assert report == {"control left out (there is no link PU9): LINK PU9 OPEN IF NODE t BELOW 2": 1}


def test_a_missing_file_and_a_file_of_nonsense_are_named(tmp_path):
    with pytest.raises(CityError, match=r"no file .*gone\.inp"):
        read_inp(tmp_path / "gone.inp")
    (tmp_path / "bad.inp").write_text("[PIPES]\np1 a b x y z\n[END]\n")
    with pytest.raises(CityError, match=r"bad\.inp cannot be read"):
        read_inp(tmp_path / "bad.inp")
    (tmp_path / "bad.inp").write_text("[JUNCTIONS]\nfoo 2\nb   foo ; high\n[END]\n")
    with pytest.raises(CityError, match="to float: 'foo', in line 3: b foo ; high"):
        read_inp(tmp_path / "bad.inp")


@pytest.mark.parametrize(
    ("table", "column", "value", "told"),
    [
        ("pipes", "length", -1.0, r"pipes p0: length \(-1\) must be greater than 0"),
        ("pipes", "to_node", 99, r"pipes p0: to_node \(99\) is no water node"),
        ("pumps", "curve", 7, r"pumps u0: curve \(7\) does not exist"),
        ("pumps", "curve", -1, "pumps u0 has neither a head curve nor a power"),
        ("tanks", "initial_level", 9.0, "tanks tank0: initial_level"),
        ("water_demands", "junction", 44, r"water_demands row 0: junction \(44\) does not exist"),
        ("water_controls", "link", 99, r"water_controls row 0: link \(99\) does not exist"),
        ("water_controls", "node", 77, r"water_controls row 0: node \(77\) does not exist"),
        ("water_controls", "when", "later", "water_controls row 0: when"),
        ("water_controls", "limit", np.nan, "water_controls row 0: limit"),
        ("hydrants", "junction", -1, r"hydrants row 0: junction \(-1\) does not exist"),
        ("water_patterns", "count", 3, r"water_patterns day0: first \(0\) and count \(3\) leave its 2 values"),
        ("water_curves", "first", 1, "water_curves c0: first"),
        ("tanks", "initial_level", np.nan, "tanks tank0: initial_level"),
        ("tanks", "max_level", np.nan, "tanks tank0: initial_level"),
        ("tanks", "min_level", 5.0, r"tanks tank0: max_level \(5\) must be greater than min_level \(5\)"),
        ("tanks", "diameter", np.inf, "tanks tank0 has neither a diameter"),
        ("tanks", "curve", 0, "tanks tank0: the volume curve c0 needs two points"),
        ("tanks", "min_volume", np.nan, "tanks tank0: min_volume"),
        ("junctions", "emitter", np.nan, "junctions j0: emitter"),
        ("junctions", "emitter", -1.0, "junctions j0: emitter"),
        ("pumps", "speed", np.nan, "pumps u0: speed"),
        ("pumps", "power", np.nan, "pumps u0: power"),
        ("pipes", "minor_loss", np.nan, "pipes p0: minor_loss"),
        ("pipes", "length", np.inf, "pipes p0: length"),
        ("water_pattern_values", "value", np.nan, "water_patterns day0 holds a value that is not a number"),
        ("water_curve_points", "x", np.nan, "water_curves c0 holds a value that is not a number"),
        ("water_curve_points", "y", -5.0, "pumps u0: the head of its curve c0, and its flow, must be from 0"),
    ],
)
def test_impossible_tables_are_named(table, column, value, told):
    tables = water_tables()
    column_now = tables[table][column].astype(np.array([value]).dtype)
    column_now[0] = value
    with pytest.raises(CityError, match=told):
        Network(small_city(**{table: tables[table] | {column: column_now}}))


def test_a_network_without_a_source_is_refused():
    tables = water_tables()
    pipes = {k: v[:3] for k, v in tables["pipes"].items()}
    gone = dict.fromkeys(("reservoirs", "tanks", "pumps", "water_controls"))
    with pytest.raises(CityError, match="no reservoir and no tank"):
        Network(small_city(**gone, pipes=pipes))


def test_an_input_epanet_refuses_is_located():
    network = Network(small_city())
    backend = EpanetBackend(network)
    full = Inputs(
        np.zeros(4), np.zeros(4), np.zeros(1), np.array([9.0]), network.initial_status, network.initial_setting
    )
    with pytest.raises(EpanetError, match=r"error 225 .* at tank tank0"):
        backend.solve(full)
    slow = network.initial_setting.copy()
    slow[4] = -2.0
    with pytest.raises(EpanetError, match="at pump u0"):
        backend.solve(Inputs(np.zeros(4), np.zeros(4), np.zeros(1), np.ones(1), network.initial_status, slow))


def test_a_pump_whose_head_rises_with_flow_is_refused():
    rising = {"x": np.array([0.0, 0.01, 0.02]), "y": np.array([10.0, 50.0, 60.0])}
    curves = {"id": np.array(["c0"]), "first": np.array([0]), "count": np.array([3])}
    with pytest.raises(CityError, match="pumps u0: the head of its curve c0 must fall"):
        Network(small_city(water_curves=curves, water_curve_points=rising))


def test_a_network_epanet_cannot_open_is_located():
    valve = {
        "id": np.array(["prv"]),
        "from_node": np.array([3]),
        "to_node": np.array([5]),
        "kind": np.array(["PRV"]),
        "diameter": np.array([0.2]),
        "minor_loss": np.zeros(1),
        "setting": np.array([20.0]),
        "curve": np.array([-1]),
        "state": np.array(["active"]),
    }
    with pytest.raises(EpanetError, match=r"error 219 \(illegal connection of a valve to a tank node\) at valve prv"):
        EpanetBackend(Network(small_city(valves=valve)))


def test_unknown_settings_are_refused():
    with pytest.raises(CityError, match="hydraulic_stp"):
        Network(small_city(), {"hydraulic_stp": 3})


@pytest.mark.parametrize(
    ("words", "told"), [(("6",), 21600), (("6:30", "PM"), 66600), (("12", "AM"), 0), (("90", "MIN"), 5400)]
)
def test_times_are_read(words, told):
    assert seconds(*words) == told


def test_a_pump_that_is_opened_runs_at_rated_speed():
    assert status_and_setting("OPEN", "pump", units_of("LPS")) == (1, 1.0)
    assert status_and_setting("0", "pump", units_of("LPS")) == (0, 0.0)
    assert status_and_setting("40", "PRV", units_of("GPM"))[1] == pytest.approx(40 * 0.3048 / 0.4333)


def test_what_is_not_modelled_is_counted(tmp_path):
    path = written(tmp_path)
    text = path.read_text().replace("[END]", "[QUALITY]\na 1\nb 1\n[SOURCES]\nr CONCEN 1\n[LEAKAGE]\np1 1 0.1\n[END]")
    path.write_text(text)
    report = inp_tables(path)[2]
    assert report == {
        "section [QUALITY]: water quality is not modelled": 2,
        "section [SOURCES]: water quality is not modelled": 1,
        "section [LEAKAGE]: leakage along pipes is not modelled": 1,
    }


def test_a_file_of_an_old_editor_is_read(tmp_path):
    path = written(tmp_path)
    path.write_bytes(("[TITLE]\nRéseau\n" + path.read_text()).encode("latin-1"))
    assert inp_tables(path)[0]["junctions"]["id"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[PUMPS]", "[VALVES]\nv a b 100 PCV 50 0", "valve v is a PCV; the twin knows PRV"),
        ("[PUMPS]", "[STATUS]\nu9 OPEN", r"\[STATUS\] speaks of link u9"),
        ("[PUMPS]", "[STATUS]\np1 HALF", "'HALF' is neither OPEN nor CLOSED nor a number"),
        ("[PUMPS]", "[EMITTERS]\nz 1", r"\[EMITTERS\] speaks of junction z"),
        ("UNITS LPS", "UNITS LPS\nPRESSURE TORR", "pressure unit 'TORR'"),
        ("UNITS LPS", "UNITS CUPS", "flow unit 'CUPS'"),
        ("DURATION 24:00", "RULE TIMESTEP soon", "'TIMESTEP soon' is not a time"),
        ("[PUMPS]", "[PUMPS]\nu a b HEAD c9", r"net\.inp cannot be read .*there is no 'c9'"),
    ],
)
def test_what_a_file_cannot_mean_is_refused_by_name(tmp_path, old, new, told):
    path = written(tmp_path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(CityError, match=told):
        read_inp(path)


@pytest.mark.parametrize("words", [("inf",), ("-3",), ("6:30:15:99",), ("13", "PM"), ("6", "o'clock"), ("6:30", "MIN")])
def test_what_is_no_time_is_refused(words):
    with pytest.raises(CityError, match="time"):
        seconds(*words)


@pytest.mark.parametrize(
    ("table", "column", "value", "told"),
    [
        ("water_actions", "link", 40, r"water_actions row 0: link \(40\) does not exist"),
        ("water_premises", "node", 40, r"water_premises row 0: node \(40\) does not exist"),
        ("water_premises", "variable", 40, "water_premises row 0: variable"),
        ("water_rules", "premises", 9, "water_rules one: its premises leave the 1 rows of water_premises"),
    ],
)
def test_rules_that_point_nowhere_are_named(tmp_path, table, column, value, told):
    tables = inp_tables(written(tmp_path, rules="RULE one\nIF TANK t LEVEL BELOW 2\nTHEN PIPE p1 STATUS IS OPEN"))[0]
    city = City("plain", "Plain", "right", "UTC", 32633, tables)
    Network(city)
    wrong = tables | {table: tables[table] | {column: np.array([value])}}
    with pytest.raises(CityError, match=told):
        Network(City("plain", "Plain", "right", "UTC", 32633, wrong))


def test_shut_off_valves_of_a_pipe_that_is_not_there_are_named():
    with pytest.raises(CityError, match=r"shutoffs row 0: pipe \(77\) does not exist"):
        Network(small_city(shutoffs={"pipe": np.array([77]), "node": np.array([3])}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accuracy", np.nan),
        ("accuracy", -1.0),
        ("viscosity", -1.0),
        ("trials", 2.5),
        ("pattern_step", 1.5),
        ("pressure_exponent", 0.0),
        ("demand_multiplier", np.nan),
        ("required_pressure", -5.0),
        ("start_clock", -1),
    ],
)
def test_settings_that_mean_nothing_are_refused(name, value):
    with pytest.raises(CityError, match=rf"parameters\.water\.{name} "):
        Network(small_city(), {name: value})


def test_a_network_becomes_a_city_from_the_command_line(tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from twin.cli import app

    monkeypatch.chdir(tmp_path)
    written(tmp_path, controls="LINK PU9 OPEN IF NODE t BELOW 2")
    ran = CliRunner().invoke(app, ["city", "build", "net.inp", "--option", "timezone=Asia/Makassar"])
    assert ran.exit_code == 0, ran.output
    assert "there is no link PU9" in " ".join(ran.output.split())
    city = City.load(tmp_path / "net")
    assert (city.timezone, city.rows("pipes")) == ("Asia/Makassar", 3)
    assert water_world(city).run("1 h").check() == []


def test_degrees_are_laid_on_a_grid_of_metres(tmp_path):
    path = tmp_path / "n.inp"
    places = "[COORDINATES]\nr 8.40 49.00\na 8.41 49.00\nb 8.41 49.02\nt 8.42 49.02\n"
    path.write_text(PLAIN.replace("[PIPES]", f"{places}[PIPES]"))
    assert (read_inp(path).crs, read_inp(path)["junctions"]["x"].tolist()) == (3857, [8.41, 8.41])
    city = read_inp(path, crs=4326)
    assert city.crs == 32632
    xy = [np.array([city[name]["x"][0], city[name]["y"][0]]) for name in ("reservoirs", "junctions", "tanks")]
    assert [np.linalg.norm(xy[1] - other) for other in (xy[0], xy[2])] == pytest.approx([731.4, 2341.2], rel=2e-3)
