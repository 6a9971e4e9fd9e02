"""Switch pumps, valves and pipes by tank levels, junction pressures and times.

Source: EPANET 2.2, hydraul.c (controls, controltimestep), hydsolver.c (pswitch).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import inline_jit, jit
from twin.kernels.water_codes import CLOSED, WHEN_ABOVE, WHEN_BELOW, WHEN_CLOCK, WHEN_TIME
from twin.kernels.water_tanks import Tanks, tank_step, volume_at, whole_seconds

_DAY = 86_400_000_000
_NO_FLOW = 1e-6 * 0.028316846592


class Controls(NamedTuple):
    """Simple controls.

    link      (n,)  water link that is switched
    when      (n,)  WHEN_BELOW, WHEN_ABOVE, WHEN_TIME, WHEN_CLOCK
    junction  (n,)  junction whose pressure counts, -1 for none
    tank      (n,)  tank whose level counts, -1 for none
    limit     (n,)  m over the node's elevation
    time      (n,)  us since the start, or since midnight
    status    (n,)  CLOSED, OPEN, ACTIVE
    setting   (n,)  SI, NaN for none
    """

    link: NDArray[np.int64]
    when: NDArray[np.int8]
    junction: NDArray[np.int64]
    tank: NDArray[np.int64]
    limit: NDArray[np.float64]
    time: NDArray[np.int64]
    status: NDArray[np.int8]
    setting: NDArray[np.float64]


@jit
def differs(a: float, b: float) -> bool:
    """Tell whether two settings differ; NaN, no setting, equals NaN."""
    if np.isnan(a) or np.isnan(b):
        return bool(np.isnan(a) != np.isnan(b))
    return a != b


@inline_jit
def _switch(
    controls: Controls,
    i: int,
    is_pipe: NDArray[np.bool_],
    status: NDArray[np.int8],
    setting: NDArray[np.float64],
    closed: NDArray[np.bool_],
) -> bool:
    """Give a link what control `i` orders; tell whether that changed it."""
    link = controls.link[i]
    change = bool(status[link] != controls.status[i])
    if not is_pipe[link] and differs(setting[link], controls.setting[i]):
        setting[link] = controls.setting[i]
        change = True
    if change:
        status[link] = controls.status[i]
        closed[link] = controls.status[i] == CLOSED
    return change


@jit
def apply_controls(
    controls: Controls,
    tanks: Tanks,
    now: int,
    clock: int,
    inflow: NDArray[np.float64],
    level: NDArray[np.float64],
    is_pipe: NDArray[np.bool_],
    held: NDArray[np.bool_],
    status: NDArray[np.int8],
    setting: NDArray[np.float64],
    closed: NDArray[np.bool_],
    acted: NDArray[np.bool_],
) -> int:
    """Switch links by tank levels and times before a solution; return how many changed.

    A control on a reservoir is always due: EPANET compares volumes, and a reservoir has none.

    now, clock       us   since the start, and time of day then
    inflow, level         of tanks: m3/s, m
    is_pipe, held  (n_link,)  pipes have no setting; held links obey nobody
    status, setting, closed  (n_link,)  changed
    acted          (n_control,)  written: this control changed its link
    """
    changes = 0
    for i in range(controls.link.shape[0]):
        acted[i] = False
        due = False
        tank, when = controls.tank[i], controls.when[i]
        if tank >= 0:
            margin = abs(inflow[tank])
            has, limit = volume_at(tanks, tank, level[tank]), volume_at(tanks, tank, controls.limit[i])
            due = (when == WHEN_BELOW and has <= limit + margin) or (when == WHEN_ABOVE and has >= limit - margin)
        elif when == WHEN_TIME:
            due = controls.time[i] == now
        elif when == WHEN_CLOCK:
            due = controls.time[i] == (now + clock) % _DAY
        else:
            due = controls.junction[i] < 0
        if due and not held[controls.link[i]]:
            acted[i] = _switch(controls, i, is_pipe, status, setting, closed)
            changes += acted[i]
    return changes


@jit
def apply_pressure_controls(
    controls: Controls,
    pressure: NDArray[np.float64],
    is_pipe: NDArray[np.bool_],
    held: NDArray[np.bool_],
    status: NDArray[np.int8],
    setting: NDArray[np.float64],
    closed: NDArray[np.bool_],
    acted: NDArray[np.bool_],
) -> int:
    """Switch links by junction pressures (m) after a solution; return how many changed."""
    changes = 0
    for i in range(controls.link.shape[0]):
        acted[i] = False
        junction = controls.junction[i]
        if junction < 0 or held[controls.link[i]]:
            continue
        below = controls.when[i] == WHEN_BELOW and pressure[junction] <= controls.limit[i]
        above = controls.when[i] == WHEN_ABOVE and pressure[junction] >= controls.limit[i]
        if below or above:
            acted[i] = _switch(controls, i, is_pipe, status, setting, closed)
            changes += acted[i]
    return changes


@jit
def control_step(
    controls: Controls,
    tanks: Tanks,
    now: int,
    clock: int,
    inflow: NDArray[np.float64],
    volume: NDArray[np.float64],
    level: NDArray[np.float64],
    is_pipe: NDArray[np.bool_],
    status: NDArray[np.int8],
    setting: NDArray[np.float64],
    closed: NDArray[np.bool_],
    step: int,
) -> int:
    """Return the time (us) until the first control that would change its link, at most `step`."""
    for i in range(controls.link.shape[0]):
        until = 0
        tank, when = controls.tank[i], controls.when[i]
        if tank >= 0:
            flow = inflow[tank]
            rising = when == WHEN_ABOVE and flow > 0.0 and level[tank] < controls.limit[i]
            falling = when == WHEN_BELOW and flow < 0.0 and level[tank] > controls.limit[i]
            if abs(flow) > _NO_FLOW and (rising or falling):
                until = whole_seconds((volume_at(tanks, tank, controls.limit[i]) - volume[tank]) / flow)
        elif when == WHEN_TIME:
            until = controls.time[i] - now
        elif when == WHEN_CLOCK:
            until = (controls.time[i] - (now + clock)) % _DAY
        if 0 < until < step:
            link = controls.link[i]
            shut_by_itself = closed[link] and status[link] != CLOSED
            set_anew = not is_pipe[link] and differs(setting[link], controls.setting[i])
            if set_anew or shut_by_itself or status[link] != controls.status[i]:
                step = until
    return step


@jit
def next_change(
    controls: Controls,
    tanks: Tanks,
    now: int,
    clock: int,
    inflow: NDArray[np.float64],
    volume: NDArray[np.float64],
    level: NDArray[np.float64],
    is_pipe: NDArray[np.bool_],
    status: NDArray[np.int8],
    setting: NDArray[np.float64],
    closed: NDArray[np.bool_],
    step: int,
) -> int:
    """Return the time (us) until a tank is full or empty or a control would change its link, at most `step`."""
    step = tank_step(tanks, inflow, volume, level, step)
    return control_step(controls, tanks, now, clock, inflow, volume, level, is_pipe, status, setting, closed, step)
