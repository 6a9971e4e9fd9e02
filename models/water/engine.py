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
_EMPTY = 1e-6


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
        from twin.models.water.constants import controls_of, kinds_of, rules_of, tanks_of
        from twin.models.water.epanet import EpanetBackend
        from twin.models.water.reach import Reach

        self.network = network
        self.backend: Backend = backend or EpanetBackend(network)
        self.tanks = tanks_of(network)
        self.controls = controls_of(network, city)
        self.rules = rules_of(city)
        self.kind = kinds_of(network)
        self.is_pipe = self.kind == 0
        self.reach = Reach(network)
        given = network.hydraulics
        self.clock_start = given.start_clock * SECOND
        self.steps = tuple(
            step * SECOND for step in (given.hydraulic_step, given.pattern_step, given.report_step, given.rule_step)
        )
        self._base = network.demand_base * given.demand_multiplier
        self._emitter = np.asarray(network.column("junctions", "emitter", 0.0), np.float64)
        self._head = np.asarray(network.column("reservoirs", "head"), np.float64)
        self._head_pattern = np.asarray(network.column("reservoirs", "pattern", -1), np.int64)
        self._pump_pattern = np.asarray(network.column("pumps", "pattern", -1), np.int64)
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
        factors = self._factors(now)
        self._speeds(state, factors)
        state.demand[:] = self._demands(factors) + state.draw
        acted = self._controls(state, now)
        heads = np.where(self._head_pattern >= 0, self._head * factors[self._head_pattern], self._head)
        solution, turning = self._settle(state, heads)
        state.count[SWITCHES] += len(acted) + len(fired)
        if solution.code in (SOLVED, ROUGH):
            state.count[IMPRECISE] += solution.code == ROUGH
            self._publish(state, solution)
        else:
            state.count[UNSOLVED] += 1
            self._keep(state)
        state.clock[STEP_END] = now + self._step(state, now)
        rule = now + self._until(now, self.steps[3]) if len(self.rules.priority) else int(state.clock[STEP_END])
        state.clock[NEXT] = min(int(state.clock[STEP_END]), rule)
        return Outcome(solution.code, acted, fired, turning)

    def _factors(self, now: int) -> Array:
        """Return the multiplier of each pattern now, and 1 for "none" at index -1."""
        patterns, given = self.network.patterns, self.network.hydraulics
        period = (now + given.pattern_start * SECOND) // self.steps[1]
        factors = np.ones(len(patterns.first) + 1)
        factors[:-1] = patterns.x[patterns.first + period % patterns.count]
        return factors

    def _demands(self, factors: Array) -> Array:
        network = self.network
        weights = self._base * factors[network.demand_pattern]
        return np.bincount(network.demand_junction, weights, network.n_junction)

    def _speeds(self, state: WaterState, factors: Array) -> None:
        """Give pumps with a pattern its speed; such a pump runs whenever the speed is not 0."""
        first = self.network.first_pump
        for pump in np.flatnonzero(self._pump_pattern >= 0).tolist():
            if not state.held[first + pump]:
                speed = factors[self._pump_pattern[pump]]
                state.setting[first + pump] = speed
                state.status[first + pump] = speed > 0
                state.closed[first + pump] = speed <= 0

    def _controls(self, state: WaterState, now: int) -> tuple[int, ...]:
        from twin.kernels.water_controls import apply_controls

        if not len(self.controls.link):
            return ()
        acted = np.zeros(len(self.controls.link), bool)
        links = (self.is_pipe, state.held, state.status, state.setting, state.closed, acted)
        inflow = state.inflow[self.network.first_tank :]
        apply_controls(self.controls, self.tanks, now, self.clock_start, inflow, state.level, *links)
        return tuple(np.flatnonzero(acted).tolist())

    def _settle(self, state: WaterState, heads: Array) -> tuple[Solution, int]:
        """Solve until controls by junction pressure agree; those that never do are left as they stand."""
        seen: set[bytes] = set()
        turning = -1
        while True:
            solution = self.backend.solve(self._inputs(state, heads))
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

    def _pressures(self, state: WaterState, solution: Solution) -> tuple[int, ...]:
        from twin.kernels.water_controls import apply_pressure_controls

        acted = np.zeros(len(self.controls.link), bool)
        pressure = solution.head[: self.network.n_junction] - self.network.elevation[: self.network.n_junction]
        links = (self.is_pipe, state.held, state.status, state.setting, state.closed, acted)
        apply_pressure_controls(self.controls, pressure, *links)
        return tuple(np.flatnonzero(acted).tolist())

    def _inputs(self, state: WaterState, heads: Array) -> Inputs:
        status = self._commanded(state)
        joined = self._joined(state, status != CLOSED)[: self.network.n_junction]
        demand = np.where(joined, state.demand, 0.0)
        emitter = np.where(joined, self._emitter + state.leak, 0.0)
        return Inputs(demand, emitter, heads, state.level, status, state.setting)

    def _commanded(self, state: WaterState) -> Array:
        """Return (n_link,) the status asked of each link; what does not work is closed."""
        return np.where(state.works, state.status, CLOSED)

    def _joined(self, state: WaterState, passes: Array) -> Array:
        """Return (n_node,) whether water can come from somewhere; an empty tank gives none."""
        return self.reach.of(passes, state.level > self.tanks.low + _EMPTY)

    def _publish(self, state: WaterState, solution: Solution) -> None:
        """Write a solution; cut-off parts have no pressure, whatever head the solver gave them."""
        first_tank = self.network.first_tank
        state.closed[:] = solution.closed
        state.connected[:] = self._joined(state, ~solution.closed)
        state.flow[:] = solution.flow
        state.head[:first_tank] = solution.head[:first_tank]
        state.inflow[:] = solution.inflow
        state.delivered[:] = solution.delivered
        self._dry(state)

    def _keep(self, state: WaterState) -> None:
        """Leave the last good solution, except in parts whose ways to every source are closed: they rest."""
        network = self.network
        state.connected[:] = self._joined(state, self._commanded(state) != CLOSED)
        ends = np.stack([network.from_node, network.to_node])
        rests = ~state.connected[ends].all(axis=0)
        state.flow[rests] = 0.0
        sources = np.unique(ends[:, rests])
        sources = sources[sources >= network.n_junction]
        net = np.bincount(ends[1], state.flow, network.n_node) - np.bincount(ends[0], state.flow, network.n_node)
        state.inflow[sources] = net[sources]
        self._dry(state)

    def _dry(self, state: WaterState) -> None:
        """Take pressure and water from junctions that no source reaches."""
        n_junction = self.network.n_junction
        cut = np.flatnonzero(~state.connected[:n_junction])
        state.head[cut] = self.network.elevation[cut]
        state.inflow[cut] = 0.0
        state.delivered[cut] = 0.0

    def _step(self, state: WaterState, now: int) -> int:
        """Return the time until the next change of hydraulics, us."""
        from twin.kernels.water_controls import control_step
        from twin.kernels.water_tanks import tank_step

        given, inflow = self.network.hydraulics, state.inflow[self.network.first_tank :]
        step = min(self.steps[0], self._until(now + given.pattern_start * SECOND, self.steps[1]))
        step = min(step, self._until(now, self.steps[2]))
        step = tank_step(self.tanks, inflow, state.volume, state.level, step)
        if not len(self.controls.link):
            return int(step)
        rest: tuple[Any, ...] = (self.is_pipe, state.status, state.setting, state.closed, step)
        moved: tuple[Any, ...] = (inflow, state.volume, state.level, *rest)
        return int(control_step(self.controls, self.tanks, now, self.clock_start, *moved))

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
