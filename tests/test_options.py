import inspect

import pytest

from dss.data import make_dataset
from dss.errors import DssError
from dss.options import DatasetOptions, NetworkOptions, TrainOptions, takes_options


def test_values_given_as_text_are_read():
    options = NetworkOptions.checked({"nb_hist": "256", "use_separable": "True, False"})
    assert options.nb_hist == 256
    assert options.use_separable == [True, False]


def test_an_unknown_name_is_an_error_with_the_nearest_right_one():
    with pytest.raises(
        DssError, match="nb_filter: there is no such option; did you mean nb_filters"
    ):
        NetworkOptions.checked({"nb_filter": 3})


def test_all_problems_are_listed_at_once():
    with pytest.raises(DssError) as error:
        TrainOptions.checked({"nb_epoch": 0, "learning_rate": "fast"})
    for line in ("data_dir: is needed (data folder)", "nb_epoch: 0", "learning_rate: 'fast'"):
        assert line in str(error.value)


def test_a_function_shows_its_options_and_their_defaults():
    parameters = inspect.signature(make_dataset).parameters
    assert next(iter(parameters)) == "folder"
    assert parameters["gap_seconds"].default == DatasetOptions.model_fields["gap_seconds"].default
    assert set(DatasetOptions.model_fields) < set(parameters)
    assert "gap_seconds: Segments that follow" in make_dataset.__doc__


def test_options_do_not_reach_a_function_that_does_not_know_them():
    @takes_options
    def build(n: int, *, options: NetworkOptions) -> int:
        """Build."""
        return n * options.nb_conv

    assert build(2, nb_conv=5) == 10
    assert build(2, options=NetworkOptions(nb_conv=4)) == 8
    with pytest.raises(DssError, match="nb_convs"):
        build(2, nb_convs=5)


@pytest.mark.parametrize("options_class", [DatasetOptions, TrainOptions])
def test_every_option_explains_itself(options_class):
    for field in options_class.model_fields.values():
        assert field.title
        assert field.description.endswith(".")
        assert field.json_schema_extra["group"]
