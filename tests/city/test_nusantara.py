"""The generated city is connected, radial, complete and about as large as it says."""

from __future__ import annotations

import re

import networkx
import numpy as np
import pytest
import yaml

from twin.city.junctions import junctions_of_city
from twin.city.loading import embedded
from twin.city.nusantara import generate


@pytest.fixture(scope="module")
def ten():
    return generate(embedded()["nusantara"], scale=10)


def test_check_finds_nothing_to_complain_about(nusantara, ten):
    assert nusantara.check() == []
    assert ten.check() == []


def test_every_junction_reaches_every_other(nusantara):
    assert networkx.is_strongly_connected(nusantara.graph())


def test_sizes_are_near_the_targets(nusantara):
    assert nusantara.rows("links") == pytest.approx(2500, rel=0.08)
    assert nusantara.rows("buses") == 300
    assert 60 <= nusantara.rows("signals") <= 100
    assert nusantara.rows("zones") == 70
    assert nusantara.parameters["demand"]["trips_morning"] == 60000
    assert (nusantara.rows("hospitals"), nusantara.rows("stations"), nusantara.rows("depots")) == (3, 8, 3)
    assert nusantara["stations"]["units"].sum() == 18
    assert nusantara["depots"]["crews"].sum() == 8


def test_ten_times_the_scale_is_ten_times_the_city(nusantara, ten):
    for table in ("links", "buses", "zones", "signals", "stations", "sites"):
        assert ten.rows(table) == pytest.approx(10 * nusantara.rows(table), rel=0.15), table
    spans = [np.ptp(city["nodes"]["x"]) * np.ptp(city["nodes"]["y"]) for city in (nusantara, ten)]
    assert spans[1] == pytest.approx(10 * spans[0], rel=0.25)
    assert ten.parameters["demand"]["trips_morning"] == 600000


def test_population_and_jobs_are_those_of_the_file(nusantara):
    assert nusantara["zones"]["population"].sum() == 200000
    assert nusantara["zones"]["jobs"].sum() == 92000
    assert nusantara["buses"]["customers"].sum() == round(200000 / 3.6)


def test_it_lies_in_sepaku_and_drives_on_the_left(nusantara):
    assert nusantara["nodes"]["lon"].mean() == pytest.approx(116.70, abs=0.03)
    assert nusantara["nodes"]["lat"].mean() == pytest.approx(-0.97, abs=0.03)
    assert (nusantara.driving_side, nusantara.timezone) == ("left", "Asia/Makassar")


def test_every_street_is_two_way_and_knows_its_other_direction(nusantara):
    links = nusantara["links"]
    back = links["reverse"]
    assert (back >= 0).all()
    np.testing.assert_array_equal(links["from_node"][back], links["to_node"])
    np.testing.assert_array_equal(back[back], np.arange(links.rows))


def test_polylines_run_from_junction_to_junction_and_carry_the_length(nusantara):
    links, points, nodes = nusantara["links"], nusantara["points"], nusantara["nodes"]
    for row in range(0, links.rows, 97):
        part = slice(links["point_first"][row], links["point_first"][row] + links["point_count"][row])
        line = np.stack([points["x"][part], points["y"][part]], axis=1)
        for end, place in (("from_node", line[0]), ("to_node", line[-1])):
            node = links[end][row]
            assert place == pytest.approx((nodes["x"][node], nodes["y"][node]), abs=0.02)
        assert np.hypot(*np.diff(line, axis=0).T).sum() == pytest.approx(links["length"][row], abs=0.2)


def test_streets_do_not_cross_outside_junctions(nusantara):
    import shapely

    shapes = nusantara.frame("links").to_crs(nusantara.crs).geometry
    shapes = shapes[nusantara["links"]["reverse"] > np.arange(nusantara.rows("links"))].to_numpy()
    pairs = shapely.STRtree(shapes).query(shapes, predicate="crosses")
    assert pairs.shape[1] == 0


def test_bridges_join_both_banks_and_only_larger_roads_cross(nusantara):
    river = nusantara["river"]
    north = nusantara["nodes"]["y"] > np.interp(nusantara["nodes"]["x"], river["x"], river["y"])
    links = nusantara["links"]
    bridges = north[links["from_node"]] != north[links["to_node"]]
    assert 6 <= bridges.sum() <= 40
    assert set(links["road_class"][bridges].tolist()) <= {"primary", "secondary"}


def test_closed_lines_form_one_energised_tree(nusantara):
    lines, transformers = nusantara["lines"], nusantara["transformers"]
    closed = lines["closed"]
    grid = networkx.Graph()
    grid.add_nodes_from(range(nusantara.rows("buses")))
    grid.add_edges_from(zip(lines["from_bus"][closed].tolist(), lines["to_bus"][closed].tolist(), strict=True))
    grid.add_edges_from(zip(transformers["from_bus"].tolist(), transformers["to_bus"].tolist(), strict=True))
    assert networkx.is_tree(grid)
    assert (~closed).sum() >= 8


def test_every_load_hangs_below_the_substation_it_names(nusantara):
    lines, buses = nusantara["lines"], nusantara["buses"]
    medium = lines["closed"] & (buses["u_rated"][lines["from_bus"]] < 100e3)
    feeders = networkx.Graph(zip(lines["from_bus"][medium].tolist(), lines["to_bus"][medium].tolist(), strict=True))
    for row, busbar in enumerate(nusantara["substations"]["bus"].tolist()):
        below = networkx.node_connected_component(feeders, busbar) - {busbar}
        assert (buses["substation"][list(below)] == row).all()
        assert len(below) == ((buses["substation"] == row) & (buses["kind"] == "load")).sum()


def test_one_cable_per_feeder_leaves_a_busbar(nusantara):
    lines, buses = nusantara["lines"], nusantara["buses"]
    leaving = lines["closed"] & np.isin(lines["from_bus"], nusantara["substations"]["bus"])
    per_substation = np.bincount(buses["substation"][lines["from_bus"][leaving]])
    load = np.bincount(buses["substation"][buses["kind"] == "load"], buses["p"][buses["kind"] == "load"])
    np.testing.assert_array_equal(per_substation, np.ceil(load / 5.5e6))


def test_voltages_are_within_five_per_cent_and_nothing_is_overloaded(nusantara):
    from tests.city.power_flow import solve

    result = solve(nusantara)
    assert 0.95 <= result["node"]["u_pu"].min() <= result["node"]["u_pu"].max() <= 1.05
    assert result["line"]["loading"].max() < 1.0
    assert result["transformer"]["loading"].max() < 1.0
    assert nusantara["buses"]["p"].sum() == pytest.approx(96e6, rel=1e-4)


def test_cables_follow_streets_near_their_ends(nusantara):
    lines, links = nusantara["lines"], nusantara["links"]
    follows = lines["link"] >= 0
    assert follows.sum() > 0.9 * lines.rows
    start = nusantara["buses"]["node"][lines["from_bus"][follows]]
    touched = np.stack([links["from_node"][lines["link"][follows]], links["to_node"][lines["link"][follows]]])
    assert (touched == start).any(axis=0).all()


def test_one_substation_stands_on_the_flood_plain(nusantara):
    assert (nusantara["substations"]["above_river"] < 3.0).sum() == 1


def test_opposite_approaches_share_a_phase_and_greens_fit(nusantara):
    phases, signals, served = nusantara["phases"], nusantara["signals"], nusantara["phase_links"]
    per_signal = np.bincount(phases["signal"])
    green = np.bincount(phases["signal"], phases["green"])
    np.testing.assert_allclose(green + 5.0 * per_signal, signals["cycle"])
    assert len(np.unique(served["link"])) == served.rows
    streets = junctions_of_city(nusantara.tables, left=True)
    pairs = [served["link"][served["phase"] == phase] for phase in range(phases.rows)]
    together = [pair for pair in pairs if len(pair) == 2]
    assert len(together) > 80
    assert all(streets.facing(int(one), int(two)) for one, two in together)


def test_sites_have_long_batteries_but_for_a_few_short_ones(nusantara):
    hours = nusantara["sites"]["battery"] / 3600.0
    short = hours <= 2.0
    assert short.sum() == 5
    assert ((hours[~short] >= 4.0) & (hours[~short] <= 8.0)).all()


def test_zone_nodes_share_each_zones_trips(nusantara):
    ends = nusantara["zone_nodes"]
    np.testing.assert_allclose(np.bincount(ends["zone"], ends["weight"]), 1.0)
    assert np.bincount(ends["zone"]).max() <= 4


def test_dependencies_name_rows_that_exist(nusantara):
    table = nusantara["dependencies"]
    for row in range(table.rows):
        assert nusantara.row(str(table["to_table"][row]), str(table["to_id"][row])) == table["to_row"][row]
        assert nusantara.row(str(table["from_table"][row]), str(table["from_id"][row])) == table["from_row"][row]
    wanted = ("signals", "sites", "hospitals", "hospitals", "depots", "pumps", "hydrants")
    assert table.rows == sum(nusantara.rows(name) for name in wanted)


def test_every_value_of_the_file_has_unit_and_source(nusantara):
    items = {entry["item"]: entry for entry in nusantara.provenance}
    assert all(str(entry["source"]).strip() for entry in items.values())
    content = yaml.safe_load(embedded()["nusantara"].read_text())
    sections = {key for key, part in content.items() if isinstance(part, dict)}
    assert {item.split(".")[0] for item in items} == sections
    for section in ("demand", "emergency", "restoration", "hazard", "signals"):
        for key in nusantara.parameters[section]:
            assert f"{section}.{key}" in items


def test_shares_sum_to_one(nusantara):
    demand, emergency = nusantara.parameters["demand"], nusantara.parameters["emergency"]
    for shares in (demand["profile"], demand["classes"].values(), emergency["priority_shares"], emergency["profile"]):
        assert sum(shares) == pytest.approx(1.0, abs=1e-3)


def test_streets_have_indonesian_names(nusantara):
    names = np.unique(nusantara["links"]["name"]).tolist()
    assert len(names) > 40
    assert all(re.match(r"^Jalan [A-Z]", name) for name in names)


@pytest.mark.parametrize(("scale", "seed"), [(0.2, 1), (0.5, 2), (1, 3), (3, 4)])
def test_any_seed_and_small_scale_gives_a_sound_city(scale, seed):
    from tests.city.power_flow import solve

    city = generate(embedded()["nusantara"], scale=scale, seed=seed)
    assert city.check() == []
    assert city.rows("hospitals") >= 3
    result = solve(city)
    assert 0.95 <= result["node"]["u_pu"].min() <= result["node"]["u_pu"].max() <= 1.05
    assert result["line"]["loading"].max() < 1.0


@pytest.mark.slow
def test_a_hundred_times_takes_less_than_a_minute_of_work():
    import time

    begin = time.process_time()
    city = generate(embedded()["nusantara"], scale=100)
    assert time.process_time() - begin < 60.0
    assert city.rows("links") == pytest.approx(250000, rel=0.1)
    assert city.check() == []
