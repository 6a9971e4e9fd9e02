"""A map that makes a poor city is said to be one, loudly."""

from __future__ import annotations

import pytest

from tests.city.small import node, town, way, write_town
from twin.city import build_city
from twin.city.doubts import doubts
from twin.cli import main


def scattered() -> str:
    """Return the town with a dozen one-way streets that lead nowhere, and nothing but streets."""
    text = town().replace("traffic_signals", "crossing").replace('k="amenity"', 'k="shop"')
    lost = "".join(
        node(100 + 2 * k, 110.45, -7.0 + k / 1000) + node(101 + 2 * k, 110.46, -7.0 + k / 1000) for k in range(12)
    )
    lost += "".join(way(100 + k, [100 + 2 * k, 101 + 2 * k], highway="residential", oneway="yes") for k in range(12))
    return text.replace("</osm>", lost + "</osm>")


def build(*words: object) -> int:
    with pytest.raises(SystemExit) as left:
        main(["city", "build", *map(str, words)])
    return int(left.value.code or 0)


def test_a_whole_town_raises_no_doubt_but_for_its_stations(tmp_path):
    assert doubts(build_city(write_town(tmp_path)).report) == ["no stations in the map: 3 are made up"]


def test_a_map_in_pieces_without_places_is_called_so(tmp_path):
    told = doubts(build_city(write_town(tmp_path, text=scattered())).report)
    assert [words.split(":")[0] for words in told] == [
        "only 8 of 20 streets (40%) are left",
        "no traffic signal at any junction (0 in the map)",
        "no hospitals in the map",
        "no stations in the map",
    ]


def test_a_generated_city_and_a_network_without_report_raise_none(nusantara):
    assert doubts(nusantara.report) == []
    assert doubts({}) == []


def test_the_command_warns_and_show_repeats_it(tmp_path, monkeypatch, capsys):
    write_town(tmp_path, text=scattered())
    monkeypatch.chdir(tmp_path)
    assert build("town.osm") == 0
    assert capsys.readouterr().out.count("warning: ") == 4
    with pytest.raises(SystemExit):
        main(["city", "show", "town"])
    told = capsys.readouterr().out
    assert told.count("warning: ") == 4
    assert "population" in told
    assert "trips 06-10 local" in told


def test_a_city_of_another_name_is_not_replaced_unasked(tmp_path, monkeypatch, capsys):
    write_town(tmp_path)
    write_town(tmp_path, "village.osm")
    monkeypatch.chdir(tmp_path)
    assert build("town.osm", "--out", "kept") == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()}
    assert build("village.osm", "--out", "kept") == 2
    assert "kept holds the city 'town', not 'village'" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in (tmp_path / "kept").iterdir()} == before
    assert build("town.osm", "--out", "kept") == 0
    assert build("village.osm", "--out", "kept", "--force") == 0
    assert '"village"' in (tmp_path / "kept" / "city.json").read_text()


def test_a_mistyped_option_is_one_message(tmp_path, monkeypatch, capsys):
    write_town(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert build("town.osm", "--option", "popultion=3") == 2
    assert "nearest: population" in capsys.readouterr().err
    assert not (tmp_path / "town").exists()
