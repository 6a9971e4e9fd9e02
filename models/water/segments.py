"""Find what has to be shut off to take a pipe out of service.

A segment is what cannot be separated by shut-off valves (Walski 1993). Without a table of
shut-off valves every pipe is assumed to have one at each end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City
    from twin.models.water.network import Network

Array = np.ndarray[Any, Any]


class Segments:
    """Segments of a network, found once."""

    def __init__(self, network: Network, city: City) -> None:
        """Join pipes and nodes wherever no shut-off valve stands between them."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        n_pipe, n_node = network.rows("pipes"), network.n_node
        pipe = np.tile(np.arange(n_pipe), 2)
        node = np.concatenate([network.from_node[:n_pipe], network.to_node[:n_pipe]])
        cut = np.ones(2 * n_pipe, dtype=bool)
        if "shutoffs" in city:
            stands = set(zip(city["shutoffs"]["pipe"].tolist(), city["shutoffs"]["node"].tolist(), strict=True))
            cut = np.array([pair in stands for pair in zip(pipe.tolist(), node.tolist(), strict=True)], dtype=bool)
        open_pipe, open_node = pipe[~cut], node[~cut]
        ends = (open_pipe, n_pipe + open_node)
        graph = coo_matrix((np.ones(len(open_pipe)), ends), shape=(n_pipe + n_node, n_pipe + n_node))
        self._part = connected_components(graph, directed=False)[1]
        self._pipe, self._node, self._n_pipe = pipe[cut], node[cut], n_pipe

    def around(self, pipe: int) -> Array:
        """Return the pipes in which nothing flows once the segment of a pipe is shut off, itself included."""
        part = self._part[pipe]
        inside = np.flatnonzero(self._part[: self._n_pipe] == part)
        border = self._pipe[self._part[self._n_pipe + self._node] == part]
        return np.union1d(inside, border)
