"""Traffic by itself: streets and trips from data frames, results as data frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.traffic.frames import LONGEST, NEEDED, SECOND, Frames, lay_out
from twin.models.traffic.gridlock import find
from twin.models.traffic.inputs import refuse_types, warn_of_replaced
from twin.models.traffic.order import as_given, in_order
from twin.models.traffic.outcome import Result, result_of
from twin.models.traffic.plausible import warn_of_units
from twin.models.traffic.streets import CLASS_PCU

if TYPE_CHECKING:
    import pandas as pd

    from twin.kernels.traffic_arrays import Log
    from twin.kernels.traffic_layout import Traffic
    from twin.models.traffic.changes import Changes
    from twin.models.traffic.guidance import Guide
    from twin.models.traffic.trails import Drivers

Array = np.ndarray[Any, Any]

_DAY = 86_400.0
_LOG_ROWS = 1 << 18
_SHORTEST = 0.01
_MOST_PASSING = 1000.0
_MOST_SEED = 2**63


@dataclass(frozen=True)
class Rules:
    """Say how vehicles may drive, beyond the streets themselves.

    banned_turns  from_link, to_link
    signals       link, cycle, start, green (s): fixed time at the end of a link;
                  other links into such a node are always red. Also, if wanted:
                  offset (added to start), amber and all_red: lost after the
                  green, nobody enters, and what conflicts has no green yet;
                  to_link: the green is that of the pocket to this link alone
    nodes         x, y (m), by label: tells which approaches conflict, and where
                  to draw
    driving_side  "left" or "right"
    gap, late_turn  s: a turn at a signal across oncoming traffic that has green
                  too wants to see the way free for so long (at most half of the
                  time of a link ahead), and may still be made so long after its
                  green; needs nodes. gap None or 0: nobody gives way
    pockets       from_link, to_link, storage (PCU): a turn pocket of a movement
    pcu           space and headway of each class relative to a car
    emergency     classes that pass queues and call for green
    passing       >= 1; this multiple of the free-flow time after it has entered
                  a link, an emergency vehicle goes past all that are ahead
    green_ahead   s before it is due, at most half of its way, from which it
                  calls for green; 0: never
    green_clear, green_most  s from its call until it has green, and until the
                  plan goes on though it is still there
    relax_after   s: looked at this often, a gridlock whose first vehicles have
                  all waited this long moves on by one vehicle; None: it stays
    informed_share  of drivers who follow present travel times, unless these lead
                  back to where they have been (nobody drives in circles)
    guided_nodes  where they hear of them; None: at every node
    refresh       s between two updates of the travel times
    seed          of the choice of these drivers
    """

    banned_turns: pd.DataFrame | None = None
    signals: pd.DataFrame | None = None
    nodes: pd.DataFrame | None = None
    driving_side: str = "right"
    gap: float | None = 4.5
    late_turn: float = 3.0
    pockets: pd.DataFrame | None = None
    pcu: Mapping[str, float] = field(default_factory=lambda: CLASS_PCU)
    emergency: Sequence[str] = ()
    passing: float = 1.5
    green_ahead: float = 15.0
    green_clear: float = 4.0
    green_most: float = 120.0
    relax_after: float | None = None
    informed_share: float = 0.0
    guided_nodes: Sequence[Any] | None = None
    refresh: float = 300.0
    seed: int = 1

    def check(self) -> None:
        """Raise ValueError for the first value that makes no sense."""
        if self.driving_side not in ("left", "right"):
            raise ValueError(f"driving_side must be 'left' or 'right', not {self.driving_side!r}")
        if not 0 <= self.informed_share <= 1:
            raise ValueError(f"informed_share ({self.informed_share}) must be between 0 and 1")
        if not (-_MOST_SEED <= self.seed < _MOST_SEED and self.seed == round(self.seed)):
            raise ValueError(f"seed ({self.seed}) must be a whole number of 64 bits")
        self._check_turns()
        for name in ("refresh", "relax_after"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} ({value}) must be greater than 0 s")
            if value is not None and not _SHORTEST <= value <= LONGEST:
                raise ValueError(f"{name} ({value}) must be between {_SHORTEST} and {LONGEST:g} s")

    def _check_turns(self) -> None:
        unknown = [str(name) for name in self.emergency if name not in self.pcu]
        if unknown:
            raise ValueError(f"emergency: {', '.join(unknown)} must be one of {', '.join(map(str, self.pcu))}")
        if not 1 <= self.passing <= _MOST_PASSING:
            raise ValueError(f"passing ({self.passing}) must be between 1 and {_MOST_PASSING:g}")
        for name in ("gap", "late_turn", "green_ahead", "green_clear", "green_most"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= LONGEST:
                raise ValueError(f"{name} ({value}) must be between 0 and {LONGEST:g} s")


def simulate(
    links: pd.DataFrame,
    trips: pd.DataFrame,
    until: float | None = None,
    rules: Rules | None = None,
    changes: pd.DataFrame | None = None,
    threads: int = 1,
) -> Result:
    """Drive every trip on its shortest way at the speeds of the table, but for the informed share.

    links  from, to, length (m), speed (m/s); also, if wanted: lanes (1),
           capacity (veh/s), jam_density (0.2 veh/m per lane), reaction_time
           (1 s), weight (lanes), rank (0). The index names the links, any
           labels name the nodes
    trips  from, to (nodes), depart (s); also class, a name in `pcu`
    until  s, by default a day after the last departure and the last change
    changes  time (s), link, and what the link has from then on, left out or nan
           where it stays: capacity, speed, lanes (no more than at the start),
           open (False: nobody may enter; drivers take other ways, and wait if
           there is none)
    threads  1 or 2; the result is the same

    Raises ValueError that names every wrong row. A trip that no way serves is
    no error: its outcome says so.

    >>> import pandas as pd
    >>> links = pd.DataFrame({"from": ["a", "b"], "to": ["b", "c"], "length": 1000.0, "speed": [20.0, 10.0]})
    >>> trips = pd.DataFrame({"from": "a", "to": "c", "depart": [0.0, 2.0, 4.0]})
    >>> simulate(links, trips).trips["time"].tolist()
    [150.0, 150.0, 150.0]
    """
    import pandas as pd

    from twin.kernels.trails import new_memory
    from twin.models.traffic.trails import Drivers

    rules = Rules() if rules is None else rules
    if not isinstance(rules, Rules):
        raise TypeError(f"rules must be Rules(...), not {type(rules).__name__}")
    refuse_types({"links": links, "trips": trips, "changes": changes}, rules, until)
    rules.check()
    if threads not in (1, 2):
        raise ValueError(f"threads ({threads}) must be 1 or 2")
    if until is not None and not 0 <= until <= LONGEST:
        raise ValueError(f"until ({until}) must be between 0 and {LONGEST:g} s")
    tables = {name: getattr(rules, name) for name in ("banned_turns", "signals", "pockets")} | {"changes": changes}
    given = {name: pd.DataFrame(columns=NEEDED[name]) if t is None else t for name, t in tables.items()}
    left = rules.driving_side == "left"
    frames = Frames(links, trips, **given, pcu=rules.pcu, positions=rules.nodes, left=left)
    frames.check()
    warn_of_replaced({"links": links, "trips": trips})
    warn_of_units(frames)
    frames, *rows = in_order(frames.as_numbers())
    traffic, guide, later = lay_out(frames, rules)
    last = _last(frames) + _DAY if until is None else until
    free = traffic.settings.free_flow.copy()
    drivers = Drivers(traffic, new_memory(traffic.network, traffic.demand))
    events, relaxed = _run(_Drive(drivers, guide, later, rules, threads), round(last * SECOND))
    return as_given(result_of(frames, drivers.traffic, events, relaxed, free), *rows)


def _last(frames: Frames) -> float:
    """Return the time of the last departure or change of a road, s."""
    times = [frames.trips["depart"].to_numpy(float), frames.changes["time"].to_numpy(float)]
    return float(np.concatenate(times).max(initial=0.0))


@dataclass
class _Drive:
    """Hold a simulation under way; parts are the log's rows so far."""

    drivers: Drivers
    guide: Guide | None
    changes: Changes
    rules: Rules
    threads: int
    parts: list[list[Array]] = field(default_factory=list)

    def advance(self, log: Log, until: int) -> None:
        """Advance to a time and move the log's rows to `parts`."""
        from twin.kernels.traffic import advance
        from twin.kernels.traffic_arrays import LOG_FULL

        status = LOG_FULL
        while status == LOG_FULL:
            status = advance(*self.drivers.traffic, log, until, self.threads)
            self.parts.append([column[: log.written[0]].copy() for column in log[:4]])
            log.written[0] = 0

    def hear(self, now: int, idle: int, every: int) -> int:
        """Tell informed drivers the news; return until when these stay the same if nobody moves before `idle` (us)."""
        assert self.guide is not None
        if idle <= now + every:
            self.guide.renew(self.drivers)
            return now
        seen, told = self.guide.seen.copy(), self.drivers.traffic.settings.informed.copy()
        self.guide.renew(self.drivers)
        if (seen != self.guide.seen).any() or (told != self.drivers.traffic.settings.informed).any():
            return now
        return self.guide.same_until(self.drivers.traffic, idle, every)


@dataclass
class _Rounds:
    """Say when something is due that happens every so often (us; 0: never)."""

    every: int
    due: int

    def put_off(self, now: int, idle: int) -> None:
        """Put it off to the next round after now before which something may have happened: nothing does before idle."""
        if self.every:
            self.due = max(now // self.every + 1, -(-idle // self.every)) * self.every


def _next_move(traffic: Traffic, now: int, until: int) -> int:
    """Return the time before which nobody moves, nor becomes ready to: only then he counts as one who waits."""
    ready = traffic.state.head_ready
    return int(min(traffic.state.group_next.min(initial=until), ready[ready > now].min(initial=until)))


def _run(drive: _Drive, until: int) -> tuple[list[Array], int]:
    """Advance to a time; return the log's columns trip, link, entered, left, and the gridlocks moved."""
    from twin.kernels.traffic_arrays import DRIVING, WAITING, new_log
    from twin.kernels.traffic_relax import relax

    log, relaxed, now = new_log(_LOG_ROWS), 0, 0
    drivers, rules = drive.drivers, drive.rules
    look = _Rounds(0 if rules.relax_after is None else round(rules.relax_after * SECOND), until)
    news = _Rounds(0 if drive.guide is None else round(rules.refresh * SECOND), until)
    drive.changes.apply(drivers, drive.guide, 0)
    idle = now
    while now < until and (now == 0 or drivers.traffic.state.tally[[WAITING, DRIVING]].sum()):
        for rounds in (look, news):
            if idle <= now or rounds.due == now:
                rounds.put_off(now, idle)
        change = drive.changes.next(now)
        now = min(until, look.due, news.due, until if change is None else change)
        drive.advance(log, now)
        if now == until:
            break
        idle = _next_move(drivers.traffic, now, until)
        if now == change:
            drive.changes.apply(drivers, drive.guide, now)
            idle = now
        if now == look.due and find(drivers.traffic):
            relaxed += len(relax(drivers.traffic, log, look.every))
            idle = now
        if now == news.due:
            idle = drive.hear(now, idle, news.every)
    drive.advance(log, until)
    return [np.concatenate(column) for column in zip(*drive.parts, strict=True)], relaxed
