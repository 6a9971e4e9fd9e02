"""Find the next window of the traffic kernel, and the groups to be visited in it."""

from twin.kernels._jit import inline_jit
from twin.kernels.traffic_arrays import NEVER, WINDOW, Byte, Int, State


@inline_jit
def first_event(start: int, stop: int, state: State) -> int:
    """Tell before when nothing happens in the groups from `start` to `stop`."""
    first = NEVER
    for group in range(start, stop):
        first = min(first, state.group_next[group])
    return first


@inline_jit
def open_window(
    now: int, first: int, until: int, start: int, stop: int, loose: Byte, state: State
) -> tuple[int, int, bool]:
    """Return where the next window begins and ends, and whether it is the last pass, which moves nobody.

    first        us, nothing happens before in the whole city
    start, stop  groups whose bounds the last pass is to make exact, if they are `loose`
    """
    if first < until and now < until:
        now = max(now, first)
        return now, min(now + state.clock[WINDOW], until), False
    for group in range(start, stop):
        if loose[group]:
            state.group_next[group] = until - 1
    return now, until, True


@inline_jit
def list_active(start: int, stop: int, end: int, active: Int, state: State) -> int:
    """Write the groups in which anything may happen before the end to `active`; return how many there are."""
    n_active = 0
    for group in range(start, stop):
        if state.group_next[group] < end:
            active[n_active] = group
            n_active += 1
    return n_active
