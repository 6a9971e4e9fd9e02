"""SUMO's mesoscopic model on a case: Lopez et al., Microscopic traffic simulation using SUMO, ITSC (2018)."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path
from statistics import fmean
from xml.etree import ElementTree

from benchmarks.peers.grid import JAM_DENSITY, LENGTH, SIDE, SPEED, GridCase

_TAU = 1.0
"""s, net headway from a rear bumper to the next front, of vehicles whose own tau is 1 s, free or in a jam.

SUMO adds the vehicle's length over the speed (meso-tauff and the others are net times, see its manual, Simulation,
Meso): 1 + 5 / 20 = 1.25 s from front to front, 0.8 veh/s, as in the other engines (measured on two links in a row:
1.250 s; with 1.25 s net 1.500 s). On seed 1 the mean trip is then
1,286 s and the wait to depart 23 s. With 1.25 s net the streets carry 0.67 veh/s and both are 1,718 and 78 s.
"""
_END = 20_000.0


def write(case: GridCase, folder: Path) -> None:
    """Write the net and the vehicles of a case as SUMO's files."""
    import sumo

    nodes = [f'<node id="{n}" x="{n % SIDE * LENGTH}" y="{n // SIDE * LENGTH}"/>' for n in range(SIDE**2)]
    edges = [
        f'<edge id="{i}" from="{a}" to="{b}" numLanes="1" speed="{SPEED}" length="{LENGTH}"/>'
        for i, (a, b) in enumerate(zip(case.from_node.tolist(), case.to_node.tolist(), strict=True))
    ]
    _xml(folder / "grid.nod.xml", "nodes", nodes)
    _xml(folder / "grid.edg.xml", "edges", edges)
    tool = Path(sumo.SUMO_HOME) / "bin" / "netconvert"
    command = [str(tool), "-n", "grid.nod.xml", "-e", "grid.edg.xml", "-o", "grid.net.xml"]
    subprocess.run([*command, "--no-internal-links"], cwd=folder, check=True, capture_output=True)
    kind = f'<vType id="car" length="{1 / JAM_DENSITY}" minGap="0" tau="1" sigma="0" speedDev="0" maxSpeed="{SPEED}"/>'
    vehicles = [
        f'<vehicle id="{v}" type="car" depart="{t}" departSpeed="max">'
        f'<route edges="{" ".join(map(str, case.route(v)))}"/></vehicle>'
        for v, t in enumerate(case.depart.tolist())
    ]
    _xml(folder / "grid.rou.xml", "routes", [kind, *vehicles])


def _xml(path: Path, root: str, rows: list[str]) -> None:
    path.write_text(f"<{root}>\n" + "\n".join(rows) + f"\n</{root}>\n", encoding="utf-8")


def mean_trip(folder: Path) -> tuple[float, float]:
    """Return the mean trip and the mean wait to depart, s, of one more run whose output is on."""
    output = folder / "trips.xml"
    _simulate(folder, "--tripinfo-output", str(output))
    rows = [row.attrib for row in ElementTree.parse(output).getroot()]
    return fmean(float(row["duration"]) for row in rows), fmean(float(row["departDelay"]) for row in rows)


def run(folder: Path) -> tuple[float, float]:
    """Return seconds of the simulation, and the vehicles that never arrived; all output is off."""
    return _simulate(folder)


def _simulate(folder: Path, *more: str) -> tuple[float, float]:
    """Load the files, then simulate; only the latter is timed."""
    # Its warning about pyarrow goes to standard output, where the figures belong.
    with contextlib.redirect_stdout(sys.stderr):
        import libsumo

    taus = [word for name in ("ff", "fj", "jf", "jj") for word in (f"--meso-tau{name}", str(_TAU))]
    files = ["-n", str(folder / "grid.net.xml"), "-r", str(folder / "grid.rou.xml")]
    quiet = ["--no-step-log", "--no-warnings", "--no-duration-log", "true"]
    patient = ["--time-to-teleport", "-1", "--max-depart-delay", "-1", "--route-steps", "0"]
    libsumo.start(["sumo", *files, "--mesosim", *taus, *quiet, *patient, *more])
    try:
        begun = time.perf_counter()
        while libsumo.simulation.getMinExpectedNumber() and libsumo.simulation.getTime() < _END:
            libsumo.simulationStep(libsumo.simulation.getTime() + 100)
        taken = time.perf_counter() - begun
        return taken, float(libsumo.simulation.getMinExpectedNumber())
    finally:
        libsumo.close()
