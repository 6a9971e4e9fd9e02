"""Philox against the known answers of the Random123 library."""

import numpy as np
import pytest

from twin.kernels.philox import fill_uniform, philox4x32, uniform

ONES = 0xFFFFFFFF


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, ...], answer: tuple[int, ...]) -> None:
    assert philox4x32(*counter, *key) == answer


def test_uniform_takes_the_top_52_bits_of_two_words() -> None:
    bits = (0x6627E8D5 << 20) | (0xE169C58D >> 12)
    assert uniform(0, 0, 0, 0) == (bits + 0.5) / 2**52


@pytest.mark.parametrize("place", range(4))
def test_every_argument_counts_in_full(place: int) -> None:
    arguments = [5, 6, 7, 8]
    seen = {uniform(*arguments)}
    for bit in range(62 if place in (0, 2) else 32):
        changed = list(arguments)
        changed[place] ^= 1 << bit
        seen.add(uniform(*changed))
    assert len(seen) == 1 + (62 if place in (0, 2) else 32)


def test_array_equals_single_draws_in_any_order() -> None:
    entities = np.array([9, 2**40, 3, 0])
    out = np.empty(4)
    fill_uniform(11, 4, entities, 2, out)
    assert out.tolist() == [uniform(11, 4, int(entity), 2) for entity in entities]


def test_draws_are_spread_evenly() -> None:
    out = np.empty(20_000)
    fill_uniform(1, 2, np.arange(20_000), 0, out)
    assert 0 < out.min() < out.max() < 1
    counts = np.histogram(out, 20, (0, 1))[0]
    # chi-square with 19 degrees of freedom exceeds 43.8 once in 1,000
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8
    assert abs(np.corrcoef(out[:-1], out[1:])[0, 1]) < 0.025
