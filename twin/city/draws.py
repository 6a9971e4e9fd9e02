"""Draw the random numbers of city generators: one independent stream per purpose."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Return a Philox generator keyed by (seed, purpose); adding a purpose shifts no other.

    Source of the generator: Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3 (SC 2011).
    """
    key = int.from_bytes(hashlib.sha256(f"{seed}:{purpose}".encode()).digest()[:16], "little")
    return np.random.Generator(np.random.Philox(key=key))
