"""Branches in which one model goes on by itself, run by that model's kernel instead of the loop over instants.

A model may have a method `standstill(world, frozen)`. It returns an object with `refusal`, why nothing of
this state can be compiled, `refuses(policies)`, why a choice cannot, `future(child, end)` for each
future, and `run(future, policies, end)`, which returns the columns that changed.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Model
from twin.whatif.choices import Choice
from twin.whatif.switching import Change, switched

if TYPE_CHECKING:
    from twin.view import View
    from twin.whatif.future import Renewal
    from twin.world import World

Array = np.ndarray[Any, Any]
Figures = dict[str, float]


class Ended:
    """The view of a model at the end of a branch that its kernel has run.

    view     of the world the branch began with
    columns  what the kernel changed, by name; may be written
    now      us
    """

    def __init__(self, view: View, columns: MutableMapping[str, Array], now: int) -> None:
        self._view, self._columns, self.now = view, columns, now

    def __getitem__(self, name: str) -> Array:
        found = self._columns.get(name)
        return self._view[name] if found is None else found

    def __contains__(self, name: object) -> bool:
        return name in self._view

    def raw(self, name: str) -> Array:
        """Return a column that may be written."""
        if name not in self._columns:
            self._columns[name] = self._view[name].copy()
        return self._columns[name]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name)


@dataclass
class Twin:
    """The compiled branches of one question.

    model  whose kernel runs them
    made   what the model's `standstill` returned
    why    by choice, "" where it is compiled
    """

    world: World
    model: Model
    made: Any
    why: tuple[str, ...]
    frozen: frozenset[str]
    end: int
    last: list[tuple[int, Any]] = field(default_factory=list)

    def figures(
        self, choice: Choice, replication: int, future: tuple[int, Mapping[str, Renewal]]
    ) -> tuple[Figures, Figures]:
        """Return the figures over the horizon, and of the whole run, of one branch."""
        begun = self._begun(replication, *future)
        columns = self.made.run(begun, choice.policies, self.end)
        view: Any = Ended(begun.world.view(self.model.name), columns, self.end)
        model = begun.world.assembly.by_name[self.model.name]
        whole = model.kpis(view)
        model.forget(view, self.world.now)
        return model.kpis(view), whole

    def _begun(self, replication: int, seed: int, fresh: Mapping[str, Renewal]) -> Any:
        """Return a future that has begun; one is kept."""
        if not self.last or self.last[0][0] != replication:
            child = switched(self.world, Change(Choice("present"), seed, self.frozen), fresh)
            self.last[:] = [(replication, self.made.future(child, self.end))]
        return self.last[0][1]


def find_twin(world: World, choices: Sequence[Choice], frozen: frozenset[str], end: int) -> Twin | None:
    """Return the compiled branches of a question, None when no model that goes on can run any."""
    alive = [c for c in world.assembly.components if isinstance(c, Model) and c.name not in frozen]
    makers = [c for c in alive if hasattr(c, "standstill")]
    if len(makers) != 1 or any(c.kpi_list for c in alive if c is not makers[0]):
        return None
    model: Any = makers[0]
    made = model.standstill(world, frozen)
    if made.refusal:
        return None
    return Twin(world, model, made, tuple(made.refuses(choice.policies) for choice in choices), frozen, end)
