import ast
import inspect
from pathlib import Path

import pytest

import dss
from dss import cli
from dss.data import make_dataset
from dss.errors import DssError
from dss.options import (
    DatasetOptions,
    DetectOptions,
    NetworkOptions,
    TrainOptions,
    read_options,
    write_arguments,
    written_fields,
)
from dss.options.notation import as_text
from dss.predict import Stream
from dss.train import train


def test_values_given_as_text_are_read():
    options = NetworkOptions.checked({"nb_hist": "256", "use_separable": "True, False"})
    assert options.nb_hist == 256
    assert options.use_separable == [True, False]


def test_an_unknown_name_is_an_error_with_the_nearest_right_one():
    with pytest.raises(
        DssError, match="nb_filter: there is no such option; did you mean nb_filters"
    ):
        NetworkOptions.checked({"nb_filter": 3})


def test_an_invalid_value_in_a_file_is_said_with_the_file(tmp_path):
    path = tmp_path / "options.yaml"
    for beside in ("", "versions: {dss: 1}\n"):  # as in the file of a run
        path.write_text(f"{beside}nb_epoch: 10\nnb_members: 1000000000\n")
        with pytest.raises(DssError, match=r"(?s)options\.yaml: these options .* nb_members: 10"):
            read_options(path, TrainOptions)


@pytest.mark.parametrize("value", [[], 5, {1: 2}, "\ud800"])
def test_augmentations_of_another_kind_are_an_error(value):
    with pytest.raises(DssError, match="These options cannot be used"):
        TrainOptions.checked({"data_dir": "song.npy", "augmentations": value})


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_path_that_no_file_can_have_is_an_error(name):
    with pytest.raises(DssError, match="save_dir: 'a.*b' cannot be a file or a folder"):
        TrainOptions.checked({"data_dir": "song.npy", "save_dir": name})
    TrainOptions.checked({"data_dir": "song.npy", "save_dir": "\udcff"})  # a byte that is no UTF-8


def test_of_a_long_value_only_the_beginning_is_said():
    with pytest.raises(DssError) as error:
        NetworkOptions.checked({"nb_hist": "x" * 10_000})
    assert str(error.value).endswith("xxx ... should be a whole number")
    assert len(str(error.value)) < 400


def test_all_problems_are_listed_at_once():
    with pytest.raises(DssError) as error:
        TrainOptions.checked({"nb_epoch": 0, "learning_rate": "fast"})
    for line in ("data_dir: is required: the dataset", "nb_epoch: 0", "learning_rate: 'fast'"):
        assert line in str(error.value)


def test_a_function_shows_its_options_and_their_defaults():
    parameters = inspect.signature(make_dataset).parameters
    assert next(iter(parameters)) == "folder"
    assert parameters["gap_seconds"].default == DatasetOptions.model_fields["gap_seconds"].default
    assert set(DatasetOptions.model_fields) < set(parameters)
    assert (
        str(parameters["song_types"])
        == "song_types: collections.abc.Sequence[str] | str | None = None"
    )
    assert "gap_seconds: Shorten segments that" in make_dataset.__doc__


def test_options_are_given_by_their_names_or_as_one_object():
    options = DatasetOptions(gap_seconds=0.1)
    assert DatasetOptions.given(None, {"gap_seconds": 0.1}) == options
    assert DatasetOptions.given(options, {}) is options
    with pytest.raises(DssError, match="gap_second: there is no such option"):
        make_dataset("x", gap_second=0.1)
    with pytest.raises(DssError, match="overwrite: give either"):
        make_dataset("x", options=options, overwrite=True)


def test_editors_and_type_checkers_know_each_option():
    written = write_arguments.FILE.read_text()
    assert written == write_arguments.arguments(), "run python -m dss.options.write_arguments"


def functions_with_options():
    """The functions that show options, and the file and line of each."""
    for path in sorted(Path(dss.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if any(
                getattr(d, "id", "") == "takes_options" for d in getattr(node, "decorator_list", ())
            ):
                yield pytest.param(node, id=f"{path.stem}.{node.name}")


@pytest.mark.parametrize("function", [*functions_with_options()])
def test_type_checkers_know_the_options_that_a_function_shows(function):
    (options,) = (a.annotation for a in function.args.kwonlyargs if a.arg == "options")
    name = ast.unparse(options).removesuffix(" | None")
    known = ast.unparse(function.args.kwarg.annotation)
    assert known == f"Unpack[{name.replace('Options', 'Arguments')}]"
    assert ast.unparse(function.body[1]) == f"options = {name}.given(options, named)"


def test_a_function_is_an_option_in_python_alone():
    options = DatasetOptions.checked({"loader": print, "endings": [".mat"]})
    assert options.loader is print
    assert not {"loader", "annotation_loader"} & options.to_yaml_types().keys()
    assert options.to_switches(["loader", "endings"]) == ["--endings", ".mat"]
    with pytest.raises(DssError, match="loader: 'x' should be callable"):
        DatasetOptions.checked({"loader": "x"})


@pytest.mark.parametrize(
    "options_class", [c for c in vars(dss.options).values() if isinstance(c, type)]
)
def test_every_option_explains_itself(options_class):
    for field in written_fields(options_class).values():
        assert field.title
        assert field.description.endswith(".")
        assert field.json_schema_extra["group"]


NAMES = [
    "a",
    "call A",
    "a=b",
    "x:y",
    "one, two",
    "it's",
    'a "long" call',
    "[a]",
    "{a}",
    "no",
    "1",
    "#",
]


@pytest.mark.parametrize("names", [*([name] for name in NAMES), NAMES])
def test_what_is_written_as_text_is_read_as_the_same(names):
    ranges = {name: (0.01 * i, 0.5) for i, name in enumerate(names)}
    assert DetectOptions(segment_durations=as_text(ranges)).segment_durations == ranges
    renames = dict(zip(names, reversed(names), strict=True))
    options = DatasetOptions(song_types=as_text(names), rename=as_text(renames))
    assert (options.song_types, options.rename) == (names, renames)
    for of_class in (options, DetectOptions(segment_durations=ranges)):
        read = {name: as_text(value) for name, value in of_class if as_text(value)}
        assert type(of_class)(**read) == of_class


def test_names_that_hold_blanks_are_written_in_quotes():
    assert as_text({"call A": (0.1, 0.2), "b": (0, 1)}) == '"call A=0.1:0.2" b=0:1'
    options = DetectOptions.checked({"segment_durations": '"call A"=0.1:0.2, b=0:1'})
    assert options.segment_durations == {"call A": (0.1, 0.2), "b": (0, 1)}
    (problem,) = DetectOptions.problems({"segment_durations": "{a: "}).values()
    assert "should be valid YAML" in problem
    words = DetectOptions(segment_durations={"call A": (0.1, 0.2)}).to_switches(
        ["segment_durations"]
    )
    assert DetectOptions(segment_durations=words[1:]).segment_durations == {"call A": (0.1, 0.2)}


def test_a_blank_can_be_given_on_a_command_line():
    given = {"augmentations": None, "freeze": [], "save_prefix": "", "save_dir": None}
    words = TrainOptions(data_dir="x.npy", **given).to_switches(given)
    namespace = vars(cli._parser()[0].parse_args(["train", *words]))
    options = TrainOptions(data_dir="x.npy", **{name: namespace[name] for name in given})
    assert options.model_fields_set == {"data_dir", *given}
    assert options == TrainOptions(data_dir="x.npy")


@pytest.mark.parametrize("name", ["noise", "not_song", "", " "])
@pytest.mark.parametrize(
    ("command", "option", "given"),
    [
        ("propose", "song_type", "{}"),
        ("check", "unnamed", "{}"),
        ("evaluate", "unnamed", "{}"),
        ("make-dataset", "rename", '{{a: "{}"}}'),
        ("convert", "rename", '{{a: "{}"}}'),
    ],
)
def test_only_names_of_song_types_are_taken(command, option, given, name, capsys):
    folders = ["x", "y"] if command == "evaluate" else ["x"]
    words = [command, *folders, f"--{option.replace('_', '-')}", given.format(name)]
    assert cli.main(words) == 2
    said = capsys.readouterr().err
    assert f"{option}: {name!r} should be the name of a song type" in said
    assert said.count("\n") <= 2


@pytest.mark.parametrize(
    ("function", "given", "said"),
    [
        (train, ["song.npy"], r"train\(\) takes options .*, such as train\(data_dir='song.npy'\)"),
        (train, [TrainOptions(data_dir="song.npy")], r"such as train\(options=...\)"),
        (make_dataset, ["song", "x.npy"], r"takes folder, and .* make_dataset\(folder, store_dir="),
        (Stream, ["run", 0.5], r"Stream\(\) takes run, and .* Stream\(run, event_threshold="),
    ],
)
def test_options_without_their_names_are_an_error_that_says_how_to_give_them(function, given, said):
    with pytest.raises(TypeError, match=said):
        function(*given)
