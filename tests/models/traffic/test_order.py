"""Who drives where and when does not depend on how the tables are sorted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from twin.models.traffic import Rules, floating_cars, simulate
from twin.models.traffic.order import keys_of, rank_of

SIDE = 4


def grid() -> pd.DataFrame:
    """Streets of equal length: most trips have several ways that take the same time."""
    node = np.arange(SIDE**2).reshape(SIDE, SIDE)
    low = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    high = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    ends = pd.DataFrame({"from": np.append(low, high), "to": np.append(high, low)})
    index = [f"{a}>{b}" for a, b in ends.to_numpy().tolist()]
    return ends.set_axis(index).assign(length=100.0, speed=10.0, lanes=np.arange(len(ends)) % 3 + 1)


def some_trips(count: int) -> pd.DataFrame:
    draw = np.random.default_rng(3)
    origin = draw.integers(0, SIDE**2, count)
    to = (origin + draw.integers(1, SIDE**2, count)) % SIDE**2
    return pd.DataFrame({"from": origin, "to": to, "depart": np.sort(draw.integers(0, 60, count)).astype(float)})


@pytest.mark.parametrize("what", ["links", "trips", "pockets"])
def test_another_order_of_the_rows_changes_no_arrival(what):
    links, trips = grid(), some_trips(300)
    turns = [(a, b) for a in links.index for b in links.index if links["to"][a] == links["from"][b]][::7]
    pockets = pd.DataFrame(turns, columns=["from_link", "to_link"]).assign(storage=2.0)
    tables = {"links": links, "trips": trips, "pockets": pockets}
    arrived = []
    for mixed in (None, what):
        given = {name: t.sample(frac=1, random_state=1) if name == mixed else t for name, t in tables.items()}
        rules = Rules(informed_share=0.3, refresh=30.0, pockets=given["pockets"])
        result = simulate(given["links"], given["trips"], rules=rules)
        assert result.trips.index.equals(given["trips"].index)
        assert result.links.index.equals(given["links"].index)
        arrived.append(result.trips["arrive"].sort_index())
    assert arrived[0].equals(arrived[1])
    assert arrived[0].nunique() > 100


def test_the_same_cars_float_and_the_same_drivers_are_informed_however_trips_are_sorted():
    links, trips = grid(), some_trips(100)
    seen = [set(floating_cars(simulate(links, given), 0.2)["trip"]) for given in (trips, trips.iloc[::-1])]
    assert 5 < len(seen[0]) < 50
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("labels", "rank"),
    [
        ([30, 7, 7, 100], [1, 0, 0, 2]),
        (["b", "a"], [1, 0]),
        ([(2, "x"), (1, "y")], [1, 0]),
        ([1, "b", "a", (0,)], [0, 2, 1, 3]),
        (pd.MultiIndex.from_tuples([(9, 1, 0), (2, 5, 0)]), [1, 0]),
    ],
)
def test_labels_of_every_kind_have_a_place(labels, rank):
    assert rank_of(labels).tolist() == rank


def test_whole_labels_are_keys_and_others_have_one_each():
    assert keys_of([5, 7]).tolist() == [5, 7]
    assert keys_of(["a", "b"]).tolist() == keys_of(["b", "a"]).tolist()[::-1]
    assert len(set(keys_of([f"trip {k}" for k in range(1000)]).tolist())) == 1000
