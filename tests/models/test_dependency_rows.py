"""Every kind of row of `dependencies`: the run changes when nothing but the row does, and by what the row says."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.utility_city import assemble, ids, order, places, planned, six_bus_city, times
from tests.models.water_city import water_tables
from twin.city.dependencies import RULES, table_of_rows, wrong_dependencies
from twin.contract import SECOND
from twin.models.backup import Backup
from twin.models.dependencies import Dependencies
from twin.models.feeds import Scada
from twin.models.power import Power
from twin.models.restoration.crews import build_crews
from twin.models.telecom import Telecom
from twin.models.water import Water
from twin.world import World

OUTAGE = planned("line_failure", 600, [0])
"""Buses 3 and 4 go dark for good; bus 5 keeps its power."""
CUT_OFF = planned("pipe_switch", 3600, [0, 3], value=0)
"""Junctions 1 and 2 lose pump and tank; junction 0 keeps the pump."""
DEPOT = {"node": np.array([0], np.int32), "kind": np.array(["power"]), "crews": np.array([1])}
SEEN: set[tuple[str, str, str, str]] = set()


def city_with(line):
    """Return the city of six buses and four junctions with one dependency, written as a line of the file."""
    given = tuple(line.split(","))
    SEEN.add((given[4], given[0], given[2], given[5]))
    tables = {name: dict(table) for name, table in six_bus_city().tables.items()} | water_tables()
    tables["depots"] = {"id": ids("d", 1), **places([0.0]), **DEPOT}
    del tables["dependencies"]
    return six_bus_city(**tables, dependencies=table_of_rows([given], tables))


def run(line, *parts, event=OUTAGE, hours=4):
    return World(assemble(event, city=city_with(line), parts=[Power(), *parts], hours=hours)).run()


def dark(world, table):
    """Return when the only changes of power of a table were made."""
    rows = world.events.rows()
    causes = [int(cause) for cause in world.state[f"{table}.powered@cause"] if cause >= 0]
    return [rows[cause][0] / SECOND for cause in causes]


def signal(line):
    return dark(run(line, Backup()), "signal")


def hospital(line):
    return dark(run(line, Backup()), "hospital")


def site(line):
    return times(run(line, Backup(), Telecom()), "site_dead", 0)


def pump(line):
    return times(run(line, Water()), "pump_stopped", 0)


def hydrant(line):
    """Return when hydrant 1 is dry, with somebody drawing from it since the first hour."""
    world = World(assemble(CUT_OFF, city=city_with(line), parts=[Power(), Water()], hours=2))
    order(world, "hydrant_draw", 3000, 1, value=1e-3)
    return times(world.run(), "hydrant_dry", 1)


def thirsty(line):
    return times(run(line, Water(), Dependencies(), event=CUT_OFF, hours=3), "hospital_dry", 0)


def cut_out(line):
    return times(run(line, Water(), Dependencies(), event=CUT_OFF, hours=3), "pump_cut_out", 0)


def crew(line):
    crews = build_crews(city_with(line))
    return [int(crews.node[0]), crews.lead[0] / SECOND]


def silent(line):
    """Return the substations that fall silent when site 1 fails; they stand at nodes 2 and 4."""
    event = planned("site_failure", 600, [1])
    world = run(line, Backup(), Telecom(), Scada(), event=event, hours=1)
    return np.flatnonzero(world.state["observed_substation.silent"]).tolist()


CASES = [
    (signal, "buses,b3,signals,s0,power,dark,0,x", [600], "buses,b5,signals,s0,power,dark,0,x", []),
    (signal, "buses,b3,signals,s0,power,battery,900,x", [1500], "buses,b3,signals,s0,power,battery,60,x", [660]),
    (site, "buses,b4,sites,c0,power,battery,600,x", [1200], "buses,b4,sites,c0,power,battery,30,x", [630]),
    (hospital, "buses,b3,hospitals,h0,power,generator,3600,x", [4200], "buses,b5,hospitals,h0,power,generator,1,x", []),
    (pump, "buses,b3,pumps,u0,power,dark,0,x", [600], "buses,b5,pumps,u0,power,dark,0,x", []),
    (
        hydrant,
        "junctions,j2,hydrants,h1,water,pressure,0,x",
        [3600],
        "junctions,j0,hydrants,h1,water,pressure,0,x",
        [],
    ),
    (thirsty, "junctions,j1,hospitals,h0,water,store,1800,x", [5400], "junctions,j0,hospitals,h0,water,store,9,x", []),
    (cut_out, "junctions,j1,pumps,u0,water,cut_out,60,x", [3660], "junctions,j2,pumps,u0,water,cut_out,90,x", [3690]),
    (crew, "nodes,n0,depots,d0,road,access,0,x", [0, 0], "nodes,n4,depots,d0,road,access,120,x", [4, 120]),
    (
        silent,
        "sites,c1,nodes,n2,telecom,relay,0,x",
        [0, 1],
        "sites,c0,nodes,n4,telecom,relay,0,x",
        [],
    ),
]


@pytest.mark.parametrize(("measure", "line", "found", "other", "changed"), CASES)
def test_a_row_steers_its_reader(measure, line, found, other, changed):
    assert measure(line) == found
    assert measure(other) == changed


def test_every_rule_has_its_case():
    for _, line, _, other, _ in CASES:
        city_with(line), city_with(other)
    assert {(rule.kind, rule.from_table, rule.to_table, rule.name) for rule in RULES} == SEEN


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.at_once], ids=lambda rule: f"{rule.to_table}-{rule.name}"
)
def test_a_delay_that_nobody_would_read_is_refused(rule):
    city = city_with(
        next(
            line
            for case in CASES
            for line in (case[1], case[3])
            if f",{rule.name},0" in line and f",{rule.to_table}," in line
        ).replace(",0,x", ",60,x")
    )
    assert any(f"rule {rule.name!r} acts at once, so delay (60) must be 0" in text for text in wrong_dependencies(city))
