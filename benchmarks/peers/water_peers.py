"""Peers of the water benchmark: EPANET stepped warm, and wntr's own simulator."""

from __future__ import annotations

import ctypes
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import seconds

_WITH_FLOWS, _AS_THEY_ARE = 10, 0


def warm_epanet(network: Any, states: list[Any]) -> Callable[[], float]:
    """Return a function that solves the states in order and returns the time (s).

    Only inputs that differ from the step before are set, and each solution starts from the flows of
    the last: the least that stepping by EPANET's toolkit can do. Heads, flows, deliveries and states of
    links are read in bulk, as ours are.
    """
    from twin.models.water.epanet import library as lib
    from twin.models.water.epanet.project import EpanetBackend

    project = EpanetBackend(network)._free[0]
    en = lib.library()
    changes = _changes(network, project, states)
    heads, flows = np.empty((len(states), 3, network.n_node)), np.empty((len(states), 2, network.n_link))
    nodes_read = tuple(enumerate((lib.NODE_HEAD, lib.NODE_DEMAND, lib.NODE_DEMANDFLOW)))
    links_read = tuple(enumerate((lib.LINK_FLOW, lib.LINK_STATUS)))
    time = ctypes.c_long()

    def day() -> None:
        handle = project._handle
        for step, (nodes, links) in enumerate(changes):
            for index, kind, value in nodes:
                en.EN_setnodevalue(handle, index, kind, value)
            for index, kind, value in links:
                en.EN_setlinkvalue(handle, index, kind, value)
            en.EN_initH(handle, _AS_THEY_ARE if step else _WITH_FLOWS)
            en.EN_runH(handle, ctypes.byref(time))
            node, link = heads[step].ctypes.data, flows[step].ctypes.data
            for row, kind in nodes_read:
                en.EN_getnodevalues(handle, kind, node + 8 * row * network.n_node)
            for row, kind in links_read:
                en.EN_getlinkvalues(handle, kind, link + 8 * row * network.n_link)

    return lambda: seconds(day)


def _changes(network: Any, project: Any, states: list[Any]) -> list[tuple[list[Any], list[Any]]]:
    """List, for each state, the values to set that differ from the state before."""
    from twin.models.water.epanet import library as lib

    units, found = network.units, []
    before: dict[tuple[str, int, int], float] = {}
    for state in states:
        nodes: list[Any] = []
        links: list[Any] = []
        demand, first = state.demand / units.flow, network.n_junction
        values = [("n", i + 1, lib.NODE_BASEDEMAND, v) for i, v in enumerate(demand.tolist())]
        fixed = np.concatenate([state.head, state.level]) / units.length
        values += [("n", first + i + 1, lib.NODE_TANKLEVEL, v) for i, v in enumerate(fixed.tolist())]
        for link in np.flatnonzero(~network.check_valve).tolist():
            status = float(state.status[link] != 0)
            values.append(("l", link + 1, lib.LINK_INITSTATUS, status))
            if status and link >= network.first_pump and not np.isnan(state.setting[link]):
                setting = state.setting[link] / project._written.setting[link]
                values.append(("l", link + 1, lib.LINK_INITSETTING, float(setting)))
        for part, index, kind, value in values:
            if before.get((part, index, kind)) != value:
                before[part, index, kind] = value
                (nodes if part == "n" else links).append((index, kind, value))
                if kind == lib.LINK_INITSTATUS:
                    before.pop((part, index, lib.LINK_INITSETTING), None)
        found.append((nodes, links))
    return found


def wntr_day(path: Path, network: Any, switched: tuple[int, ...], stepped: bool) -> float:
    """Return the time (s) of wntr's simulator for the day.

    stepped  stop it each hour, switch, and resume it, as simulators that are coupled to it must;
             else one uninterrupted run that knows all switching beforehand, as its controls
    """
    import wntr

    warnings.simplefilter("ignore")
    model = wntr.network.WaterNetworkModel(str(path))
    hydraulic = model.options.hydraulic
    hydraulic.demand_model = "PDD"
    hydraulic.minimum_pressure, hydraulic.required_pressure = 0.0, network.hydraulics.required_pressure
    names = [str(network.link_identifier[row]) for row in switched]

    def day() -> None:
        for hour, name in enumerate(names):
            _switch(model, name, hour)
            if stepped or hour == len(names) - 1:
                model.options.time.duration = (hour + 1) * 3600
                wntr.sim.WNTRSimulator(model).run_sim()

    return seconds(day)


def _switch(model: Any, name: str, hour: int) -> None:
    """Let a link be shut for one hour."""
    from wntr.network import LinkStatus
    from wntr.network.controls import Control, ControlAction, SimTimeCondition

    for at, to in ((hour, LinkStatus.Closed), (hour + 1, LinkStatus.Open)):
        action = ControlAction(model.get_link(name), "status", to)
        model.add_control(f"{hour} {at}", Control(SimTimeCondition(model, "=", at * 3600), action))
