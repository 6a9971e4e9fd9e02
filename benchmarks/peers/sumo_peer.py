"""SUMO's mesoscopic model on a case: Lopez et al., Microscopic traffic simulation using SUMO, ITSC (2018)."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from benchmarks.peers.grid import JAM_DENSITY, LENGTH, SIDE, SPEED, GridCase

_TAU = 1.25
"""s, headway of vehicles whose own tau is 1 s: gives the mean trip of the other engines on this case."""
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


def run(folder: Path) -> tuple[float, float]:
    """Return seconds of the simulation, and the vehicles that never arrived."""
    import libsumo

    taus = [word for name in ("ff", "fj", "jf", "jj") for word in (f"--meso-tau{name}", str(_TAU))]
    files = ["-n", str(folder / "grid.net.xml"), "-r", str(folder / "grid.rou.xml")]
    quiet = ["--no-step-log", "--no-warnings", "--no-duration-log", "true"]
    patient = ["--time-to-teleport", "-1", "--max-depart-delay", "-1", "--route-steps", "0"]
    libsumo.start(["sumo", *files, "--mesosim", *taus, *quiet, *patient])
    try:
        begun = time.perf_counter()
        while libsumo.simulation.getMinExpectedNumber() and libsumo.simulation.getTime() < _END:
            libsumo.simulationStep(libsumo.simulation.getTime() + 100)
        taken = time.perf_counter() - begun
        return taken, float(libsumo.simulation.getMinExpectedNumber())
    finally:
        libsumo.close()
