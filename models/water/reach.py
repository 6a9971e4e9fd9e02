"""Find the parts of a network that no source reaches; a solver gives them arbitrary heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.models.water.network import Network

Array = np.ndarray[Any, Any]


class Reach:
    """The graph of water nodes and links."""

    def __init__(self, network: Network) -> None:
        """List the links at each node."""
        from twin.kernels.islands import build_adjacency

        n_node, n_link = network.n_node, network.n_link
        self._first = np.zeros(n_node + 1, np.int64)
        self._neighbour, self._edge = np.zeros(2 * n_link, np.int64), np.zeros(2 * n_link, np.int64)
        build_adjacency(network.from_node, network.to_node, self._first, self._neighbour, self._edge)
        self._sources = np.arange(network.n_junction, n_node)
        self._n_tank = network.rows("tanks")
        self._works = np.ones(n_node, bool)

    def of(self, passes: Array, filled: Array) -> Array:
        """Return (n_node,) whether an open way leads to a reservoir or a tank with water.

        passes  (n_link,)  water can flow, in whatever direction
        filled  (n_tank,)  tank is not empty
        """
        from twin.kernels.islands import spread

        n_node = len(self._works)
        joined = np.zeros(n_node, bool)
        scratch = [np.empty(n_node, np.int64) for _ in range(3)]
        gives = np.ones(len(self._sources), bool)
        gives[len(gives) - self._n_tank :] = filled
        roots = self._sources[gives]
        graph = (self._first, self._neighbour, self._edge)
        spread(*graph, self._works, passes, roots, joined, *scratch)
        return joined
