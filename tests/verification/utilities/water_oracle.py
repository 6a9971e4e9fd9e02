"""Uninterrupted EPANET runs, and the twin's steps beside them."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np

from twin.models.water.engine import SECOND, WaterEngine
from twin.models.water.epanet import library as lib
from twin.models.water.inp import read_inp
from twin.models.water.network import Network
from twin.models.water.state import NEXT, WaterState

_ACCURACY, _DEMAND_MODEL, _DURATION, _LINKS = 1, 8, 0, 2
_HOUR = 3600


@dataclass
class Moment:
    """One EPANET solution: time (s), code, heads (m) and flows (m3/s) in the twin's order."""

    time: int
    code: int
    head: np.ndarray
    flow: np.ndarray


class Oracle:
    """An open EPANET project that runs by itself."""

    def __init__(self, path, network, folder, accuracy=1e-6):
        self.en, self.handle = lib.library(), ctypes.c_void_p(lib.new_project())
        code = self.en.EN_open(self.handle, str(path).encode(), str(folder / "oracle.rpt").encode(), b"")
        assert code < 100, code
        assert self.en.EN_setoption(self.handle, _ACCURACY, accuracy) == 0
        self.network = network
        self.node_row = {name: i for i, name in enumerate(self._names(0, self.en.EN_getnodeid))}
        self.link_row = {name: i for i, name in enumerate(self._names(_LINKS, self.en.EN_getlinkid))}

    def _names(self, kind, ask):
        count, buffer = ctypes.c_int(), ctypes.create_string_buffer(64)
        self.en.EN_getcount(self.handle, kind, ctypes.byref(count))
        names = []
        for i in range(count.value):
            ask(self.handle, i + 1, buffer)
            names.append(buffer.value.decode())
        return names

    def set_link(self, name, what, value):
        """Set a property of a link."""
        assert self.en.EN_setlinkvalue(self.handle, self.link_row[name] + 1, what, value) == 0

    def set_node(self, name, what, value):
        """Set a property of a node."""
        assert self.en.EN_setnodevalue(self.handle, self.node_row[name] + 1, what, value) == 0

    def run(self, hours, before=None):
        """Yield every solution of a run; `before(oracle, time)` may change inputs ahead of one."""
        self.en.EN_settimeparam(self.handle, _DURATION, ctypes.c_long(hours * _HOUR))
        nodes = [self.node_row[name] for name in self.network.node_identifier]
        links = [self.link_row[name] for name in self.network.link_identifier]
        self.en.EN_openH(self.handle)
        self.en.EN_initH(self.handle, 10)
        time, step, next_time = ctypes.c_long(), ctypes.c_long(1), 0
        while step.value > 0:
            if before:
                before(self, next_time)
            code = self.en.EN_runH(self.handle, ctypes.byref(time))
            head, flow = np.empty(len(nodes)), np.empty(len(links))
            self.en.EN_getnodevalues(self.handle, lib.NODE_HEAD, head.ctypes.data)
            self.en.EN_getlinkvalues(self.handle, lib.LINK_FLOW, flow.ctypes.data)
            units = self.network.units
            yield Moment(time.value, code, head[nodes] * units.length, flow[links] * units.flow)
            self.en.EN_nextH(self.handle, ctypes.byref(step))
            next_time = time.value + step.value
        self.en.EN_closeH(self.handle)
        self.en.EN_deleteproject(self.handle)


def stepped(path, hours, settings=None):
    """Return network and the twin's solutions of a run: time (s) -> heads, flows, connected."""
    city = read_inp(path)
    network = Network(city, settings)
    engine = WaterEngine(network, city)
    state = WaterState.start_of(network)
    engine.solve(state, 0)
    found = {0: (state.head.copy(), state.flow.copy(), state.connected.copy())}
    while state.clock[NEXT] <= hours * _HOUR * SECOND:
        now = int(state.clock[NEXT])
        if engine.tick(state, now):
            found[now // SECOND] = (state.head.copy(), state.flow.copy(), state.connected.copy())
    return network, found, state


def worst(moments, found):
    """Return the largest head difference (m), the largest flow difference over its allowance, and shared times.

    Allowed is 1e-3 of a flow plus 1e-5 of the largest flow. Heads count where water comes; a value that is
    not a number makes its difference not a number.
    """
    head = flow = 0.0
    shared = 0
    for moment in moments:
        if moment.time in found:
            ours, flows, connected = found[moment.time]
            head = np.maximum(head, np.abs(ours - moment.head)[connected].max())
            allowed = 1e-3 * np.abs(moment.flow) + 1e-5 * np.abs(moment.flow).max()
            flow = np.maximum(flow, (np.abs(flows - moment.flow) / allowed).max())
            shared += 1
    return head, flow, shared


def compared(moments, found):
    """Count the heads and the flows that `worst` compares."""
    shared = [found[moment.time] for moment in moments if moment.time in found]
    return sum(int(connected.sum()) for *_, connected in shared), sum(flow.size for _, flow, _ in shared)
