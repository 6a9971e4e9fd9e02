"""Branches of one model run by that model's kernel instead of the loop over instants.

A model may have a method `standstill(world, frozen)`. It returns an object with `refusal`, why nothing of
this state can be compiled, and `live`, whether others go on beside it. Then `refuses(policies)` says why a
choice cannot be, `future(child, end, film)` begins a future, and `run(future, policies, end)` returns the columns
that changed, or None when only the model itself can tell. Where others go on, `topics()` says what it reads
of them, `follows(film)` whether it can go on with what was there, `parts` which components it plays,
`events` and `told` which events these handle and tell.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import Model
from twin.whatif.choices import Choice
from twin.whatif.switching import Change, switched
from twin.whatif.witness import Film, Witness

if TYPE_CHECKING:
    from twin.view import View
    from twin.whatif.future import Renewal
    from twin.world import World

Array = np.ndarray[Any, Any]
Figures = dict[str, float]
Drawn = tuple[int, Mapping[str, "Renewal"]]
"""Seed of a future, and the components it differs in."""


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


@dataclass(frozen=True)
class Witnessed:
    """One future as the present policies bring it: what others showed, figures over the horizon, of the whole run."""

    film: Film | None
    figures: Figures
    whole: Figures


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
    begun: dict[int, Any] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether others go on, so that every future needs a witness."""
        return bool(self.made.live)

    def witness(self, child: World) -> Witness:
        """Return a world that keeps the film of what the model reads."""
        return Witness(child, self.made.topics(), self.made.parts, self.made.events)

    def film(self, witness: Witness) -> Film | None:
        """Return what a witness saw, None when the model itself has to go through it."""
        return witness.film if not witness.foreign and self.made.follows(witness.film) else None

    def figures(
        self, choice: Choice, replication: int, drawn: Drawn, seen: Witnessed | None = None
    ) -> tuple[Figures, Figures] | None:
        """Return the figures over the horizon, and of the whole run, of one branch; None when the model has to run it.

        seen  the same future under the present policies; None when others stand still
        """
        begun = self._begun(replication, drawn, seen)
        columns = self.made.run(begun, choice.policies, self.end)
        if columns is None:
            return None
        view: Any = Ended(begun.world.view(self.model.name), columns, self.end)
        model = begun.world.assembly.by_name[self.model.name]
        whole = model.kpis(view)
        model.forget(view, self.world.now)
        figures = model.kpis(view)
        if seen is None:
            return figures, whole
        return {**seen.figures, **figures}, {**seen.whole, **whole}

    def _begun(self, replication: int, drawn: Drawn, seen: Witnessed | None) -> Any:
        """Return a future that has begun; one is kept."""
        if replication not in self.begun:
            seed, fresh = drawn
            child = switched(self.world, Change(Choice("present"), seed, self.frozen), fresh)
            self.begun.clear()
            self.begun[replication] = self.made.future(child, self.end, seen.film if seen is not None else None)
        return self.begun[replication]


def find_twin(world: World, choices: Sequence[Choice], frozen: frozenset[str], end: int) -> Twin | None:
    """Return the compiled branches of a question, None when no model that goes on can run any."""
    alive = [c for c in world.assembly.components if isinstance(c, Model) and c.name not in frozen]
    makers = [c for c in alive if hasattr(c, "standstill")]
    if len(makers) != 1:
        return None
    model: Any = makers[0]
    made = model.standstill(world, frozen)
    why = tuple(made.refusal or made.refuses(choice.policies) for choice in choices)
    if made.live:
        why = ("it shows what goes on beside it", *why[1:])
    return Twin(world, model, made, why, frozen, end) if not all(why) else None
