"""Find models, policies and feeds by name; nothing is imported before it is asked for.

Built-ins are found by listing the package `twin.models`, third parties by the entry-point group
`twin.plugins` of their distribution, a single file only when a user names it (`use_plugin`).
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import cast

from twin.contract import Component, Feed, Model, Policy
from twin.errors import ContractError

KINDS: dict[str, type[Component]] = {"model": Model, "policy": Policy, "feed": Feed}
GROUP = "twin.plugins"


class Registry:
    """Components by name; names are unique over all kinds, since they key state and options."""

    def __init__(self, package: str = "", group: str = "") -> None:
        """Look in a package and an entry-point group, both "" for neither."""
        self._package = package
        self._group = group
        self._found: dict[str, type[Component]] = {}
        self._listed = not package
        self._plugged = not group

    def add(self, component: type[Component]) -> type[Component]:
        """Register a class; a decorator, for notebooks and plugins."""
        kind_of(component)
        if not component.name:
            raise ContractError(f"{component.__qualname__} needs a name to be registered")
        known = self._found.get(component.name)
        if known is not None and _place(known) != _place(component):
            raise ContractError(f"two components are named {component.name!r}: {_place(known)} and {_place(component)}")
        self._found[component.name] = component
        return component

    def use_plugin(self, path: str | Path) -> list[str]:
        """Import a Python file the user named and register what it defines; return the names."""
        module = _module_of(Path(path))
        names = [self.add(found).name for found in _components(module)]
        if not names:
            raise ContractError(f"plugin {path} defines no Model, Policy or Feed with a name")
        return names

    def all(self, kind: str) -> dict[str, type[Component]]:
        """Return the components of a kind ("model", "policy", "feed") by name, sorted."""
        self._list()
        self._plug()
        return {name: found for name, found in sorted(self._found.items()) if kind_of(found) == kind}

    def get(self, kind: str, name: str) -> type[Component]:
        """Return a component; the error names the nearest one.

        Entry points are imported only when no built-in has the name.
        """
        for look in (None, self._list, self._plug):
            if look:
                look()
            found = self._found.get(name)
            if found is not None and kind_of(found) == kind:
                return found
        raise ContractError(self._unknown(kind, name))

    def _unknown(self, kind: str, name: str) -> str:
        known = self.all(kind)
        near = get_close_matches(name, known, 1, 0.4)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        return f"no {kind} is named {name!r} (there are {', '.join(known) or 'none'}){hint}"

    def _list(self) -> None:
        if self._listed:
            return
        for module in _modules_of(self._package):
            for found in _components(module):
                self.add(found)
        self._listed = True

    def _plug(self) -> None:
        if self._plugged:
            return
        for entry in importlib.metadata.entry_points(group=self._group):
            try:
                loaded = entry.load()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                raise ContractError(
                    f"plugin {entry.name} ({entry.value}) cannot be imported: {_told(error)}"
                ) from error
            found = _components(loaded) if isinstance(loaded, ModuleType) else [loaded]
            for component in found:
                self.add(component)
        self._plugged = True


BUILT_IN = Registry("twin.models", GROUP)
"""The registry scenarios are read with unless another is given."""


def models() -> dict[str, type[Model]]:
    """Return every model by name."""
    return cast(dict[str, type[Model]], BUILT_IN.all("model"))


def policies(role: str | None = None) -> dict[str, type[Policy]]:
    """Return every policy by name, or those of one role."""
    found = cast(dict[str, type[Policy]], BUILT_IN.all("policy"))
    return {name: policy for name, policy in found.items() if role in {None, policy.role}}


def feeds() -> dict[str, type[Feed]]:
    """Return every feed by name."""
    return cast(dict[str, type[Feed]], BUILT_IN.all("feed"))


def get(kind: str, name: str) -> type[Component]:
    """Return one component of the built-in registry; the error names the nearest one."""
    return BUILT_IN.get(kind, name)


def use_plugin(path: str | Path) -> list[str]:
    """Register the components of a Python file the user named."""
    return BUILT_IN.use_plugin(path)


def kind_of(component: type[Component]) -> str:
    """Return "model", "policy" or "feed"; a feed is also a model, but counts as a feed."""
    for kind in ("feed", "policy", "model"):
        if isinstance(component, type) and issubclass(component, KINDS[kind]):
            return kind
    raise ContractError(f"{component!r} is not a Model, Policy or Feed class")


def _modules_of(package: str) -> Iterator[ModuleType]:
    """Import a package and all modules in it, by listing its folders."""
    root = _imported(package)
    yield root
    for info in pkgutil.iter_modules(root.__path__, f"{package}."):
        if info.ispkg:
            yield from _modules_of(info.name)
        else:
            yield _imported(info.name)


def _imported(name: str) -> ModuleType:
    """Import a built-in module; one that fails is named, with its cause."""
    try:
        return importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise ContractError(
            f"built-in module {name} cannot be imported: {_told(error)}; mend it, or install citytwin again"
        ) from error


def _components(module: ModuleType) -> list[type[Component]]:
    """Return the named concrete components that a module itself defines."""
    classes = [found for _, found in sorted(vars(module).items()) if inspect.isclass(found)]
    components: list[type[Component]] = [found for found in classes if issubclass(found, Model | Policy)]
    return [found for found in components if found.__module__ == module.__name__ and found.name]


def _place(component: type[Component]) -> str:
    return f"{component.__module__}.{component.__qualname__}"


def _module_of(path: Path) -> ModuleType:
    """Import a file under a name of its own, the same in every process."""
    if not path.is_file():
        raise ContractError(f"plugin {path} is not a file")
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:8]
    name = f"twin_plugin_{path.stem}_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    specification = importlib.util.spec_from_file_location(name, path)
    if specification is None or specification.loader is None:
        raise ContractError(f"plugin {path} must be a Python file (.py)")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    try:
        specification.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise ContractError(f"plugin {path} cannot be imported: {_told(error)}") from error
    return module


def _told(error: BaseException) -> str:
    """Write why an import failed; a module that ends the program says so."""
    ends = " (the module ends the program)" if isinstance(error, SystemExit) else ""
    return f"{type(error).__name__}: {error}{ends}"
