"""The checker names each fault that is put into a sound city, and only that."""

from __future__ import annotations

import numpy as np
import pytest

from twin.city import City


def spoilt(city, table, column, rows, value):
    """Return the city with some values replaced."""
    tables = {name: dict(columns) for name, columns in city.tables.items()}
    array = tables[table][column].copy()
    array[rows] = value
    tables[table][column] = array
    return City(**{**city.header(), "tables": tables})


@pytest.mark.parametrize(
    ("table", "column", "row", "value", "said"),
    [
        ("links", "length", 3, 0.0, "links.length is not positive in 1 rows (first: l3)"),
        ("links", "to_node", 5, 99999, "links.to_node points to no row of nodes in 1 rows (first: l5)"),
        ("links", "capacity", 2, np.nan, "links.capacity is not finite (first: l2)"),
        ("nodes", "id", 1, "n0", "nodes.id is not unique"),
        ("links", "length", 4, np.inf, "links.length is not finite (first: l4)"),
        ("links", "speed", 4, 0.0, "links.speed is not positive in 1 rows (first: l4)"),
        ("links", "point_count", 4, 10**6, "links.point_first and point_count leave the points in 1 rows (first: l4)"),
        ("hospitals", "node", 0, -1, "hospitals.node points to no row of nodes in 1 rows (first: h0)"),
        ("hospitals", "bays", 1, -4, "hospitals.bays is negative in 1 rows (first: h1)"),
        ("stations", "units", 0, -1, "stations.units is negative in 1 rows (first: a0)"),
        (
            "phases",
            "green",
            0,
            900.0,
            "signals.cycle is shorter than its greens, amber and all-red in 1 rows (first: s0)",
        ),
    ],
)
def test_one_fault_is_one_sentence(nusantara, table, column, row, value, said):
    assert spoilt(nusantara, table, column, row, value).check() == [said]


def test_approaches_with_green_at_once_that_conflict_are_named(nusantara):
    served, links = nusantara["phase_links"], nusantara["links"]
    first, second = (served["link"][served["phase"] == phase] for phase in (0, 1))
    assert nusantara["phases"]["signal"][0] == nusantara["phases"]["signal"][1]
    mixed = served["phase"].copy()
    mixed[served["phase"] == 1] = 0
    (said,) = spoilt(nusantara, "phase_links", "phase", slice(None), mixed).check()
    pairs = [f"signal s0: {links['id'][a]} and {links['id'][b]}" for a in first for b in second]
    assert said.startswith(f"approaches with green in one phase conflict: {len(pairs)} (")
    assert all(pair in said for pair in pairs)


def test_pockets_of_turns_that_are_none_or_twice_are_named(nusantara):
    links = nusantara["links"]
    first = np.flatnonzero(links["from_node"] == links["to_node"][0])[0]
    apart = np.flatnonzero(links["from_node"] != links["to_node"][0])[0]
    tables = {name: dict(columns) for name, columns in nusantara.tables.items()}
    rows = {"from_link": [0, 0, 0], "to_link": [first, apart, first], "storage": [2.0, 2.0, 0.0]}
    tables["pockets"] = {name: np.array(column) for name, column in rows.items()}
    said = City(**{**nusantara.header(), "tables": tables}).check()
    assert said == [
        "pockets.storage is not positive in 1 rows (first: row 2)",
        f"pockets between links that do not meet: 1 (first: row 1), {links['id'][0]} to {links['id'][apart]}",
        "pockets of one movement are given twice: 1 (first: row 2)",
    ]


def test_an_approach_with_green_in_two_phases_is_named(nusantara):
    link = nusantara["phase_links"]["link"].copy()
    first = nusantara["links"]["id"][link[0]]
    lost = nusantara["links"]["id"][link[-1]]
    link[-1] = link[0]
    said = spoilt(nusantara, "phase_links", "link", slice(None), link).check()
    assert f"phase_links: {first} has green in two phases" in said
    assert f"approaches of signals without green: 1 (first: {lost})" in said


def with_lost_time(city, amber, all_red):
    """Return the city with other amber and all-red in its first phase, none elsewhere."""
    tables = {name: dict(columns) for name, columns in city.tables.items()}
    for name, value in (("amber", amber), ("all_red", all_red)):
        tables["phases"][name] = np.zeros(city.rows("phases"))
        tables["phases"][name][0] = value
    return City(**{**city.header(), "tables": tables}).check()


def test_amber_and_all_red_may_take_what_greens_leave_of_a_cycle(nusantara):
    signal = nusantara["phases"]["signal"][0]
    green = nusantara["phases"]["green"][nusantara["phases"]["signal"] == signal].sum()
    left = nusantara["signals"]["cycle"][signal] - green
    assert left > 2
    assert with_lost_time(nusantara, left - 1, 1.0) == []
    told = "signals.cycle is shorter than its greens, amber and all-red in 1 rows (first: s0)"
    assert with_lost_time(nusantara, left, 1.0) == [told]
    assert with_lost_time(nusantara, 0.0, -1.0) == ["phases.all_red is negative in 1 rows (first: row 0)"]


def test_a_banned_turn_between_links_that_do_not_meet_is_named(nusantara):
    links = nusantara["links"]
    after = int(np.flatnonzero(links["from_node"] == links["to_node"][0])[0])
    apart = int(np.flatnonzero(links["from_node"] != links["to_node"][0])[0])

    def told(*to_links):
        turns = {"from_link": np.zeros(len(to_links), np.int32), "to_link": np.array(to_links, np.int32)}
        return City(**{**nusantara.header(), "tables": {**nusantara.tables, "banned_turns": turns}}).check()

    assert told(after) == []
    first, second = links["id"][0], links["id"][apart]
    assert told(after, apart) == [f"banned_turns between links that do not meet: 1 (first: row 1), {first} to {second}"]
    assert told(10**6) == ["banned_turns.to_link points to no row of links in 1 rows (first: row 0)"]


def test_a_one_way_end_is_out_of_reach(nusantara):
    links = nusantara["links"]
    ends = np.flatnonzero(np.bincount(links["to_node"]) == 1)
    inbound = int(np.flatnonzero(links["to_node"] == ends[0])[0])
    problems = spoilt(nusantara, "links", "to_node", inbound, links["from_node"][inbound]).check()
    assert any("nodes outside the largest connected part: 1" in text for text in problems)
    assert any("start and end at one node" in text for text in problems)


def test_an_open_line_leaves_buses_without_source_and_a_ring_is_a_grid_too(nusantara):
    closed = nusantara["lines"]["closed"]
    feeder = int(np.flatnonzero(closed & (nusantara["lines"]["link"] >= 0))[0])
    assert any("without a source" in text for text in spoilt(nusantara, "lines", "closed", feeder, False).check())
    tie = int(np.flatnonzero(~closed)[0])
    assert spoilt(nusantara, "lines", "closed", tie, True).check() == []


def test_a_missing_table_and_a_missing_column_are_named(nusantara):
    tables = {name: dict(columns) for name, columns in nusantara.tables.items() if name != "zones"}
    del tables["links"]["speed"]
    problems = City(**{**nusantara.header(), "tables": tables}).check()
    assert "table zones is missing" in problems
    assert "links.speed (free-flow speed) is missing" in problems


def test_a_table_without_its_companion_or_a_row_is_named(nusantara):
    tables = {name: dict(columns) for name, columns in nusantara.tables.items() if name not in {"phases", "lines"}}
    tables["zones"] = {name: column[:0] for name, column in tables["zones"].items()}
    problems = City(**{**nusantara.header(), "tables": tables}).check()
    wanted = {"table zones is empty", "table phases is missing beside signals", "table lines is missing beside buses"}
    assert wanted <= set(problems)


@pytest.mark.parametrize(
    ("part", "value"), [("timezone", "Mars/Olympus"), ("timezone", "Asia"), ("crs", 3), ("crs", "x"), ("name", [3])]
)
def test_a_fact_no_run_can_use_is_named(nusantara, part, value):
    (said,) = City(**{**nusantara.header(), part: value, "tables": dict(nusantara.tables)}).check()
    assert said.startswith(f"{part} ({value!r}) must be")


def test_networks_without_streets_lack_nothing(nusantara):
    tables = {name: dict(nusantara[name]) for name in ("buses", "lines", "transformers", "sources")}
    for column in ("lon", "lat", "node", "substation"):
        tables["buses"].pop(column)
    alone = City("g", "Grid", "left", "UTC", 32750, tables)
    assert alone.check() == []
    tables["lines"]["length"] = -tables["lines"]["length"]
    (told,) = City("g", "Grid", "left", "UTC", 32750, tables).check()
    assert told.startswith("lines.length is not positive")
    assert "table links is missing" in City("n", "N", "left", "UTC", 32750, {"nodes": dict(nusantara["nodes"])}).check()
