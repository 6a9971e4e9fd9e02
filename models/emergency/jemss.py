"""Read the tables of JEMSS, the ambulance simulator of the University of Auckland.

Roads, stations, hospitals, units, priorities, travel modes, re-dispatch and the
call distributions of its Manhattan model, in the folder's flat layout. JEMSS counts
from 1, in days and km; here rows count from 0, in s and m. Longitude and latitude
are laid flat around the middle of the roads.

Source: Ridler, Mason, Raith, A simulation and optimisation package for emergency
medical services, European Journal of Operational Research 298 (2022).
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.emergency.network import build_network
from twin.models.emergency.raster import Raster, read_raster
from twin.models.emergency.region import Driving, Region
from twin.random import uniform

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, Any]
Table = dict[str, list[str]]

_DAY = 86_400.0
_EARTH = 6_371_008.8


@dataclass(frozen=True)
class Generator:
    """The call distributions of a JEMSS folder; all durations in s.

    gap, scene, handover are exponential means, answer is the mean of a normal
    distribution of no width, transport a chance, priority the chance of each.
    """

    region: Region
    raster: Raster
    middle: tuple[float, float]
    gap: float
    priority: Array
    answer: float
    scene: float
    transport: float
    handover: float
    mobilise: float = 60.0

    def draw(self, count: int, seed: int) -> pd.DataFrame:
        """Draw calls: arrive, x, y, node, walk, priority, answer, mobilise, scene, transport, handover.

        Every figure of a call depends on seed and its number only, so more calls
        begin with the same ones.
        """
        import pandas as pd

        ids = np.arange(count)
        draw = {name: uniform(seed, f"emergency.{name}", ids) for name in _STREAMS}
        x, y = flat(*self.raster.places(draw["cell"], draw["across"], draw["down"]), self.middle)
        calls = pd.DataFrame(
            {
                "arrive": np.cumsum(-np.log(draw["gap"]) * self.gap),
                "x": x,
                "y": y,
                "priority": np.searchsorted(np.cumsum(self.priority)[:-1], draw["priority"], side="right"),
                "answer": self.answer,
                "mobilise": self.mobilise,
                "scene": -np.log(draw["scene"]) * self.scene,
                "transport": draw["transport"] < self.transport,
                "handover": -np.log(draw["handover"]) * self.handover,
            }
        )
        return self.region.with_places(calls)


_STREAMS = ("gap", "cell", "across", "down", "priority", "scene", "transport", "handover")


def read_jemss(folder: str | Path) -> Generator:
    """Read a folder of JEMSS tables; `Generator.region` is the service, `Generator.draw` its calls.

    Raises FileNotFoundError for a missing file, ValueError for a wrong table.
    """
    root = Path(folder)
    with zipfile.ZipFile(root / "roads.zip") as roads:
        nodes = _tables(roads.read("nodes.csv").decode())["nodes"]
        arcs = _tables(roads.read("arcs.csv").decode())["arcs"]
    lon, lat = _numbers(nodes["x"]), _numbers(nodes["y"])
    middle = (float(lon.mean()), float(lat.mean()))
    times = np.array([_numbers(arcs[name]) for name in sorted(arcs) if name.startswith("mode_")]) * _DAY
    network = build_network(
        np.column_stack(flat(lon, lat, middle)),
        _numbers(arcs["fromNode"]).astype(np.int64) - 1,
        _numbers(arcs["toNode"]).astype(np.int64) - 1,
        times,
        _numbers(nodes["offRoadAccess"]) > 0,
    )
    region = _region(root, network, middle)
    return _generator(root, region, middle)


def flat(lon: Any, lat: Any, middle: tuple[float, float]) -> tuple[Array, Array]:
    """Lay longitude and latitude (degrees) flat around a middle; m east and north of it."""
    scale = np.pi / 180 * _EARTH
    east = (np.asarray(lon, float) - middle[0]) * scale * np.cos(np.radians(middle[1]))
    return east, (np.asarray(lat, float) - middle[1]) * scale


def _region(root: Path, network: Any, middle: tuple[float, float]) -> Region:
    """Read stations, hospitals, units, priorities and rules."""
    import pandas as pd

    def places(name: str) -> pd.DataFrame:
        table = _tables((root / f"{name}_1.csv").read_text(encoding="utf-8"))[name]
        x, y = flat(_numbers(table["x"]), _numbers(table["y"]), middle)
        node, walk = network.nearest(x, y)
        label = next((c for c in ("Name", "address") if c in table), "index")
        return pd.DataFrame({"name": table[label], "x": x, "y": y, "node": node, "walk": walk})

    units = _tables((root / "ambulances_1.csv").read_text(encoding="utf-8"))["ambulances"]
    ranks = _tables((root / "priorities_1.csv").read_text(encoding="utf-8"))["priorities"]
    travel = _tables((root / "travel_1.csv").read_text(encoding="utf-8"))
    again = _tables((root / "redispatch_low_to_high.csv").read_text(encoding="utf-8"))
    names = ranks["name"]
    return Region(
        network,
        places("stations"),
        places("hospitals"),
        pd.DataFrame({"station": _numbers(units["stationIndex"]).astype(np.int64) - 1}),
        pd.DataFrame({"name": names, "target": _numbers(ranks["targetResponseTime"]) * _DAY}),
        _driving(travel, names),
        _upgrades(again["redispatchConditions"], names),
    )


def _driving(travel: dict[str, Table], names: list[str]) -> Driving:
    """Take the modes of priorities and times; patients and returns go by the mode of the least urgent."""
    speed = _numbers(travel["travelModes"]["offRoadSpeed"]) * 1000 / _DAY
    sets, timing = travel["travelSets"], travel["travelSetsTiming"]
    rows = []
    for wanted in timing["travelSetIndex"]:
        mode = {
            priority: int(index) - 1
            for number, priority, index in zip(
                sets["travelSetIndex"], sets["priority"], sets["travelModeIndex"], strict=True
            )
            if number == wanted
        }
        rows.append([*(mode[name] for name in names), mode[names[-1]], mode[names[-1]]])
    return Driving(1 / speed, _numbers(timing["startTime"]) * _DAY, np.array(rows))


def _upgrades(table: Table, names: list[str]) -> Array:
    """Return which calls may take the unit of which."""
    allowed = np.zeros((len(names), len(names)), np.bool_)
    rows = zip(table["fromCallPriority"], table["toCallPriority"], table["allowRedispatch"], strict=True)
    for low, high, yes in rows:
        allowed[names.index(low), names.index(high)] = bool(int(yes))
    return allowed


def _generator(root: Path, region: Region, middle: tuple[float, float]) -> Generator:
    """Read the call distributions and the raster of population."""
    import pandas as pd

    text = (root / "gen_config.xml").read_text(encoding="utf-8")

    def inside(name: str) -> str:
        found = re.search(rf"<{name}[^>]*>(.*?)</{name}>", text, re.DOTALL)
        if found is None:
            raise ValueError(f"gen_config.xml: {name} is missing")
        return found[1]

    def mean(name: str) -> float:
        return _quotient(inside(name)) * _DAY

    chances = np.array([float(word) for word in re.findall(r"[\d.]+", inside("priority"))])
    raster = read_raster(next(iter(sorted(root.glob("*pop_densit*")))))
    x, y = flat(*raster.centres(), middle)
    demand = pd.DataFrame({"x": x, "y": y, "weight": raster.weights()})
    return Generator(
        replace(region, demand=demand),
        raster,
        middle,
        mean("interarrivalTime"),
        chances / chances.sum(),
        mean("dispatchDelay"),
        mean("onSceneDuration"),
        _quotient(inside("transport")),
        mean("handoverDuration"),
    )


def _quotient(text: str) -> float:
    """Return the value of the first argument of a distribution such as Exponential(1/(18.8*24))."""
    inner = text[text.index("(") + 1 : text.rindex(")")].split(",", maxsplit=1)[0]
    top, *below = re.findall(r"[\d.]+", inner)
    value = float(top)
    for word in below:
        value /= float(word)
    return value


def _numbers(words: list[str]) -> Array:
    """Turn words into numbers."""
    return np.array([float(word) for word in words])


def _tables(text: str) -> dict[str, Table]:
    """Split a file of JEMSS into its tables: a row with the name, one with the columns, rows up to an empty one."""
    tables: dict[str, Table] = {}
    name, columns = "", [""]
    state = "name"
    for row in csv.reader(io.StringIO(text)):
        if not any(word.strip() for word in row):
            state = "name"
        elif state == "name":
            name, state = row[0], "columns"
        elif state == "columns":
            columns, state = row, "rows"
            tables[name] = {column: [] for column in columns if column}
        else:
            for column, word in zip(columns, row, strict=False):
                if column:
                    tables[name][column].append(word)
    return tables
