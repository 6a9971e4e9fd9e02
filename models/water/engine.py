"""Step a water network through time: demands, controls, solution, tanks, rules.

The clock is EPANET's: besides hydraulic, pattern and report steps it stops when a tank fills or
empties, when a control's level is crossed (rounded to whole seconds) and when a rule fires. All
that lasts is in WaterState, so a copy of it is a branch.

Source: Rossman et al., EPANET 2.2 User Manual (2020), chapter 12; hydraul.c (runhyd, timestep).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.water.backend import CLOSED, ROUGH, SOLVED, Backend, Inputs, Solution
from twin.models.water.network import Network
from twin.models.water.state import (
    EVALUATED,
    IMPRECISE,
    NEXT,
    OSCILLATIONS,
    SINCE,
    SOLVES,
    STEP_END,
    SWITCHES,
    UNSOLVED,
    WaterState,
)

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]
SECOND = 1_000_000
_PASSES = 20


@dataclass(frozen=True)
class Outcome:
    """What a solution brought about besides the arrays.

    code      of the solution; neither SOLVED nor ROUGH leaves the last good state, except where cut off
    controls  rows of water_controls that changed a link
    rules     rows of water_rules that did
    turning   water link whose pressure controls contradict each other, -1 for none
    """

    code: int
    controls: tuple[int, ...] = ()
    rules: tuple[int, ...] = ()
    turning: int = -1


class WaterEngine:
    """The constants of stepping one network; holds no state."""

    def __init__(self, network: Network, city: City, backend: Backend | None = None) -> None:
        """Prepare kernels' arguments and open the solver, EPANET unless another is given."""
        from twin.models.water.constants import controls_of, graph_of, kinds_of, patterns_of, rules_of, tanks_of
        from twin.models.water.epanet import EpanetBackend

        self.network = network
        self.backend: Backend = backend or EpanetBackend(network)
        self.tanks = tanks_of(network)
        self.controls = controls_of(network, city)
        self.rules = rules_of(city)
        self.kind = kinds_of(network)
        self.is_pipe = self.kind == 0
        self._graph = graph_of(network)
        self._arrays = (patterns_of(network), self.controls, self.tanks, self._graph)
        given = network.hydraulics
        self.clock_start = given.start_clock * SECOND
        self.steps = tuple(
            step * SECOND for step in (given.hydraulic_step, given.pattern_step, given.report_step, given.rule_step)
        )
        self._emitter = np.asarray(network.column("junctions", "emitter", 0.0), np.float64)
        self._pressure_controls = bool((self.controls.junction >= 0).any())

    def tick(self, state: WaterState, now: int) -> Outcome | None:
        """Do what is due now (us): look at rules, solve if a step ends; None when nothing was solved."""
        due, fired = self.look(state, now)
        return self.solve(state, now, fired) if due else None

    def look(self, state: WaterState, now: int) -> tuple[bool, tuple[int, ...]]:
        """Fill tanks and evaluate rules; return whether to solve now, and the rules that fired."""
        self.fill(state, now)
        fired = self._rules(state, now) if len(self.rules.priority) else ()
        if fired or now >= state.clock[STEP_END]:
            return True, fired
        state.clock[NEXT] = min(int(state.clock[STEP_END]), now + self._until(now, self.steps[3]))
        return False, ()

    def run(self, state: WaterState, until: int) -> None:
        """Step a network on its own, strictly before `until` (us); volumes hold for the last step."""
        if not state.count[SOLVES] and not state.count[UNSOLVED]:
            self.solve(state, int(state.clock[SINCE]))
        while state.clock[NEXT] < until:
            self.tick(state, int(state.clock[NEXT]))

    def fill(self, state: WaterState, now: int) -> None:
        """Let tanks run with the flows of the last solution until now."""
        from twin.kernels.water_tanks import fill

        elapsed = now - int(state.clock[SINCE])
        if elapsed > 0:
            first = self.network.first_tank
            fill(self.tanks, state.inflow[first:], elapsed, state.volume, state.level, state.corrected)
            state.head[first:] = self.network.elevation[first:] + state.level
            state.clock[SINCE] = now

    def solve(self, state: WaterState, now: int, fired: tuple[int, ...] = ()) -> Outcome:
        """Apply patterns and controls, solve, and set the end of the step; tanks must be filled to now."""
        inputs, acted = self._begin(state, now)
        solution, turning = self._settle(state, inputs)
        state.count[SWITCHES] += len(acted) + len(fired)
        if solution.code in (SOLVED, ROUGH):
            state.count[IMPRECISE] += solution.code == ROUGH
            step = self._end(state, now, solution)
        else:
            state.count[UNSOLVED] += 1
            self._keep(state)
            step = self._step(state, now)
        state.clock[STEP_END] = now + step
        rule = now + self._until(now, self.steps[3]) if len(self.rules.priority) else int(state.clock[STEP_END])
        state.clock[NEXT] = min(int(state.clock[STEP_END]), rule)
        return Outcome(solution.code, acted, fired, turning)

    def _begin(self, state: WaterState, now: int) -> tuple[Inputs, tuple[int, ...]]:
        """Apply patterns and controls; return what to solve, and the controls that changed a link."""
        from twin.kernels.water_solution import begin

        network = self.network
        period = (now + network.hydraulics.pattern_start * SECOND) // self.steps[1]
        acted, heads = np.empty(len(self.controls.link), bool), np.empty(network.rows("reservoirs"))
        status, asked = np.empty(network.n_link, np.int8), np.empty((2, network.n_junction))
        given = (state.draw, self._emitter, state.leak, state.inflow[network.first_tank :], state.level)
        links = (self.is_pipe, state.works, state.held, state.status, state.setting, state.closed)
        written: tuple[Any, ...] = (state.demand, acted, heads, status, asked[0], asked[1])
        changes = begin(self._arrays, (now, self.clock_start, period), *given, *links, *written)
        inputs = Inputs(asked[0], asked[1], heads, state.level, status, state.setting)
        return inputs, tuple(np.flatnonzero(acted).tolist()) if changes else ()

    def _settle(self, state: WaterState, inputs: Inputs) -> tuple[Solution, int]:
        """Solve until controls by junction pressure agree; those that never do are left as they stand."""
        seen: set[bytes] = set()
        turning = -1
        while True:
            solution = self.backend.solve(inputs)
            state.count[SOLVES] += 1
            if solution.code not in (SOLVED, ROUGH) or not self._pressure_controls or turning >= 0:
                return solution, turning
            acted = self._pressures(state, solution)
            picture = state.status.tobytes() + state.setting.tobytes()
            if not acted:
                return solution, -1
            if picture in seen or len(seen) > _PASSES:
                turning = int(self.controls.link[acted[0]])
                state.count[OSCILLATIONS] += 1
            seen.add(picture)
            inputs = self._inputs(state, inputs.head)

    def _pressures(self, state: WaterState, solution: Solution) -> tuple[int, ...]:
        from twin.kernels.water_controls import apply_pressure_controls

        acted = np.zeros(len(self.controls.link), bool)
        pressure = solution.head[: self.network.n_junction] - self.network.elevation[: self.network.n_junction]
        links = (self.is_pipe, state.held, state.status, state.setting, state.closed, acted)
        apply_pressure_controls(self.controls, pressure, *links)
        return tuple(np.flatnonzero(acted).tolist())

    def _inputs(self, state: WaterState, heads: Array) -> Inputs:
        from twin.kernels.water_solution import ask

        status = np.empty(self.network.n_link, np.int8)
        demand, emitter = np.empty((2, self.network.n_junction))
        given = (state.works, state.status, state.level, state.demand, self._emitter, state.leak)
        ask(self._graph, *given, status, demand, emitter)
        return Inputs(demand, emitter, heads, state.level, status, state.setting)

    def _end(self, state: WaterState, now: int, solution: Solution) -> int:
        """Write a solution; return the time until the next change of hydraulics, us."""
        from twin.kernels.water_solution import end

        given = (self.network.elevation, state.volume, state.level, self.is_pipe, state.status, state.setting)
        solved = (solution.closed, solution.flow, solution.head, solution.inflow, solution.delivered)
        written = (state.closed, state.flow, state.head, state.inflow, state.delivered, state.connected)
        return int(end(self._arrays[1:], (now, self.clock_start, self._longest(now)), *given, solved, *written))

    def _keep(self, state: WaterState) -> None:
        """Leave the last good solution, except in parts whose ways to every source are closed: they rest."""
        from twin.kernels.water_solution import dry, reach

        network = self.network
        reach(self._graph, state.works & (state.status != CLOSED), state.level, state.connected)
        ends = np.stack([network.from_node, network.to_node])
        rests = ~state.connected[ends].all(axis=0)
        state.flow[rests] = 0.0
        sources = np.unique(ends[:, rests])
        sources = sources[sources >= network.n_junction]
        net = np.bincount(ends[1], state.flow, network.n_node) - np.bincount(ends[0], state.flow, network.n_node)
        state.inflow[sources] = net[sources]
        written = (state.head, state.inflow, state.delivered, state.flow)
        dry(self._graph, network.elevation, state.connected, *written)

    def _step(self, state: WaterState, now: int) -> int:
        """Return the time until the next change of hydraulics, us."""
        from twin.kernels.water_controls import next_change

        links = (self.is_pipe, state.status, state.setting, state.closed)
        moved = (state.inflow[self.network.first_tank :], state.volume, state.level)
        longest = self._longest(now)
        return int(next_change(self.controls, self.tanks, now, self.clock_start, *moved, *links, longest))

    def _longest(self, now: int) -> int:
        """Return the time until the next hydraulic, pattern or report step, us."""
        start = self.network.hydraulics.pattern_start * SECOND
        return min(self.steps[0], self._until(now + start, self.steps[1]), self._until(now, self.steps[2]))

    def _until(self, now: int, step: int) -> int:
        return step - now % step

    def _rules(self, state: WaterState, now: int) -> tuple[int, ...]:
        from twin.kernels.water_rules import Seen, apply_rules

        network = self.network
        demand = float(np.maximum(state.demand, 0.0).sum())
        seen = Seen(
            now=now,
            since=int(state.clock[EVALUATED]),
            clock=self.clock_start,
            demand=demand,
            head=state.head,
            elevation=network.elevation,
            inflow=state.inflow,
            volume=state.volume,
            first_tank=network.first_tank,
            flow=state.flow,
        )
        chosen = np.empty((network.n_link, 2), np.int64)
        fired = np.zeros(len(self.rules.priority), bool)
        links = (self.kind, state.held, state.status, state.setting, state.closed, chosen, fired)
        apply_rules(self.rules, seen, self.tanks, *links)
        state.clock[EVALUATED] = now
        return tuple(np.flatnonzero(fired).tolist())
