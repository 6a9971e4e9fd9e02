"""How long 31 simulated hours of Micropolis take: power, water, streets, crews and a disaster.

The city is that of InfraRisk (`$TWIN_DATA/micropolis`), the disaster its `track1`: at 100 minutes five
water mains, five power lines and four road links fail by half. One crew of each skill starts at node
T_J8, needs ten minutes before each trip and repairs by largest capacity first. EPANET
solves pressure-driven, vehicles drive, loads follow the hour of the day. Timed is the run, from the assembled city to
the last instant; the peer is the figure of InfraRisk's author for the same hours, 736 s on his machine.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.report import Report, Target
from twin.assembly import Assembly
from twin.contract import HOUR, MINUTE, SECOND, Policy, Setup
from twin.errors import DataError
from twin.models.feeds import Probes
from twin.models.hazards import Hazards
from twin.models.infrarisk import build_infrarisk, read_disruptions
from twin.models.policies.restoration_ranked import LargestCapacity
from twin.models.power import Power
from twin.models.restoration import DRIVING, PREPARING, REPAIRING, Restoration
from twin.models.traffic import Traffic
from twin.models.water import Water
from twin.world import World

HOURS = 31
_PUBLISHED = 736.0
_SKILLS = ("power", "water", "road")
_TARGETS = (Target("wall_s", "<=", 10),)


def folder() -> Path:
    """Return the folder of Micropolis; raise DataError where there is none."""
    root = os.environ.get("TWIN_DATA", "")
    path = Path(root) / "micropolis"
    if not root or not path.is_dir():
        raise DataError("set TWIN_DATA to the folder that holds micropolis/ (see README.md there)")
    return path


def micropolis_city() -> Any:
    """Return the city with its crews at T_J8, as InfraRisk's notebooks place them."""
    return build_infrarisk(folder(), crew_node="T_J8")


def track1(city: Any, policy: Policy | None = None, trips: float = 1.0, **options: Any) -> World:
    """Return the world of the disaster, at its start.

    policy   default: largest capacity first
    trips    share of the city's trips that are made
    options  of the policy
    """
    rule = policy or LargestCapacity()
    durations = Path(__file__).parents[1] / "scenarios" / "restoration" / "infrarisk.csv"
    crews = {"mobilisation": 600.0, "preparation": 600.0, "linger": 86400.0, "report_delay": 0.0}
    given = {"restoration": crews | {"durations": str(durations)}, "traffic": {"demand_factor": trips}}
    given["power"] = {"load_every": 3600.0}
    given[rule.name] = options
    events = tuple(_events(city))
    setup = Setup(city, {}, 1, 1_577_836_800_000_000, HOURS * HOUR, events, policies={"restoration": rule.name})
    parts = [Hazards(), Power(), Water(), Traffic(), Restoration(), Probes()]
    return World(Assembly(city, parts, [rule], setup, given))


def _events(city: Any) -> Sequence[Any]:
    """Return the disruptions as events of a scenario, one for each kind and instant."""
    found: dict[tuple[float, str], list[int]] = {}
    share = 0.5
    for event in read_disruptions(folder() / "track1_disruption_file.csv", city):
        found.setdefault((event["time"], event["kind"]), []).append(event["row"])
        share = event["share"]
    extra = {"pipe_burst": {"share": share}, "line_failure": {"duration": 0.0}}
    return [
        SimpleNamespace(kind=kind, time=round(when * SECOND), targets=tuple(rows), params=extra.get(kind, {}), label="")
        for (when, kind), rows in found.items()
    ]


def legs(world: World) -> dict[str, list[int]]:
    """Return the minutes from each order to arrival on site, rounded as InfraRisk does, by skill."""
    crews = world.assembly.by_name["restoration"].crews  # type: ignore[attr-defined]
    sent: dict[int, int] = {}
    found: dict[str, list[int]] = {name: [] for name in _SKILLS}
    for row in world.events.rows():
        if row[1] == "crew_sent":
            sent[int(row[3])] = row[0]
        elif row[1] == "crew_on_site":
            crew = int(row[3])
            found[_SKILLS[crews.skill[crew]]].append(round((row[0] - sent[crew]) / MINUTE))
    return found


def minutes(world: World) -> dict[str, dict[str, float]]:
    """Return the minutes each skill travelled (preparation included) and repaired, exactly."""
    restoration = world.assembly.by_name["restoration"]
    spent = world.state["crew.time"].copy()
    skill = restoration.crews.skill  # type: ignore[attr-defined]
    spent[np.arange(len(skill)), world.state["crew.stage"]] += world.now - world.state["crew.since"]
    stages = {"travel": (PREPARING, DRIVING), "repair": (REPAIRING,)}
    return {
        name: {what: float(spent[skill == i][:, list(of)].sum()) / MINUTE for what, of in stages.items()}
        for i, name in enumerate(_SKILLS)
    }


def measure(seed: int, quick: bool) -> Report:
    """Return the seconds of the run, the crews' minutes and what the city suffered."""
    city = micropolis_city()
    track1(city).run(HOUR).close()
    times = []
    for _ in range(1 if quick else 3):
        world = track1(city)
        begin, spent = time.perf_counter(), time.process_time()
        world.run()
        times.append((time.perf_counter() - begin, time.process_time() - spent))
    figures = {name: statistics.median(t[i] for t in times) for i, name in enumerate(("wall_s", "cpu_s"))}
    figures["simulated_h"] = float(HOURS)
    figures["ratio_infrarisk_published"] = _PUBLISHED / figures["wall_s"]
    for name, of_crew in minutes(world).items():
        figures |= {f"{name}_{what}_min": value for what, value in of_crew.items()}
    figures |= {name: value for name, value in world.kpis().items() if np.isfinite(value)}
    broken = world.check()
    setup = {"invariants_broken": broken, "load_average": round(os.getloadavg()[0], 1), "seed_used": 1, "asked": seed}
    return Report(figures, _TARGETS, setup)
