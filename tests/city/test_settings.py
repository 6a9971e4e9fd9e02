"""City files state a unit and a source for every value, or are refused."""

from __future__ import annotations

import pytest

from twin.city import CityError
from twin.city.loading import embedded
from twin.city.names import roman
from twin.city.settings import import_file, read_city_file


def read(folder, text):
    path = folder / "city.yaml"
    path.write_text(text)
    return read_city_file(path)


def test_values_and_provenance_are_parted(tmp_path):
    values, provenance = read(tmp_path, "name: a\npower:\n  u: {value: 20, unit: V, source: 'PLN'}\n")
    assert values == {"name": "a", "power": {"u": 20}}
    assert provenance == [{"item": "power.u", "value": 20, "unit": "V", "source": "PLN"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("power:\n  u: {value: 20, unit: V}\n", "power.u lacks source"),
        ("power:\n  u: {value: 20}\n", "power.u lacks source and unit"),
        ("power:\n  u: 20\n", "power.u is a bare value"),
        ("- a\n", "holds no mapping"),
        ("a: [\n", "cannot be read as a city file"),
        ("a: !!python/object/apply:os.getcwd []\n", "cannot be read as a city file"),
    ],
)
def test_a_value_without_origin_is_refused(tmp_path, text, said):
    with pytest.raises(CityError, match=said):
        read(tmp_path, text)


@pytest.mark.parametrize("path", [embedded()["nusantara"], import_file("osm")], ids=lambda path: path.stem)
def test_assumptions_in_the_files_that_come_along_are_marked_as_such(path):
    provenance = read_city_file(path)[1]
    sources = [str(entry["source"]) for entry in provenance]
    assert all(source.startswith("assumption: ") for source in sources if source.startswith("assumption"))
    assert sum(source.startswith("assumption: ") for source in sources) > 20


def test_roman_numerals():
    assert [roman(n) for n in (1, 4, 9, 14, 40, 99, 400, 2024)] == [
        *("I", "IV", "IX", "XIV"),
        *("XL", "XCIX", "CD", "MMXXIV"),
    ]
