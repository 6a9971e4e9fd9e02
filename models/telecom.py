"""Decide which telecom sites are alive, and which site serves a place.

A site is alive while it has power, has not failed and reaches the control room: in a city with a table `fibres`
over fibres that are not cut, by way of sites that are alive, to one that is a `hub`. A place is served by the
nearest site, or the one that a row of `dependencies` names for the street node next
to it, and by no other: no overlap of cells and no roaming to a neighbour, which errs
towards silence (assumption).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supply
from twin.contract import SECOND, Event, EventKind, Model, Option, Setup
from twin.errors import CityError
from twin.fields import Field
from twin.models.scenario_events import microseconds, targets_of

if TYPE_CHECKING:
    from twin.city import City
    from twin.view import View

Array = np.ndarray[Any, Any]

_WATER_NODES = ("junctions", "reservoirs", "tanks")
_REMOTE = ("lines", "substations", "storages", "pumps", "valves", "pipes", "signals")
"""Tables of what is switched from afar."""

_CUT = Option("duration", "until the fibre is spliced; 0 for the rest of the run", "quantity", 0.0, "s", low=0.0)
_DURATION = Option("duration", "until the site works again; 0 for the rest of the run", "quantity", 0.0, "s", low=0.0)


def site_of(city: City, x: Array, y: Array) -> Array:
    """Return the row of the site that serves each place, -1 in a city without sites.

    It is the nearest one, unless a dependency of the rule `relay` names another for the street node
    next to the place.

    x, y  (n,)  m  on the city's grid
    """
    if city.rows("sites") == 0:
        return np.full(len(x), -1, dtype=np.int64)
    places = np.stack([x, y], axis=1).reshape(-1, 2)
    site = _nearest(city, "sites", places)
    relays = supply(city, "sites", "nodes")
    if relays.row.shape[0]:
        named = np.full(city.rows("nodes"), -1)
        named[relays.row] = relays.supplier
        named = named[_nearest(city, "nodes", places)]
        site = np.where(named >= 0, named, site)
    return site


def _remote_sites(city: City) -> dict[str, Array]:
    """Return the site of every row of each table of what is switched from afar."""
    found = {}
    for table in filter(city.rows, _REMOTE if city.rows("sites") else ()):
        places = _places(city, table)
        if places is not None:
            found[table] = site_of(city, *places)
    return found


def _places(city: City, table: str) -> tuple[Array, Array] | None:
    """Return x and y (m) of every row, in the middle of what has two ends; None where the city does not say."""
    rows = city[table]
    if "y" in rows:
        return np.asarray(rows["x"]), np.asarray(rows["y"])
    owner = {"from_node": _WATER_NODES, "from_bus": ("buses",), "node": ("nodes",), "bus": ("buses",)}
    column = next((name for name in owner if name in rows), "")
    tables = [name for name in owner.get(column, ()) if city.rows(name)]
    if not tables:
        return None
    x, y = (np.concatenate([np.asarray(city[name][axis], np.float64) for name in tables]) for axis in ("x", "y"))
    ends = [rows[name] for name in (column, column.replace("from", "to"))]
    return (x[ends[0]] + x[ends[1]]) / 2, (y[ends[0]] + y[ends[1]]) / 2


def _nearest(city: City, table: str, places: Array) -> Array:
    from scipy.spatial import cKDTree

    rows = np.stack([city[table]["x"], city[table]["y"]], axis=1)
    return np.asarray(cKDTree(rows).query(places)[1], dtype=np.int64)


class Fibres:
    """The graph of a city's sites and fibres; without fibres every site reaches the control room by itself."""

    def __init__(self, city: City) -> None:
        from twin.kernels.islands import build_adjacency

        self.known = city.rows("fibres") > 0
        if not self.known:
            return
        fibres, sites = city["fibres"], city["sites"]
        hubs = np.flatnonzero(sites["hub"]) if "hub" in sites else np.zeros(0, np.int64)
        if not hubs.shape[0]:
            raise CityError("a city with fibres needs a site that is a hub: set sites.hub")
        self._roots = hubs.astype(np.int64)
        ends = [np.asarray(fibres[name], dtype=np.int64) for name in ("from_site", "to_site")]
        sizes = (sites.rows + 1, 2 * fibres.rows, 2 * fibres.rows)
        self._first, self._neighbour, self._edge = (np.zeros(size, np.int64) for size in sizes)
        build_adjacency(ends[0], ends[1], self._first, self._neighbour, self._edge)

    def reached(self, works: Array, whole: Array) -> Array:
        """Tell which sites reach a hub.

        works  (n_site,)   has power and has not failed
        whole  (n_fibre,)  not cut
        """
        from twin.kernels.islands import spread

        if not self.known:
            return works
        found = np.zeros(works.shape[0], bool)
        parent, edge, order = (np.zeros(works.shape[0], np.int64) for _ in range(3))
        graph = (self._first, self._neighbour, self._edge)
        spread(*graph, works, whole, self._roots, found, parent, edge, order)
        return found


class Telecom(Model):
    """Sites that carry observations and orders."""

    name = "telecom"
    owns = (
        Field("site.alive", "bool", "1", "site works", 1, traced=True),
        Field("site.failures", "int16", "1", "failures of the scenario in force"),
        Field("site.failure_event", "int64", "1", "event that last changed the failures, -1 for none", -1),
        Field("site.failure_count", "int64", "1", "changes of the failures"),
        Field("fibre.cuts", "int16", "1", "cuts in force"),
        Field("fibre.event", "int64", "1", "event that last cut or spliced it, -1 for none", -1),
    )
    reads = ("site.powered", "site.failure_count", "fibre.event")
    events = (
        EventKind("site_failure", "telecom sites fail", "sites", (_DURATION,), scenario=True),
        EventKind("site_failure_end", "telecom sites work again", "sites"),
        EventKind("fibre_cut", "fibres between telecom sites are cut", "fibres", (_CUT,), scenario=True),
        EventKind("fibre_cut_end", "cut fibres are spliced"),
    )
    tells = (
        EventKind("site_dead", "a site is silent", "sites"),
        EventKind("site_back", "a site works again", "sites"),
        EventKind("order_held", "an order goes by hand because the site of its place is silent", "sites", unit="s"),
    )
    options = (
        Option("by_hand", "time an order takes to a place whose site is silent", "quantity", 900.0, "s", low=0.0),
    )

    def setup(self, setup: Setup) -> dict[str, int]:
        """Keep the scenario's events for their targets, and find the site of what is switched from afar."""
        self.planned = setup.events
        self.by_hand = microseconds(setup.options["by_hand"])
        self.remote = _remote_sites(setup.city)
        self.fibres = Fibres(setup.city)
        return {"site": setup.city.rows("sites"), "fibre": setup.city.rows("fibres")}

    def on_event(self, view: View, event: Event) -> None:
        """Count failures of sites and cuts of fibres."""
        begins = event.kind in ("site_failure", "fibre_cut")
        rows = targets_of(event, self.planned)
        if event.kind.startswith("fibre"):
            view.put("fibre.cuts", rows, np.maximum(view["fibre.cuts"][rows] + (1 if begins else -1), 0))
            view.put("fibre.event", rows, event.id)
        else:
            view.put("site.failures", rows, view["site.failures"][rows] + (1 if begins else -1))
            view.put("site.failure_event", rows, event.id)
            view.put("site.failure_count", rows, view["site.failure_count"][rows] + 1)
        if begins and event.params.get("duration", 0.0):
            view.schedule(f"{event.kind}_end", microseconds(event.params["duration"]), event.target, data=event.data)

    def step(self, view: View) -> None:
        """Find which sites are alive now; log each change with its cause."""
        works = self._works(view)
        alive = self.fibres.reached(works, view["fibre.cuts"] == 0)
        own = view["site.failure_event"].copy()
        if "site.powered" in view:
            own = np.maximum(own, view["site.powered@cause"])
        there = int(max(own.max(initial=-1), view["fibre.event"].max(initial=-1)))
        for site in np.flatnonzero(alive != view["site.alive"]).tolist():
            cause = int(own[site]) if not works[site] or not self.fibres.known else there
            event = view.emit("site_back" if alive[site] else "site_dead", site, causes=[cause])
            view.put("site.alive", site, alive[site], event)

    def _works(self, view: View) -> Array:
        """Tell which sites have power and have not failed."""
        powered = view["site.powered"] if "site.powered" in view else np.ones(view.rows("site"), bool)
        return np.asarray(powered & (view["site.failures"] == 0))

    def carry(self, view: View, table: str, row: int) -> int:
        """Return how much longer (us) an order to something switched from afar takes."""
        site = int(self.remote[table][row]) if table in self.remote else -1
        if site < 0 or view["site.alive"][site] or not self.by_hand:
            return 0
        causes = [view.cause_id, view.cause("site.alive", site)]
        view.because(view.emit("order_held", site, self.by_hand / SECOND, row, causes=causes))
        return self.by_hand

    def check(self, view: View) -> list[str]:
        """Return sites that are alive without power, in spite of a failure or without a way to the control room."""
        wrong = view["site.alive"] != self.fibres.reached(self._works(view), view["fibre.cuts"] == 0)
        return [f"site {site} contradicts its power, failures and fibres" for site in np.flatnonzero(wrong).tolist()]
