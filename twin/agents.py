"""People who decide, as mesa agents: handles on rows, made when first asked for.

A handle holds no state: its attributes read the columns of its row, so AgentSet
select, groupby and agg work while branching stays an array copy.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from twin.random import stream_number

if TYPE_CHECKING:
    from twin.view import Observation


class Handles:
    """The mesa model of one world and the agent sets of its tables."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._model: Any = None
        self._sets: dict[str, Any] = {}
        self._observation: Observation | None = None

    def of(self, table: str, observation: Observation) -> Any:
        """Return the AgentSet of a table, seeing what `observation` sees."""
        self._observation = observation
        rows = observation.rows(table)
        if table not in self._sets or len(self._sets[table]) != rows:
            self._sets[table] = self._make(table, rows)
        self._sets[table].random.seed(self._key(table, observation.now))
        return self._sets[table]

    def _key(self, table: str, instant: int) -> int:
        """Return the seed of what agents draw now: mesa's own stream would depend on how a run is cut."""
        return (self._seed << 96) ^ (stream_number(f"agents.{table}") << 64) ^ instant

    def column(self, name: str) -> Any:
        """Return a column as the present observer sees it."""
        assert self._observation is not None
        return self._observation[name]

    def _make(self, table: str, rows: int) -> Any:
        import mesa

        if self._model is None:
            self._model = mesa.Model(rng=abs(self._seed))
        handle = _handle_class(table, self)
        agents = [handle(self._model, row) for row in range(rows)]
        # mesa counts agents in a table of the class, whose keys would keep every world
        # of a process alive: 12 MB a run.
        mesa.Agent._ids.pop(self._model, None)
        return mesa.agent.AgentSet(agents, random=random.Random(0))


def _handle_class(table: str, handles: Handles) -> Any:
    import mesa

    class Handle(mesa.Agent):
        """One row of a table of people who decide."""

        def __init__(self, model: Any, row: int) -> None:
            super().__init__(model)
            self.row = row

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            return handles.column(f"{table}.{name}")[self.row]

    Handle.__name__ = table.title()
    return Handle
