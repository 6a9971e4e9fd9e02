"""Where units report to be, and roads that send them another way, as the feed `avl` and the model have it."""

from twin.kernels._jit import inline_jit
from twin.kernels.standstill_arrays import (
    ARRIVAL,
    FIRST_SAMPLE,
    LATENCY,
    NOW,
    REPORT,
    REROUTE,
    ROAD,
    SAMPLE,
    SAMPLE_EVERY,
    SAMPLES,
    SERVICE,
    SETTLED,
    SITE,
    TRACK,
    TRACK_EVERY,
    U_COUNT,
    U_FREE,
    U_NODE,
    U_SEEN_FREE,
    U_SEEN_NODE,
    U_STUCK,
    Case,
    State,
)
from twin.kernels.standstill_service import plan
from twin.kernels.standstill_streets import is_barred, place_of, wound


@inline_jit
def look(case: Case, state: State) -> None:
    """Let units with a closed link ahead, and those without a way, look for another one a microsecond later."""
    road = wound(case.road, state.clock, ROAD, SETTLED + 1)
    due = state.clock[NOW] + 1
    for unit in range(state.unit.shape[0]):
        count = state.unit[unit, U_COUNT]
        ahead = place_of(state.unit, state.entry, state.clock, unit) + 1
        if state.unit[unit, U_STUCK] or is_barred(case.road_open[road], state.path[unit], ahead, count):
            plan(state.calendar, state.clock, due, SERVICE, REROUTE, unit, 0)


@inline_jit
def sample(case: Case, state: State) -> None:
    """Note where units say they are, and let it arrive after the latency."""
    site = wound(case.site, state.clock, SITE, REPORT)
    count = state.clock[SAMPLES]
    state.clock[SAMPLES] += 1
    slot = count % state.flight.shape[0]
    for unit in range(state.unit.shape[0]):
        node = state.unit[unit, U_NODE]
        heard = case.heard[site, node]
        if case.lost.shape[0] > 0:
            heard = heard and not case.lost[count - case.number[FIRST_SAMPLE], unit]
        state.flight[slot, unit, 0] = node
        state.flight[slot, unit, 1] = state.unit[unit, U_FREE]
        state.flight[slot, unit, 2] = heard
    now = state.clock[NOW]
    plan(state.calendar, state.clock, now + case.number[LATENCY], REPORT, ARRIVAL, 0, slot)
    plan(state.calendar, state.clock, now + case.number[SAMPLE_EVERY], REPORT, SAMPLE, 0, 0)


@inline_jit
def deliver(state: State, slot: int) -> None:
    """Turn a sample into what is observed."""
    for unit in range(state.unit.shape[0]):
        if state.flight[slot, unit, 2]:
            state.unit[unit, U_SEEN_NODE] = state.flight[slot, unit, 0]
            state.unit[unit, U_SEEN_FREE] = state.flight[slot, unit, 1]


@inline_jit
def track(case: Case, state: State) -> None:
    """Note the node of every unit on the road."""
    for unit in range(state.unit.shape[0]):
        if state.unit[unit, U_COUNT] > 0:
            state.unit[unit, U_NODE] = case.streets.to_node[
                state.path[unit, place_of(state.unit, state.entry, state.clock, unit)]
            ]
    plan(state.calendar, state.clock, state.clock[NOW] + case.number[TRACK_EVERY], SERVICE, TRACK, 0, 0)
