"""Random numbers as functions of (seed, stream, entity, draw), not streams.

The same entity has the same luck under every policy, order and number of
threads, which gives common random numbers for free. Generator: Philox4x32-10,
Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3", SC11.
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@cache
def stream_number(stream: str) -> int:
    """Return the fixed 32-bit number of a named stream."""
    return zlib.crc32(stream.encode())


def uniform(seed: int, stream: str, entities: Any, draw: int = 0) -> Array:
    """Return one uniform number in (0, 1) per entity.

    entities  (n,)  permanent ids of whom the numbers belong to
    draw      which of the entity's numbers in this stream
    """
    from twin.kernels.philox import fill_uniform

    ids = np.atleast_1d(np.asarray(entities, dtype=np.int64))
    out = np.empty(ids.shape[0])
    fill_uniform(np.int64(seed), np.int64(stream_number(stream)), ids, np.int64(draw), out)
    return out


def uniform_one(seed: int, stream: str, entity: int, draw: int = 0) -> float:
    """Return the uniform number in (0, 1) of one entity."""
    return float(uniform(seed, stream, [entity], draw)[0])
