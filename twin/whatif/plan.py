"""The branches of one question: which are compiled, which share a witness, and how each is run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.errors import TwinError
from twin.whatif.choices import Choice
from twin.whatif.compiled import Figures, Twin, Witnessed
from twin.whatif.future import Renewal, future_seed, renewals
from twin.whatif.result import Branch
from twin.whatif.switching import Change, switched

if TYPE_CHECKING:
    from twin.world import World


@dataclass(frozen=True)
class Plan:
    """Everything a branch needs; forked processes find it in their memory."""

    world: World
    choices: Sequence[Choice]
    frozen: frozenset[str]
    end: int
    twin: Twin | None = None
    fresh: dict[int, tuple[int, Mapping[str, Renewal]]] = field(default_factory=dict)
    seen: dict[int, Witnessed] = field(default_factory=dict)

    def run(self, choice: int, replication: int) -> Branch:
        """Run one branch; a failure is told, not raised."""
        label = self.choices[choice].label
        try:
            return Branch(label, replication, *self._figures(choice, replication))
        except TwinError as error:
            return Branch(label, replication, message=str(error))

    def is_compiled(self, choice: int) -> bool:
        """Tell whether branches of a choice are run by a kernel."""
        return self.twin is not None and not self.twin.why[choice]

    def shares(self, choice: int) -> bool:
        """Tell whether a branch of a choice goes with the others of its future: it shows, or is shown, a film."""
        return self.twin is not None and self.twin.live and (choice == 0 or self.is_compiled(choice))

    def _figures(self, choice: int, replication: int) -> tuple[Figures, Figures]:
        seen = self._witnessed(replication) if self.shares(choice) else None
        if seen is not None and choice == 0:
            return seen.figures, seen.whole
        told = seen is None or seen.film is not None
        if self.twin is not None and self.is_compiled(choice) and told:
            found = self.twin.figures(self.choices[choice], replication, self._future(replication), seen)
            if found is not None:
                return found
        with self._child(choice, replication) as child:
            return self._run(child)

    def _witnessed(self, replication: int) -> Witnessed:
        """Run a future under the present policies and keep what others showed; one is kept."""
        assert self.twin is not None
        if replication not in self.seen:
            with self._child(0, replication) as child:
                witness = self.twin.witness(child)
                figures, whole = self._run(witness)
                film = self.twin.film(witness)
            self.seen.clear()
            self.seen[replication] = Witnessed(film, figures, whole)
        return self.seen[replication]

    def _child(self, choice: int, replication: int) -> World:
        seed, fresh = self._future(replication)
        return switched(self.world, Change(self.choices[choice], seed, self.frozen), fresh)

    def _run(self, child: World) -> tuple[Figures, Figures]:
        """Run a branch; return its figures over the horizon, and of the whole run."""
        child.run(self.end)
        whole = child.kpis()
        _forget(child, self.world.now)
        return child.kpis(), whole

    def _future(self, replication: int) -> tuple[int, Mapping[str, Renewal]]:
        if replication not in self.fresh:
            seed = future_seed(self.world.seed, self.world.now, replication)
            self.fresh[replication] = seed, renewals(self.world, seed)
        return self.fresh[replication]


def _forget(world: World, at: int) -> None:
    """Let models leave out of their figures what no policy could change after an instant (us)."""
    for component in world.assembly.components:
        forget = getattr(component, "forget", None)
        if forget is not None:
            forget(world.view(component.name), at)
