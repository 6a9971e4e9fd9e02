"""citytwin: a city digital twin to test command-centre policies on.

Names are loaded when first used, so `import twin` stays light.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from twin.city import City, load_city
    from twin.contract import Command, Feed, Model, Policy
    from twin.fields import Field
    from twin.scenario import Scenario, load
    from twin.world import World

__version__ = "0.1.0"
__all__ = ["City", "Command", "Feed", "Field", "Model", "Policy", "Scenario", "World", "load", "load_city", "results"]

# Where a checkout or archive lost the symlinks, the folders beside twin/ serve.
if not (Path(__file__).parent / "models").is_dir():
    __path__.append(str(Path(__file__).parent.parent))

_HOME = {
    "City": "twin.city",
    "load_city": "twin.city",
    "Command": "twin.contract",
    "Feed": "twin.contract",
    "Field": "twin.fields",
    "Model": "twin.contract",
    "Policy": "twin.contract",
    "Scenario": "twin.scenario",
    "load": "twin.scenario",
    "World": "twin.world",
    "results": "twin.results",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'twin' has no attribute {name!r}; it has {', '.join(__all__)}")
    from importlib import import_module

    module = import_module(_HOME[name])
    return module if name == "results" else getattr(module, name)
