"""Components are found by name, lazily, and a wrong name gets a hint."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from twin import registry
from twin.contract import Feed, Model, Policy
from twin.errors import ContractError
from twin.registry import Registry

PLUGIN = """
from twin.contract import Policy

class Fair(Policy):
    name = "fair_share"
    role = "dispatch"

class _Base(Policy):
    role = "dispatch"
"""


class Roads(Model):
    name = "roads"


class Loops(Feed):
    name = "loops"


class Nearest(Policy):
    name = "nearest"
    role = "dispatch"


@pytest.fixture
def known():
    found = Registry()
    for component in (Roads, Loops, Nearest):
        found.add(component)
    return found


def test_each_kind_lists_its_own(known):
    assert [list(known.all(kind)) for kind in registry.KINDS] == [["roads"], ["nearest"], ["loops"]]


def test_a_feed_is_not_listed_as_a_model(known):
    with pytest.raises(ContractError, match="no model is named 'loops'"):
        known.get("model", "loops")


def test_the_nearest_name_is_offered(known):
    with pytest.raises(ContractError, match="did you mean 'nearest'"):
        known.get("policy", "nearset")


def test_two_components_of_one_name_are_refused(known):
    class Other(Policy):
        name = "roads"

    with pytest.raises(ContractError, match="two components are named 'roads'"):
        known.add(Other)


def test_registering_again_is_harmless(known):
    assert known.add(Roads) is known.get("model", "roads")


@pytest.mark.parametrize("wrong", [int, "roads"])
def test_only_components_can_be_registered(known, wrong):
    with pytest.raises(ContractError, match="not a Model, Policy or Feed"):
        known.add(wrong)


def test_a_nameless_component_cannot_be_registered(known):
    with pytest.raises(ContractError, match="needs a name"):
        known.add(Model)


def test_a_plugin_file_registers_what_it_defines(known, tmp_path):
    path = tmp_path / "fair.py"
    path.write_text(PLUGIN)
    assert known.use_plugin(path) == ["fair_share"]
    assert known.use_plugin(path) == ["fair_share"]
    assert known.get("policy", "fair_share").role == "dispatch"


@pytest.mark.parametrize(
    ("text", "says"), [("import nowhere_at_all", "cannot be imported"), ("x = 1", "defines no"), (None, "not a file")]
)
def test_a_bad_plugin_is_named(known, tmp_path, text, says):
    path = tmp_path / "bad.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ContractError, match=says):
        known.use_plugin(path)


def test_a_built_in_that_cannot_be_imported_is_named_with_its_cause(monkeypatch, tmp_path):
    package = tmp_path / "own_models"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "bad.py").write_text("import nowhere_at_all")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ContractError, match=r"own_models\.bad cannot be imported: ModuleNotFoundError.*nowhere_at_all"):
        Registry("own_models").all("model")


def test_entry_points_are_imported_only_when_needed(monkeypatch, tmp_path):
    (tmp_path / "outside_models.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("outside", "outside_models", registry.GROUP)
    monkeypatch.setattr(registry.importlib.metadata, "entry_points", lambda group: [entry])
    found = Registry(group=registry.GROUP)
    found.add(Nearest)
    assert found.get("policy", "nearest") is Nearest
    assert "outside_models" not in sys.modules
    assert found.get("policy", "fair_share").__module__ == "outside_models"


@pytest.mark.parametrize("ending", ["sys.exit(0)", "raise SystemExit", "raise GeneratorExit", "exit()"])
def test_a_plugin_that_ends_the_program_is_an_error(tmp_path, ending):
    path = tmp_path / "ends.py"
    path.write_text(f"import sys\n{ending}\n")
    with pytest.raises(ContractError, match=r"ends\.py cannot be imported: (System|Generator)Exit"):
        Registry().use_plugin(path)


def test_interrupting_a_plugin_interrupts(tmp_path):
    path = tmp_path / "waits.py"
    path.write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        Registry().use_plugin(path)


def test_an_entry_point_that_ends_the_program_is_an_error(monkeypatch, tmp_path):
    (tmp_path / "ending_models.py").write_text("raise SystemExit(0)")
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("outside", "ending_models", registry.GROUP)
    monkeypatch.setattr(registry.importlib.metadata, "entry_points", lambda group: [entry])
    with pytest.raises(ContractError, match=r"plugin outside .*the module ends the program"):
        Registry(group=registry.GROUP).all("model")


def test_a_broken_entry_point_is_named(monkeypatch):
    entry = EntryPoint("outside", "no_such_module_here", registry.GROUP)
    monkeypatch.setattr(registry.importlib.metadata, "entry_points", lambda group: [entry])
    with pytest.raises(ContractError, match="plugin outside"):
        Registry(group=registry.GROUP).all("model")


def test_built_ins_come_from_listing_the_models_package():
    assert all(issubclass(found, Model) and not issubclass(found, Feed) for found in registry.models().values())
    assert all(found.role == "dispatch" for found in registry.policies("dispatch").values())


def test_importing_the_registry_imports_no_model():
    code = "import sys, twin.registry; print([m for m in sys.modules if m.startswith('twin.models')])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
