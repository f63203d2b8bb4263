import subprocess
import sys

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
    "stage", ["data", "evaluate", "postprocess", "predict", "proofread", "train", "tune", "plot"]
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
