"""What .inp files may say, each compared with an uninterrupted EPANET run of the same file."""

from __future__ import annotations

import pytest

from tests.verification.utilities.water_oracle import Oracle, stepped, worst
from twin.models.water.inp import read_inp

PLAIN = """
[JUNCTIONS]
J1 10 5
J2 12 4
J3 8 3
J4 9 2
J5 9 0
[RESERVOIRS]
R1 5
[TANKS]
T1 40 3 1 8 12 0
[PIPES]
P1 J1 J2 500 200 110 0 Open
P2 J2 J3 400 150 100 0 Open
P3 J3 T1 300 200 100 0 Open
P4 J1 J4 600 150 100 0 Open
P5 J4 J3 500 150 100 0 Open
P6 J5 J4 50 150 100 0 Open
[VALVES]
V1 J1 J5 150 {valve} 0
[PUMPS]
U1 R1 J1 HEAD C1
[CURVES]
C1 20 60
G1 0 0
G1 10 5
G1 30 20
[PATTERNS]
1 0.5 1.5 1.0 2.0 0.7 1.2
[TIMES]
Duration 24:00
Pattern Timestep 2:00
{times}
[OPTIONS]
{options}
Units {units}
Headloss H-W
Unbalanced Continue 10
{more}
[END]
"""
RULES = """
[RULES]
RULE a
IF TANK T1 LEVEL ABOVE 5
THEN PUMP U1 STATUS IS CLOSED
RULE b
IF TANK T1 LEVEL BELOW 3
THEN PUMP U1 STATUS IS OPEN
"""
GALLONS = {
    "units": "GPM",
    "scale": (
        (" 5\nJ2 12 4\nJ3 8 3\nJ4 9 2\n", " 80\nJ2 12 60\nJ3 8 50\nJ4 9 30\n"),
        ("C1 20 60", "C1 320 200"),
        ("T1 40 3 1 8 12", "T1 130 10 3 26 40"),
        ("200 110", "8 110"),
        ("150 100", "6 100"),
        ("200 100", "8 100"),
    ),
}


def written(folder, valve="PRV 20", times="", options="", units="LPS", more="", scale=()):
    text = PLAIN.format(valve=valve, times=times, options=options, units=units, more=more)
    for old, new in scale:
        text = text.replace(old, new)
    path = folder / "net.inp"
    path.write_text(text)
    return path


CASES = {
    "speed in status": {"more": "[STATUS]\nU1 0.9"},
    "open in status": {"scale": (("HEAD C1", "HEAD C1 SPEED 0.9"),), "more": "[STATUS]\nU1 Open"},
    "range in status": {"scale": (("P4 J1", "14 J1"), ("P2 J2", "2 J2")), "more": "[STATUS]\n10 20 Closed"},
    "setting in status": {"more": "[STATUS]\nV1 25"},
    "no rule step": {"times": "Hydraulic Timestep 0:15", "more": RULES},
    "rule step of 0": {"times": "Hydraulic Timestep 0:30\nRule Timestep 0", "more": RULES},
    "minutes": {"times": "Hydraulic Timestep 20 MIN\nReport Timestep 0"},
    "emitter, exponent": GALLONS | {"more": "[EMITTERS]\nJ3 2\n[OPTIONS]\nEmitter Exponent 0.8"},
    "emitter, kPa": {"options": "Pressure KPA", "more": "[EMITTERS]\nJ3 0.5"},
    "no backflow": {"options": "Backflow Allowed No", "more": "[EMITTERS]\nJ3 0.5", "scale": (("J3 8", "J3 58"),)},
    "valve in kPa": {"options": "Pressure KPA", "valve": "PRV 200"},
    "valve in bar": {"options": "Pressure BAR", "valve": "PRV 4.6"},
    "valve of a curve": {"valve": "GPV G1"},
    "valve of a curve, switched": {
        "valve": "GPV G1",
        "more": "[CONTROLS]\nLINK V1 CLOSED AT TIME 5\nLINK V1 OPEN AT TIME 9",
    },
    "control in kPa": {
        "options": "Pressure KPA",
        "more": "[CONTROLS]\nLINK P2 CLOSED IF NODE J3 ABOVE 340\nLINK P2 OPEN IF NODE J3 BELOW 330",
    },
    "heavy liquid in psi": GALLONS
    | {
        "options": "Specific Gravity 1.2",
        "more": "[CONTROLS]\nLINK P2 CLOSED IF NODE J3 ABOVE 72\nLINK P2 OPEN IF NODE J3 BELOW 70",
    },
    "pressure-driven before units": {
        "options": "Demand Model PDA\nMinimum Pressure 50\nRequired Pressure 400\nPressure KPA",
        "settings": {},
    },
    "level of a reservoir": {
        "more": "[CONTROLS]\nLINK P4 CLOSED IF NODE R1 ABOVE 3",
        "told": {"control on a reservoir acts at every step, as in EPANET: LINK P4 CLOSED IF NODE R1 ABOVE 3": 1},
    },
    "time beyond midnight": {"more": "[CONTROLS]\nLINK P4 CLOSED AT CLOCKTIME 25:30\nLINK P4 OPEN AT CLOCKTIME 6 PM"},
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_means_what_epanet_takes_it_for(case, tmp_path):
    given = dict(CASES[case])
    told = given.pop("told", {})
    settings = given.pop("settings", {"pressure_driven": False})
    path = written(tmp_path, **given)
    network, found, _ = stepped(path, 24, settings)
    moments = list(Oracle(path, network, tmp_path).run(24))
    head, flow, shared = worst(moments, found)
    assert head < 1e-3
    assert flow < 1.0
    assert shared >= 0.9 * len(moments)
    assert len(moments) > 20
    assert read_inp(path).report["water"] == told
