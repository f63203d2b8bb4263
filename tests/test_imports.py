import ast
import importlib
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

HEAVY = ("tensorflow", "keras", "matplotlib", "pandas", "scipy", "sklearn", "ipywidgets")


def modules_after(code):
    """The heavy modules that a new Python has imported after running `code`."""
    code += f"\nimport sys; print(*[m for m in {HEAVY} if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return result.stdout.splitlines()[-1].split()


def test_import_dss_imports_nothing_heavy():
    assert modules_after("import dss") == []


def test_help_imports_nothing_heavy():
    assert (
        modules_after(
            "import dss.cli\ntry: dss.cli.main(['train', '--help'])\nexcept SystemExit: pass"
        )
        == []
    )


@pytest.mark.parametrize(
    "stage", ["data", "evaluate", "models", "predict", "review", "runs", "train", "plot"]
)
def test_stages_import_tensorflow_only_when_it_is_needed(stage):
    assert not {"tensorflow", "ipywidgets"} & {*modules_after(f"import dss; dss.{stage}")}


def test_widgets_are_imported_when_they_are_named():
    assert "ipywidgets" in modules_after("import dss; assert callable(dss.widgets.Viewer)")


def test_keras_comes_without_what_dss_does_not_use_and_that_can_still_be_imported():
    first = "import dss.models.backend"
    assert modules_after(first) == ["tensorflow", "keras", "pandas", "scipy"]
    heavy = modules_after(f"{first}\nimport matplotlib.pyplot, sklearn.metrics")
    assert {"matplotlib", "sklearn"} < {*heavy}


def test_a_name_that_is_no_stage_is_an_error():
    import dss

    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        dss.trian  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'roundz'"):
        dss.review.roundz  # noqa: B018


@pytest.mark.parametrize("package", ["dss", "dss.review"])
def test_submodules_are_imported_when_they_are_named(package):
    known_to_editors = re.findall(rf"from {package} import (\w+) as", MODULES[package].read_text())
    assert len(known_to_editors) > 8
    here = importlib.import_module(package)
    for name in known_to_editors:
        assert getattr(here, name).__name__ == f"{package}.{name}"
        assert name in dir(here)


# Each stage imports only those before it. Evaluating compares tables, choosing thresholds needs
# scores, and training ends with annotating the validation split: so evaluate comes first.
ROOMS = [
    *("errors", "support", "options", "data", "models", "runs", "evaluate", "predict", "train"),
    *("review", "plot", "widgets", "examples", "demo", "commands", "cli"),
]
PACKAGE = Path(__file__).parents[1] / "dss"


def dotted(file):
    """The name of a module by its file."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def imports_of(module):
    """The modules of dss that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return {name for name in found if name in MODULES and name != "dss"}


def room(module):
    return module.split(".")[1]


@pytest.mark.parametrize("module", [m for m in MODULES if m != "dss" and "__main__" not in m])
def test_a_module_imports_only_rooms_before_its_own(module):
    later = ROOMS[ROOMS.index(room(module)) + 1 :]
    assert not [name for name in imports_of(module) if room(name) in later]


def test_no_modules_import_each_other_in_a_circle():
    graph = {module: imports_of(module) for module in MODULES if "__main__" not in module}
    TopologicalSorter(graph).prepare()


def test_only_widgets_import_ipywidgets():
    users = [m for m, file in MODULES.items() if "import ipywidgets" in file.read_text()]
    assert {room(module) for module in users} == {"widgets"}
