"""Dependencies as data: read, checked with row and nearest name, and one copy only."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from tests.city.small import write_town
from twin.city import City
from twin.city.dependencies import COLUMNS, RULES, read_dependencies, supplier_of, supply
from twin.errors import CityError

HEAD = ",".join(COLUMNS) + "\n"
TABLES = {name: {"id": np.array([f"{name[0]}{i}" for i in range(3)])} for name in ("buses", "pumps", "hospitals")}


def written(folder, *lines):
    path = folder / "dependencies.csv"
    path.write_text(HEAD + "".join(line + "\n" for line in lines))
    return path


def test_nusantara_has_a_row_for_whoever_depends(nusantara):
    for kind in ("signals", "sites", "hospitals", "pumps"):
        found = supply(nusantara, "buses", kind)
        assert found.row.tolist() == list(range(nusantara.rows(kind))), kind
    assert supply(nusantara, "junctions", "hydrants").row.shape[0] == nusantara.rows("hydrants")
    assert supply(nusantara, "nodes", "depots").row.shape[0] == nusantara.rows("depots")
    known = {(rule.kind, rule.from_table, rule.to_table, rule.name) for rule in RULES}
    table = nusantara["dependencies"]
    rows = zip(*(table[name].tolist() for name in ("kind", "from_table", "to_table", "rule")), strict=True)
    assert set(rows) <= known


def test_autonomy_is_that_of_the_file(nusantara):
    signals = supply(nusantara, "buses", "signals")
    with_battery = signals.delay > 0
    assert with_battery.sum() == round(0.3 * nusantara.rows("signals"))
    assert signals.delay[with_battery].min() >= 7200
    assert signals.delay.max() <= 21600
    assert set(signals.rule[with_battery].tolist()) == {"battery"}
    assert set(supply(nusantara, "buses", "hospitals").delay.tolist()) == {96 * 3600.0}


def test_a_file_is_read_in_its_order(tmp_path):
    path = written(tmp_path, "buses,b2,pumps,p1,power,dark,0,survey", "buses,b0,pumps,p0,power,dark,0,survey")
    table = read_dependencies(path, TABLES)
    assert table["to_row"].tolist() == [1, 0]
    assert table["from_row"].tolist() == [2, 0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("buses,b9,pumps,p0,power,dark,0,x", "line 2: from_id 'b9' is not in buses (nearest: b"),
        ("bases,b0,pumps,p0,power,dark,0,x", "line 2: from_table 'bases' is no table of the city (nearest: buses)"),
        ("buses,b0,pumps,p0,powre,dark,0,x", "line 2: kind 'powre' is unknown (nearest: power)"),
        ("buses,b0,hospitals,h0,power,generater,0,x", "line 2: rule 'generater' is unknown (nearest: generator)"),
        ("pumps,p0,buses,b0,power,dark,0,x", "line 2: power does not go from pumps to buses"),
        ("buses,b0,pumps,p0,power,dark,-3,x", "line 2: delay (-3) must be a number of seconds"),
        ("buses,b0,pumps,p0,power,dark,soon,x", "line 2: delay (soon) must be a number of seconds"),
        ("buses,b0,pumps", "line 2: 8 values are needed"),
    ],
)
def test_a_wrong_line_is_named_with_the_nearest_name(tmp_path, line, said):
    with pytest.raises(CityError) as caught:
        read_dependencies(written(tmp_path, line), TABLES)
    assert said in str(caught.value)


def test_all_wrong_lines_are_told_at_once(tmp_path):
    path = written(tmp_path, "buses,b9,pumps,p0,power,dark,0,x", "buses,b0,pumps,p9,power,dark,0,x")
    with pytest.raises(CityError, match=r"line 2(.|\n)*line 3"):
        read_dependencies(path, TABLES)


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("from_table,from_id\n")
    with pytest.raises(CityError, match="lacks the columns to_table, to_id"):
        read_dependencies(path, TABLES)


def changed(city, **columns):
    tables = {name: dict(table) for name, table in city.tables.items()}
    tables["dependencies"].update(columns)
    return City(city.name, city.title, city.driving_side, city.timezone, city.crs, tables, city.parameters)


def test_a_city_checks_its_rows(nusantara):
    kind = nusantara["dependencies"]["kind"].copy()
    kind[3] = "pwer"
    assert any("row 3" in text and "nearest: power" in text for text in changed(nusantara, kind=kind).check())


def test_a_second_supplier_in_a_table_of_its_own_is_refused(nusantara):
    table = nusantara["dependencies"]
    row = int(np.flatnonzero(table["to_table"] == "pumps")[0])
    other = (int(table["from_row"][row]) + 1) % nusantara.rows("buses")
    rows, ids = table["from_row"].copy(), table["from_id"].copy()
    rows[row], ids[row] = other, nusantara["buses"]["id"][other]
    assert any(
        "another supplier than pumps.bus" in text for text in changed(nusantara, from_row=rows, from_id=ids).check()
    )


def test_without_rows_a_table_says_itself_who_supplies_it(nusantara):
    tables = {name: dict(table) for name, table in nusantara.tables.items() if name != "dependencies"}
    bare = City("bare", "Bare", "left", "UTC", 32750, tables)
    assert supplier_of(bare, "buses", "pumps", "bus").tolist() == nusantara["pumps"]["bus"].tolist()


def test_a_map_takes_the_dependencies_of_a_file(tmp_path):
    town = write_town(tmp_path)
    first = twin.city.build_city(town, population=4000)
    bus = first["buses"]["id"][int(first["hospitals"]["bus"][0])]
    path = written(tmp_path, f"buses,{bus},hospitals,h0,power,generator,60,survey")
    city = twin.city.build_city(town, population=4000, dependencies=str(path))
    assert city.rows("dependencies") == 1
    assert city["dependencies"]["delay"].tolist() == [60.0]
    assert city.check() == []
