"""Level and routing of rain water: against the definition of a level pool, and nothing is lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from twin.kernels.drainage import level_of, route


@examples(100)
@given(seed=st.integers(0, 10_000), volume=st.floats(0.0, 1e6))
def test_a_level_holds_exactly_its_volume(seed, volume):
    rng = np.random.default_rng(seed)
    ground = np.sort(rng.uniform(0, 5, rng.integers(1, 8)))
    level = level_of(volume, ground, 0, ground.shape[0], 250.0)
    assert level >= ground[0]
    held = 250.0 * np.maximum(level - ground, 0.0).sum()
    assert np.isclose(held, volume, rtol=1e-9, atol=1e-6)


def chain(volumes, capacity, river=0.0, down=(1, 2, -1), outlet=1.0):
    """Run one step of 10 s over three cells of one elevation each, 30, 20 and 10 m, 100 m2."""
    volume, level = np.array(volumes, dtype=float), np.zeros(3)
    ground = np.array([30.0, 20.0, 10.0])
    numbers = np.arange(3)
    out = route(
        numbers,
        np.array(down),
        np.full(3, capacity),
        np.array([np.inf, np.inf, outlet]),
        river,
        10.0,
        ground,
        numbers,
        np.ones(3, dtype=np.int64),
        np.full(3, 100.0),
        volume,
        level,
    )
    return volume, level, out


def test_water_passes_down_as_far_as_channels_carry_it():
    volume, level, out = chain([50.0, 0.0, 0.0], capacity=2.0)
    assert volume.tolist() == [30.0, 0.0, 0.0]
    assert out == 20.0
    assert level.tolist() == [30.3, 20.0, 10.0]


def test_a_high_river_holds_the_water_back():
    volume, _, out = chain([50.0, 0.0, 5.0], capacity=2.0, river=1.3)
    assert out == 0.0
    # 0.05 m stand over an outlet of 1 m; with the 20 m3 from above it would take 1.25 m to hold.
    assert volume.tolist() == [30.0, 0.0, 25.0]
    assert chain([50.0, 0.0, 5.0], capacity=2.0, river=1.2)[2] == 20.0


def test_water_ahead_that_stands_as_high_holds_it_back():
    volume, _, _ = chain([50.0, 1050.0, 0.0], capacity=2.0, river=99.0)
    # Cell 1 stands at 30.5 m, cell 0 at 30.5 m: nothing leaves cell 0.
    assert volume[0] == 50.0


@examples(100)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 40))
def test_no_drop_is_lost(seed, steps):
    rng = np.random.default_rng(seed)
    n = 6
    counts = rng.integers(1, 4, n)
    first = np.cumsum(counts) - counts
    ground = np.concatenate([np.sort(rng.uniform(n - i, n - i + 1.5, c)) for i, c in enumerate(counts)])
    bottom = ground[first]
    order = np.lexsort((np.arange(n), -bottom))
    down = np.array([rng.choice([-1, *np.flatnonzero(bottom < bottom[c])]) for c in range(n)])
    volume, level, fallen, out = np.zeros(n), bottom.copy(), 0.0, 0.0
    for _ in range(steps):
        rain = rng.uniform(0, 100, n)
        volume += rain
        fallen += rain.sum()
        out += route(
            order, down, rng.uniform(0, 2, n), rng.uniform(0, 3, n), 1.0, 60.0, ground, first, counts,
            np.full(n, 200.0), volume, level,
        )  # fmt: skip
        assert (volume >= 0).all()
    assert abs(fallen - out - volume.sum()) <= 1e-9 * fallen
