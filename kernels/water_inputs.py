"""Hand the inputs of a solution to EPANET and take its answer, each in one call.

The toolkit sets one value per call. Called from Python that costs 400 ns a value, from a compiled loop 10 ns
(measured with EPANET 2.3); what surrounds a solution costs less than half of what Python and numpy take for it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import inline_jit, jit
from twin.kernels.foreign import read_values, run, set_value, start
from twin.kernels.water_codes import CLOSED

BASE_DEMAND, EMITTER, FIXED_LEVEL = 1, 3, 8
DEMAND, HEAD, DEMAND_FLOW = 9, 10, 31
INITIAL_STATUS, INITIAL_SETTING, FLOW, STATUS = 4, 5, 8, 11
TRIALS, RELATIVE_ERROR = 0, 1
"""Properties and statistics. Source: EPANET 2.3, epanet2_enums.h (EN_BASEDEMAND, EN_EMITTER, EN_TANKLEVEL ...)."""

REFUSED_NODE, REFUSED_LINK = 1, 2
"""What `write_inputs` was refused."""

_WARNINGS = 100

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Toolkit(NamedTuple):
    """Addresses of the functions of EPANET's toolkit, and of the project they work on."""

    project: int
    set_node: int
    set_link: int
    start: int
    run: int
    read_nodes: int
    read_links: int
    statistic: int


class Written(NamedTuple):
    """Where the inputs of a solution go, and in which units.

    links     (n,)       links that take commands
    pipes     links below this one have no setting
    setting   (n_link,)  what one unit of a setting is in SI
    flow, emitter, length  what one unit of each is in SI
    """

    links: Integers
    pipes: int
    setting: Floats
    flow: float
    emitter: float
    length: float


class Checked(NamedTuple):
    """Pipes with check valves whose states are looked at.

    links       (n,)  water links, -1 for one that is not looked at now
    begin, end  (n,)  nodes; water may pass from the first to the second
    most        m     head over a shut one that betrays a wrong state
    """

    links: Integers
    begin: Integers
    end: Integers
    most: float


@jit
def write_inputs(
    toolkit: Toolkit,
    written: Written,
    demand: Floats,
    emitter: Floats,
    head: Floats,
    level: Floats,
    status: NDArray[np.int8],
    setting: Floats,
    refused: Floats,
) -> int:
    """Set demands and emitters of junctions, heads of reservoirs, levels of tanks, states of links.

    demand, emitter  (n_junction,)  SI
    head     (n_reservoir,)  m
    level    (n_tank,)       m
    status   (n_link,)  CLOSED, OPEN, ACTIVE
    setting  (n_link,)  SI, NaN for none
    refused  (3,)  written where the first code that is not 0, which is returned, comes: REFUSED_NODE or
             REFUSED_LINK, its row, and the value in the library's units
    """
    code = _write_nodes(toolkit, written, demand, emitter, head, level, refused)
    if code == 0:
        code = _write_links(toolkit, written, status, setting, refused)
    return code


@inline_jit
def _write_nodes(
    toolkit: Toolkit,
    written: Written,
    demand: Floats,
    emitter: Floats,
    head: Floats,
    level: Floats,
    refused: Floats,
) -> int:
    """Set demands and emitters of junctions, heads of reservoirs, levels of tanks; return the first code not 0."""
    junctions, reservoirs = demand.shape[0], head.shape[0]
    for i in range(junctions + reservoirs + level.shape[0]):
        kind = BASE_DEMAND
        if i < junctions:
            value = demand[i] / written.flow
        elif i < junctions + reservoirs:
            kind, value = FIXED_LEVEL, head[i - junctions] / written.length
        else:
            kind, value = FIXED_LEVEL, level[i - junctions - reservoirs] / written.length
        code = set_value(toolkit.set_node, toolkit.project, np.int32(i + 1), np.int32(kind), value)
        if code == 0 and i < junctions:
            value = emitter[i] / written.emitter
            code = set_value(toolkit.set_node, toolkit.project, np.int32(i + 1), np.int32(EMITTER), value)
        if code != 0:
            refused[0], refused[1], refused[2] = REFUSED_NODE, i, value
            return int(code)
    return 0


@inline_jit
def _write_links(toolkit: Toolkit, written: Written, status: NDArray[np.int8], setting: Floats, refused: Floats) -> int:
    """Set status, and setting where there is one, of links; return the first code that is not 0."""
    for link in written.links:
        closed = status[link] == CLOSED
        value = 0.0 if closed else 1.0
        code = set_value(toolkit.set_link, toolkit.project, np.int32(link + 1), np.int32(INITIAL_STATUS), value)
        if code == 0 and not closed and link >= written.pipes and setting[link] == setting[link]:
            value = setting[link] / written.setting[link]
            code = set_value(toolkit.set_link, toolkit.project, np.int32(link + 1), np.int32(INITIAL_SETTING), value)
        if code != 0:
            refused[0], refused[1], refused[2] = REFUSED_LINK, link, value
            return int(code)
    return 0


@jit
def holds_back(checked: Checked, head: Floats, closed: Flags) -> bool:
    """Tell whether water stands before a check valve that is shut although it should pass.

    head    (n_node,)  m
    closed  (n_link,)
    """
    for i in range(checked.links.shape[0]):
        link = checked.links[i]
        if link >= 0 and closed[link] and head[checked.begin[i]] - head[checked.end[i]] > checked.most:
            return True
    return False


@jit
def attempt(
    toolkit: Toolkit,
    written: Written,
    checked: Checked,
    begin: int,
    nodes: Floats,
    links: Floats,
    head: Floats,
    inflow: Floats,
    delivered: Floats,
    flow: Floats,
    closed: Flags,
    told: Floats,
) -> int:
    """Solve, and read the answer in SI; return the code that ended it, negative where it did not start.

    begin      whether flows begin anew, in EPANET's numbers
    nodes      (3, n_node)   written: heads, what leaves, and demand met, in the library's units
    links      (2, n_link)   written: flows and states
    head, inflow  (n_node,)  written, m, m3/s
    delivered  (n_junction,) written, m3/s
    flow, closed  (n_link,)  written, m3/s; nothing passes
    told       (4,)  written: change of flow over the sum of flows, trials, whether `holds_back`; the last is scratch
    """
    code = int(start(toolkit.start, toolkit.project, np.int32(begin)))
    if code > _WARNINGS:
        return -code
    code = int(run(toolkit.run, toolkit.project, told[3:].ctypes.data))
    for row, kind in enumerate((HEAD, DEMAND, DEMAND_FLOW)):
        read_values(toolkit.read_nodes, toolkit.project, np.int32(kind), nodes[row].ctypes.data)
    for row, kind in enumerate((FLOW, STATUS)):
        read_values(toolkit.read_links, toolkit.project, np.int32(kind), links[row].ctypes.data)
    read_values(toolkit.statistic, toolkit.project, np.int32(RELATIVE_ERROR), told.ctypes.data)
    read_values(toolkit.statistic, toolkit.project, np.int32(TRIALS), told[1:].ctypes.data)
    for i in range(head.shape[0]):
        head[i] = nodes[0, i] * written.length
        inflow[i] = nodes[1, i] * written.flow
    for i in range(delivered.shape[0]):
        delivered[i] = nodes[2, i] * written.flow
    for i in range(flow.shape[0]):
        flow[i] = links[0, i] * written.flow
        closed[i] = links[1, i] == 0.0
    told[2] = holds_back(checked, head, closed)
    return code
