"""Solve a Network with EPANET, with no memory of earlier solves.

Every solve writes all inputs anew and starts flows afresh: with some inputs left as they were,
results depend on the order of solves (seen: up to 1.7e-3 of the largest flow).

EPANET lets nobody shut a pipe with a check valve. One that is shut is a plain, closed pipe to it for as long.

EPANET ends when flows change by little of their sum. In a network at rest, all of whose flows are
noise about zero, that never comes (seen: 0.01 to 1.7 in sound solutions), so there the change itself counts.
"""

from __future__ import annotations

import ctypes
import tempfile
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from twin.models.water.backend import (
    CLOSED,
    ROUGH,
    SINGULAR,
    SOLVED,
    UNBALANCED,
    Inputs,
    Solution,
)
from twin.models.water.epanet import library as lib
from twin.models.water.epanet.errors import EpanetError
from twin.models.water.epanet.text import project_text, setting_scale
from twin.models.water.network import Network
from twin.models.water.units import FOOT

Array = np.ndarray[Any, Any]

_NO_FLOW = 1e-6 * FOOT**3
"""What EPANET takes for no flow, m3/s (1e-6 ft3/s). Source: EPANET 2.3, hydraul.c, QZERO."""

_MORE = 8
"""Most attempts from the flows of one that did not balance. Those before them begin with fresh flows, so a solution
stays a function of its inputs."""

_HELD_BACK = 0.01
"""Head (m) over a shut check valve, in the direction in which it lets water pass, that betrays a wrong state.

EPANET looks at states at some trials only, and not beyond those allowed; it may then balance with a state that its own
heads contradict (seen: 12 m). A full tank rightly shuts the pipes beside it.
"""

_LAST_CHANGE = 5e-6
"""Share of all demand by which no flow may change in the last trial. A start with fresh flows stops a trial before one
with the flows of the last solution, and left dead ends of ky4 1.7e-6 m3/s wrong; costs 5 % more trials (measured)."""

_OPENING = Lock()
"""EPANET reads its input with strtok, which has one memory for all threads: networks are opened one by one."""


class EpanetBackend:
    """As many open projects as threads solve at once; copies and pickles open their own.

    Which project solves makes no difference, since none remembers anything.
    """

    def __init__(self, network: Network) -> None:
        """Open a project; raises EpanetError that names the element EPANET refuses."""
        self._network = network
        self._free = [_Project(network)]

    def __reduce__(self) -> tuple[Any, ...]:
        return EpanetBackend, (self._network,)

    def solve(self, inputs: Inputs) -> Solution:
        """Return the solution for the inputs; raises EpanetError for an input EPANET refuses."""
        try:
            project = self._free.pop()
        except IndexError:
            project = _Project(self._network)
        try:
            return project.solve(inputs)
        finally:
            self._free.append(project)


class _Project:
    """One open EPANET project."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._prepare()
        self._open()

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Free the project; it cannot be used afterwards."""
        handle, self._handle = getattr(self, "_handle", 0), 0
        if handle:
            lib.library().EN_deleteproject(handle)

    def _prepare(self) -> None:
        """Lay out where inputs go and outputs come from, once."""
        from twin.kernels.water_inputs import Checked, Written

        network, units = self._network, self._network.units
        self._written = Written(
            links=np.flatnonzero(~network.check_valve),
            pipes=network.first_pump,
            setting=setting_scale(network),
            flow=units.flow,
            emitter=units.flow / units.pressure**network.hydraulics.emitter_exponent,
            length=units.length,
        )
        self._plain = np.zeros(network.n_link, bool)
        beside_tank = np.maximum(network.from_node, network.to_node) >= network.first_tank
        self._checked = np.flatnonzero(network.check_valve & ~beside_tank)
        self._looked = Checked(
            self._checked, network.from_node[self._checked], network.to_node[self._checked], _HELD_BACK
        )
        self._refused, self._told = np.zeros(3), np.zeros(4)
        self._nodes, self._links = np.empty((3, network.n_node)), np.empty((2, network.n_link))

    def _open(self) -> None:
        self._handle = lib.new_project()
        with _OPENING, tempfile.TemporaryDirectory() as folder:
            text, report = Path(folder) / "net.inp", Path(folder) / "net.rpt"
            text.write_text(project_text(self._network), encoding="utf-8")
            code = lib.library().EN_open(self._handle, str(text).encode(), str(report).encode(), b"")
            if code > 100:
                raise self._located(code, report)
            lib.library().EN_setreport(self._handle, b"MESSAGES NO")
            code = lib.library().EN_openH(self._handle)
            if code > 100:
                raise EpanetError(code, "the opened network")
        self._toolkit = lib.toolkit(self._handle)
        self._set_accuracy()

    def _set_accuracy(self) -> None:
        """Tell EPANET when to stop: by the sum of changes of flow, and by the largest one."""
        network, option = self._network, lib.library().EN_setoption
        accuracy = network.hydraulics.accuracy
        code = option(self._handle, lib.ACCURACY, accuracy)
        if code:
            raise EpanetError(code, "parameters.water.accuracy", f"value {accuracy:g}")
        largest = max(_LAST_CHANGE * float(np.abs(network.demand_base).sum()), _NO_FLOW)
        self._largest_change = largest / network.units.flow
        option(self._handle, lib.FLOW_CHANGE, self._largest_change)

    def _located(self, code: int, report: Path) -> EpanetError:
        """Read the first complaint of EPANET's report; it names the section and quotes the line."""
        lib.library().EN_close(self._handle)
        lines = [line.strip() for line in report.read_text(errors="replace").splitlines()]
        told = [i for i, line in enumerate(lines) if line.startswith(("Error", "Input Error"))]
        if not told:
            return EpanetError(code, "opening the network")
        digits = "".join(c for c in lines[told[0]].split(":")[0] if c.isdigit())
        quoted = " / ".join(line for line in lines[told[0] : told[0] + 2] if line)
        first = quoted.split(" / ")[-1].split(" ")[0]
        return EpanetError(int(digits or code), self._place(first), quoted)

    def _place(self, name: str) -> str:
        """Turn a name such as P12 back into an element of the city."""
        network = self._network
        first = {
            "J": (0, network.place_of_node),
            "R": (network.n_junction, network.place_of_node),
            "T": (network.first_tank, network.place_of_node),
            "P": (0, network.place_of_link),
            "U": (network.first_pump, network.place_of_link),
            "V": (network.first_valve, network.place_of_link),
        }
        if name[:1] in first and name[1:].isdigit():
            base, tell = first[name[0]]
            return tell(base + int(name[1:]))
        return "opening the network"

    def solve(self, inputs: Inputs) -> Solution:
        shut = self._network.check_valve & (inputs.status == CLOSED)
        if (shut != self._plain).any():
            self._retype(shut)
        self._write(inputs)
        solution = self._attempt(lib.INIT_FLOWS)
        if solution.code in (UNBALANCED, SINGULAR):
            solution = self._insist()
        return solution

    def _insist(self) -> Solution:
        """Try again without a bound on the largest change, from fresh flows and then from those of each attempt."""
        option, handle = lib.library().EN_setoption, self._handle
        option(handle, lib.FLOW_CHANGE, 0.0)
        try:
            solution = self._attempt(lib.INIT_FLOWS)
            for _ in range(_MORE):
                if solution.code != UNBALANCED:
                    break
                solution = self._attempt(lib.KEEP_FLOWS)
        finally:
            option(handle, lib.FLOW_CHANGE, self._largest_change)
        return solution

    def _attempt(self, start: int) -> Solution:
        """Run the solver from fresh flows, or from those of the attempt before."""
        from twin.kernels.water_inputs import attempt

        network, told = self._network, self._told
        head, inflow = np.empty(network.n_node), np.empty(network.n_node)
        delivered, flow = np.empty(network.n_junction), np.empty(network.n_link)
        closed = np.empty(network.n_link, np.bool_)
        asked = (self._toolkit, self._written, self._looked, start, self._nodes, self._links)
        code = attempt(*asked, head, inflow, delivered, flow, closed, told)
        if code < 0:
            raise EpanetError(-code, "the start of a solution")
        if code > 100 and code != SINGULAR:
            raise EpanetError(code, "a solution")
        error, trials, held_back, _ = told.tolist()
        ended = SINGULAR if code == SINGULAR else UNBALANCED if held_back else self._quality(error)
        return Solution(ended, head, inflow, delivered, flow, closed, int(trials), error)

    def _quality(self, error: float) -> int:
        """Tell how good a solution is by its change of flow over the sum of flows."""
        network = self._network
        if error <= network.hydraulics.accuracy:
            return SOLVED
        flows = np.abs(self._links[0]).sum() + np.abs(self._nodes[1, : network.n_junction]).sum()
        rests = error * flows * network.units.flow <= _NO_FLOW * network.n_link
        return ROUGH if rests or error <= network.hydraulics.tolerated else UNBALANCED

    def _retype(self, shut: Array) -> None:
        """Make the pipes whose check valve is shut plain, and give the others theirs back."""
        en, handle = lib.library(), self._handle
        en.EN_closeH(handle)
        for link in np.flatnonzero(shut != self._plain).tolist():
            kind = lib.PLAIN_PIPE if shut[link] else lib.CHECKED_PIPE
            code = en.EN_setlinktype(handle, ctypes.byref(ctypes.c_int(link + 1)), kind, 0)
            if code:
                raise EpanetError(code, self._network.place_of_link(link))
        code = en.EN_openH(handle)
        if code > 100:
            raise EpanetError(code, "the opened network")
        self._plain[:] = shut
        self._written = self._written._replace(links=np.flatnonzero(~self._network.check_valve | shut))
        self._looked = self._looked._replace(links=np.where(shut[self._checked], -1, self._checked))

    def _write(self, inputs: Inputs) -> None:
        """Set every input, whatever was set before: a solution may not depend on the last one's inputs."""
        from twin.kernels.water_inputs import REFUSED_NODE, write_inputs

        refused, network = self._refused, self._network
        nodes = (inputs.demand, inputs.emitter, inputs.head, inputs.level)
        code = write_inputs(self._toolkit, self._written, *nodes, inputs.status, inputs.setting, refused)
        if code:
            kind, row, value = refused.tolist()
            place = network.place_of_node if kind == REFUSED_NODE else network.place_of_link
            raise EpanetError(code, place(int(row)), f"value {value:g}")
