"""Random numbers as functions of (seed, stream, entity, draw).

Philox4x32-10, a counter-based generator: no stream to advance, so the same
entity has the same luck in every order, on every thread and under every
policy.

Source: Salmon, Moraes, Dror, Shaw, Parallel random numbers: as easy as
1, 2, 3, SC11 (2011), doi 10.1145/2063384.2063405; constants and known answers
from the Random123 library, version 1.14.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit

Word = int | np.integer[Any]

_WORD = 0xFFFFFFFF
_MULTIPLIER_0 = 0xD2511F53
_MULTIPLIER_1 = 0xCD9E8D57
_WEYL_0 = 0x9E3779B9
_WEYL_1 = 0xBB67AE85
_ROUNDS = 10


@jit
def _product(a: Word, b: Word) -> tuple[Word, Word]:
    """Multiply two words; return the high and the low word.

    Done in 16-bit halves, so that no step leaves a signed 64-bit integer and
    plain Python, numpy and compiled code agree.
    """
    low = (a & 0xFFFF) * b
    high = (a >> 16) * b
    middle = high + (low >> 16)
    return middle >> 16, ((middle & 0xFFFF) << 16) | (low & 0xFFFF)


@jit
def philox4x32(
    counter_0: Word, counter_1: Word, counter_2: Word, counter_3: Word, key_0: Word, key_1: Word
) -> tuple[Word, Word, Word, Word]:
    """Scramble a counter of four words with a key of two (ten rounds).

    All words are integers in [0, 2**32).
    """
    for _ in range(_ROUNDS):
        high_0, low_0 = _product(_MULTIPLIER_0, counter_0)
        high_1, low_1 = _product(_MULTIPLIER_1, counter_2)
        counter_0, counter_1, counter_2, counter_3 = (
            high_1 ^ counter_1 ^ key_0,
            low_1,
            high_0 ^ counter_3 ^ key_1,
            low_0,
        )
        key_0 = (key_0 + _WEYL_0) & _WORD
        key_1 = (key_1 + _WEYL_1) & _WORD
    return counter_0, counter_1, counter_2, counter_3


@jit
def uniform(seed: Word, stream: Word, entity: Word, draw: Word) -> float:
    """Draw a number strictly between 0 and 1 (53 bits).

    seed    64 bits; of the run
    stream  32 bits; one per use, so that uses do not share numbers
    entity  64 bits; permanent identity, never a row number
    draw    32 bits; how many numbers this entity has drawn before

    Key = (low seed, stream), counter = (low entity, high entity, draw, high
    seed). The result is (n + 1/2) / 2**52 for n of 52 bits.
    """
    word_0, word_1, _, _ = philox4x32(
        entity & _WORD,
        (entity >> 32) & _WORD,
        draw & _WORD,
        (seed >> 32) & _WORD,
        seed & _WORD,
        stream & _WORD,
    )
    return float((((word_0 << 20) | (word_1 >> 12)) + 0.5) / 4503599627370496.0)


@jit
def fill_uniform(seed: Word, stream: Word, entities: NDArray[np.int64], draw: Word, out: NDArray[np.float64]) -> None:
    """Draw one number in (0, 1) for each entity.

    entities  (n,)  permanent identities
    out       (n,)  written in place
    """
    for i in range(entities.shape[0]):
        out[i] = uniform(seed, stream, entities[i], draw)
