"""Feeds: what sensors saw, when it arrives, and what never does.

Three feeds share one mechanism (`channel`): travel times of roads (`probes`),
places of units (`avl`) and states of the power grid (`scada`).
"""

from twin.models.feeds.avl import Avl
from twin.models.feeds.probes import Probes
from twin.models.feeds.scada import Scada

__all__ = ["Avl", "Probes", "Scada"]
