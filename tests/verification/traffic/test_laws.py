"""Laws of any traffic, on random streets with signals, classes, bans and informed drivers.

Through the data frames of `simulate`, and for chunks and copies through the
kernel's arrays: conservation, order, capacity, and that neither names nor
interruptions change anything.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kernels.traffic_cases import HORIZON, random_case, run
from twin.models.traffic import Result, Rules, loops, simulate
from twin.models.traffic.gridlock import GridlockWarning
from twin.models.traffic.standing import HeldUpWarning

seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PCU = {"car": 1.0, "motorcycle": 0.3, "truck": 2.0}


@dataclass(frozen=True)
class City:
    """Hold what `simulate` takes."""

    links: pd.DataFrame
    trips: pd.DataFrame
    rules: Rules
    until: float

    def run(self) -> Result:
        with warnings.catch_warnings():
            for kind in (GridlockWarning, HeldUpWarning):
                warnings.simplefilter("ignore", kind)
            return simulate(self.links, self.trips, self.until, self.rules)


def random_city(seed: int, informed: float = 0.0) -> City:
    """Draw streets and trips: signals, classes, bans, two-way streets and dead ends."""
    rng = np.random.default_rng(seed)
    n_node, n_link, n_trip = 7, 20, 150
    ends = np.array([rng.choice(n_node, 2, replace=False) for _ in range(n_link)])
    links = pd.DataFrame({"from": ends[:, 0], "to": ends[:, 1]}, index=[f"l{i}" for i in range(n_link)])
    links["length"] = rng.choice([5.0, 40.0, 150.0, 400.0], n_link)
    links["speed"] = rng.choice([5.0, 12.5, 20.0], n_link)
    links["lanes"] = rng.integers(1, 4, n_link)
    links["capacity"] = rng.choice([0.1, 0.5, np.inf], n_link)
    known = np.unique(ends)
    trips = pd.DataFrame({"from": rng.choice(known, n_trip), "to": rng.choice(known, n_trip)})
    trips["depart"] = np.round(rng.uniform(0, 300, n_trip), 1)
    trips["class"] = rng.choice(list(PCU), n_trip)
    at = links.drop_duplicates("to").sample(3, random_state=seed % 1000)
    plan = pd.DataFrame({"link": at.index, "cycle": 60.0, "green": 25.0, "amber": 3.0, "all_red": 2.0})
    plan["start"], plan["offset"] = rng.uniform(0, 60, 3), rng.uniform(-30, 30, 3)
    turns = links.reset_index().merge(links.reset_index(), left_on="to", right_on="from")
    turns = turns.rename(columns={"index_x": "from_link", "index_y": "to_link"})[["from_link", "to_link"]]
    bans = turns.sample(min(3, len(turns)), random_state=seed % 997)
    relax = 40.0 if rng.random() < 0.5 else None
    rules = Rules(bans, plan, pcu=PCU, relax_after=relax, informed_share=informed, refresh=50.0)
    return City(links, trips, rules, 2000.0)


@few
@given(seeds, st.sampled_from([0.0, 0.6]))
def test_nobody_is_lost_and_every_trip_is_one_way_through_the_streets(seed: int, informed: float) -> None:
    city = random_city(seed, informed)
    result = city.run()
    trips, events = result.trips, result.events.sort_values(["trip", "entered"])
    assert set(trips["outcome"]) <= {"arrived", "driving", "waiting", "no way"}
    links = city.links.loc[events["link"]]
    follows = events["trip"].to_numpy()[1:] == events["trip"].to_numpy()[:-1]
    assert (links["from"].to_numpy()[1:] == links["to"].to_numpy()[:-1])[follows].all()
    assert (events["entered"].to_numpy()[1:] == events["left"].to_numpy()[:-1])[follows].all()
    last = events.groupby("trip")["left"].max()
    first = events.groupby("trip")["entered"].min()
    assert (first >= trips["depart"].loc[first.index]).all()
    arrived = trips[trips["outcome"] == "arrived"]
    drove = arrived.index.intersection(last.index)
    assert (arrived["arrive"].loc[drove] == last.loc[drove]).all()
    assert result.links["vehicles"].sum() == len(events)
    assert loops(result, list(city.links.index), 100.0)["count"].sum() == events["left"].notna().sum()
    assert events["left"].isna().sum() == (trips["outcome"] == "driving").sum()


@few
@given(seeds)
def test_links_keep_order_free_flow_time_and_capacity(seed: int) -> None:
    city = random_city(seed)
    # a gridlock that is let go moves several vehicles at one instant, whatever the headways
    result = replace(city, rules=replace(city.rules, relax_after=None)).run()
    factor = result.trips["class"].map(PCU)
    for name, events in result.events.groupby("link"):
        link = city.links.loc[name]
        ordered = events.fillna({"left": np.inf}).sort_values(["entered", "left"])
        assert ordered["left"].is_monotonic_increasing
        assert (ordered["left"] - ordered["entered"] >= link["length"] / link["speed"] - 2e-6).all()
        per_lane = link["speed"] * 5 * 0.2 / (link["speed"] + 5)
        headway = 1 / min(link["lanes"] * per_lane, link["capacity"])
        ordered = ordered[np.isfinite(ordered["left"])]
        gaps = np.diff(ordered["left"])
        assert (gaps >= headway * factor.loc[ordered["trip"]].to_numpy()[:-1] - 3e-6).all()


@few
@given(seeds)
def test_vehicles_enter_in_their_green_only(seed: int) -> None:
    city = random_city(seed)
    result = replace(city, rules=replace(city.rules, relax_after=None)).run()
    goal = city.trips["to"]
    for row in city.rules.signals.itertuples():
        events = result.events[result.events["link"] == row.link]
        events = events.dropna()
        passing = events[goal.loc[events["trip"]].to_numpy() != city.links.loc[row.link, "to"]]
        place = (passing["left"] - row.start - row.offset + 1e-6) % row.cycle
        assert (place <= row.green + 2e-6).all()


@few
@given(seeds, st.sampled_from([0.0, 0.6]))
def test_other_names_and_another_order_of_links_change_nothing(seed: int, informed: float) -> None:
    city = random_city(seed, informed)
    rng = np.random.default_rng(seed + 1)
    links = city.links.iloc[rng.permutation(len(city.links))]
    names = dict(zip(links.index, [f"street {i}" for i in range(len(links))], strict=True))
    nodes = {node: f"corner {place}" for place, node in enumerate(rng.permutation(7))}
    other = City(
        links.rename(index=names).replace({"from": nodes, "to": nodes}),
        city.trips.replace({"from": nodes, "to": nodes}),
        replace(
            city.rules,
            banned_turns=city.rules.banned_turns.replace(names),
            signals=city.rules.signals.replace({"link": names}),
        ),
        city.until,
    )
    # ways of equal length and trips of one instant go by the labels of links and nodes: make them differ
    rng = np.random.default_rng(seed)
    lengths = city.links["length"] + rng.uniform(0, 1, len(links))
    departs = city.trips["depart"] + rng.permutation(len(city.trips)) * 1e-5
    one = replace(city, links=city.links.assign(length=lengths), trips=city.trips.assign(depart=departs)).run()
    lengths = lengths.rename(index=names)
    two = replace(other, links=other.links.assign(length=lengths), trips=other.trips.assign(depart=departs)).run()
    assert one.trips["arrive"].equals(two.trips["arrive"])
    assert one.trips["outcome"].equals(two.trips["outcome"])
    renamed = one.events.replace({"link": names}).sort_values(["trip", "entered"], ignore_index=True)
    assert renamed.equals(two.events.sort_values(["trip", "entered"], ignore_index=True))


def _copied(arrays: Any) -> Any:
    """Write arrays to a file in memory and read them back."""
    file = io.BytesIO()
    np.savez(file, **arrays._asdict())
    file.seek(0)
    with np.load(file) as kept:
        return type(arrays)(**{name: kept[name] for name in arrays._fields})


@few
@given(seeds, st.lists(st.integers(1, HORIZON - 1), min_size=1, max_size=6))
def test_saving_and_loading_at_any_instants_changes_nothing(seed: int, stops: list[int]) -> None:
    case = random_case(seed)
    whole, rows = case.build(), []
    run(whole, HORIZON, rows)
    parts, pieces = case.build(), []
    for stop in [*sorted(stops), HORIZON]:
        run(parts, stop, pieces)
        parts = parts._replace(settings=_copied(parts.settings), state=_copied(parts.state))
    assert sorted(pieces) == sorted(rows)
    assert all(np.array_equal(a, b) for a, b in zip(parts.state, whole.state, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_runs_of_one_city_are_the_same_to_the_last_digit(seed: int) -> None:
    one, two = random_city(seed, 0.6).run(), random_city(seed, 0.6).run()
    assert one.events.equals(two.events)
    assert one.trips.equals(two.trips)


def test_the_random_cities_have_what_the_laws_are_about() -> None:
    results = [random_city(seed, 0.6).run() for seed in range(12)]
    outcomes = pd.concat([r.trips["outcome"] for r in results]).value_counts()
    assert outcomes["arrived"] > 500
    assert outcomes["no way"] > 0
    assert sum(r.links["delay"].sum() for r in results) > 10_000
