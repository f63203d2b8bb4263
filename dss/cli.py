"""The `dss` command: one subcommand per stage, with switches derived from the stage's options."""

import argparse
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from dss import __version__, options
from dss.errors import DssError, DssWarning
from dss.support import system
from dss.support.spelling import guess


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit code: 0, 2 for invalid input, or 130 after Ctrl-C."""
    parser, subparsers = _parser()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    command = subparsers.get(arguments[0]) if arguments else None
    if command:
        arguments = _spell_out_switches(arguments, command)
    parsed, unknown = parser.parse_known_args(arguments)
    if unknown:
        parser.error(_explain_unknown(unknown, command))
    named = vars(parsed)
    run = named.pop("run_command", None)
    if run is None:
        parser.print_help()
        return 0
    try:
        with _stopped_by_sigterm(), warnings.catch_warnings():
            warnings.simplefilter("always", DssWarning)
            warnings.showwarning = _print_once()
            run(**named)
    except (DssError, OSError) as error:
        print(f"dss: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dss: stopped", file=sys.stderr)
        return 130
    return 0


def train_main(arguments: Sequence[str] | None = None) -> int:
    """Run `dss-train`, which is the same as `dss train`."""
    return main(["train", *(sys.argv[1:] if arguments is None else arguments)])


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Stop a command cleanly at SIGTERM, which schedulers and forms send, as at Ctrl-C."""
    with system.handling_stops(signal.default_int_handler, with_ctrl_c=False):
        yield


def _print_once() -> Callable[..., None]:
    """A function that prints each warning once: a file may be opened several times."""
    printed: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        kind = "warning" if category is DssWarning else category.__name__
        line = f"dss: {kind}: {message}"
        if line not in printed:
            print(line, file=sys.stderr)
        printed.add(line)

    return show


def _make_dataset(folder: Path, **named) -> None:
    """Assemble recordings and annotations into a dataset for training."""
    from dss.data import format_report, make_dataset, open_dataset

    store = make_dataset(folder, **named)
    print(format_report(open_dataset(store)))
    print(f"The dataset is in {store}")


def _check(folder: Path, **named) -> None:
    """Check recordings and annotations, and list all problems."""
    from dss.data import check_annotations
    from dss.data.problems import format_problems

    chosen = options.CheckOptions.checked(named)
    problems = check_annotations(folder, options=chosen)
    for severity in ("mended", "warning", "error"):
        for problem in format_problems(problems[problems["severity"] == severity]):
            print(f"{severity}: {problem}")
    n_errors = int((problems["severity"] == "error").sum())
    n_mended = int((problems["severity"] == "mended").sum())
    counts = {"error": n_errors, "warning": len(problems) - n_errors - n_mended}
    summary = ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for what, n in counts.items())
    summary += f", {n_mended} mended" * bool(n_mended)
    if n_errors:
        raise DssError(f"{summary}. Correct the errors before you make a dataset.")
    print(summary)
    if chosen.with_network:
        _check_with_network(folder, chosen)


def _check_with_network(folder: Path, chosen: options.CheckOptions) -> None:
    from dss.data.assembly import default_store
    from dss.plot.annotation_errors import save_errors
    from dss.review.annotation_errors import find_annotation_errors, format_errors
    from dss.review.views import open_views
    from dss.support.files import check_writable

    save_dir = chosen.save_dir or default_store(folder).with_suffix(".check")
    check_writable(save_dir)
    errors = find_annotation_errors(folder, options=chosen)
    print(format_errors(errors))
    for path in save_errors(errors, open_views(folder, options=chosen), save_dir):
        print(path)


def _train(options_file: Path | None = None, **named) -> None:
    """Train a network on a dataset."""
    if options_file:
        named = {**options.read_options(options_file, options.TrainOptions), **named}
    own = options.TrainOptions.model_fields
    if named.get("write_script"):
        from dss.train.job_script import write_script

        print(f"The script is {write_script(**named)}")
    elif for_script := named.keys() & options.TrainCommandOptions.model_fields.keys() - own.keys():
        names = ", ".join(sorted(for_script))
        raise DssError(f"{names}: only used in a script; name the script with --write-script")
    else:
        from dss.models import processes
        from dss.train import train

        trunk = train(**named)
        if processes.index() == 0:
            print(f"The files of the run begin with {trunk}")


def _learning_curve(**named) -> None:
    """Train with parts of a dataset, and say how much better more annotations would make it."""
    from dss.train import format_learning_curve, learning_curve

    table = learning_curve(**named)
    print(table.round(3).to_string(index=False))
    print(format_learning_curve(table))


def _propose(recordings: Path, **named) -> None:
    """Propose annotations without a network: sound that rises above the noise."""
    from dss.review.proposals import propose_files

    propose_files(recordings, after_each=lambda path: print(path, flush=True), **named)


def _predict(recordings: Path, run: Path, **named) -> None:
    """Annotate recordings (a file, a folder or a pattern) with a trained network."""
    from dss.predict import expected_errors, predict_files
    from dss.support.progress import say

    files = predict_files(recordings, run, after_each=lambda path: print(path, flush=True), **named)
    if files and named.get("format", "csv") == "csv":
        with suppress(DssError):  # a run from before is not calibrated
            say(str(expected_errors(files, run)))  # not among the files on standard output


def _tune(run: Path, **named) -> None:
    """Tune thresholds, gaps and durations on the validation data, and store them with the run."""
    from dss.predict.tuning import format_tuned, tune

    print(format_tuned(tune(run, **named)))


def _proofread(annotated: Path, **named) -> None:
    """List the least certain annotations, and suggest which recordings to annotate next."""
    from dss.review.proofread import format_proofread, least_certain, rank_recordings

    print(format_proofread(least_certain(annotated, **named), rank_recordings(annotated)))


def _evaluate(true: Path, predicted: Path, json: bool = False, **named) -> None:
    """Compare predictions with true annotations: two files or two folders."""
    from dss.evaluate import format_summary, summarize

    if json:
        print(summarize(true, predicted, **named).to_json(orient="index", indent=2))
    else:
        print(format_summary(true, predicted, **named))


def _demo(**named) -> None:
    """Run all stages on example recordings: make a dataset, train, annotate and score."""
    from dss.demo import demo

    demo(**named)


def _notebooks(folder: Path, **named: Any) -> None:
    """Write the four notebooks and their example recordings into a folder of yours."""
    from dss.examples import how_to_open, write_notebooks

    print(how_to_open(write_notebooks(folder, **named)))


RECORDINGS_HELP = "an audio file, a folder, or a pattern in quotes, such as 'day1/*.wav'"
RUN_HELP = "the run: the common start of its files' names, or any one of the files"
# Each command: its function, its positional arguments with their help, its class of options.
_COMMANDS: dict[str, tuple[Callable[..., None], dict[str, str], type[options.Options]]] = {
    "check": (
        _check,
        {"folder": "folder of recordings with their annotations"},
        options.CheckOptions,
    ),
    "propose": (
        _propose,
        {"recordings": RECORDINGS_HELP},
        options.ProposeOptions,
    ),
    "make-dataset": (
        _make_dataset,
        {"folder": "folder of recordings, each with its STEM_annotations.csv"},
        options.DatasetOptions,
    ),
    "train": (_train, {}, options.TrainCommandOptions),
    "learning-curve": (_learning_curve, {}, options.LearningCurveOptions),
    "predict": (
        _predict,
        {
            "recordings": RECORDINGS_HELP,
            "run": RUN_HELP,
        },
        options.PredictFilesOptions,
    ),
    "tune": (_tune, {"run": RUN_HELP}, options.TuneOptions),
    "proofread": (
        _proofread,
        {"annotated": "a STEM_annotations.csv written by dss predict, or a folder of such files"},
        options.ProofreadOptions,
    ),
    "evaluate": (
        _evaluate,
        {
            "true": "manual annotations (STEM_annotations.csv), or a folder of such files",
            "predicted": "predictions to compare with; files in folders are matched by name",
        },
        options.EvaluateOptions,
    ),
    "demo": (_demo, {}, options.DemoOptions),
    "notebooks": (_notebooks, {"folder": "where they go"}, options.NotebooksOptions),
}


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(
        prog="dss", description="Deep song segmenter: finds animal song in audio recordings."
    )
    parser.add_argument("--version", action="version", version=f"dss {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, (run, positionals, options_class) in _COMMANDS.items():
        command = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        for positional, text in positionals.items():
            command.add_argument(positional, type=Path, help=text)
        if name == "evaluate":
            command.add_argument("--json", action="store_true", help="print the scores as JSON")
        if name == "train":
            command.add_argument(
                "--options",
                dest="options_file",
                metavar="FILE",
                type=Path,
                default=argparse.SUPPRESS,
                help="read options from a YAML file; the _params.yaml of a run repeats the run",
            )
        _add_options(command, options_class)
        command.set_defaults(run_command=run)
    return parser, commands.choices


def _add_options(parser: argparse.ArgumentParser, options_class: type[options.Options]) -> None:
    """Add a switch for each field; values stay text, which the options class parses and checks."""
    for title, names in options.grouped_fields(options_class).items():
        group = parser.add_argument_group(title)
        for name in names:
            _add_option(group, name, options_class.model_fields[name])


def _add_option(group: argparse._ArgumentGroup, name: str, field: FieldInfo) -> None:
    flag = "--" + name.replace("_", "-")
    help_text = f"{field.description} {options.describe_range(field)}".replace("%", "%%")
    settings: dict[str, Any] = {"dest": name, "default": argparse.SUPPRESS}
    if field.annotation is bool:
        on: dict[str, Any] = {"nargs": "?", "const": "true", "metavar": "True|False"}
        off: dict[str, Any] = {"action": "store_const", "const": "false"}
        group.add_argument(flag, help=help_text, **on, **settings)
        group.add_argument(f"--no-{flag[2:]}", help=argparse.SUPPRESS, **off, **settings)
    elif options.holds_many(field):
        group.add_argument(flag, nargs="+", help=help_text, metavar="X", **settings)
    else:
        metavar = (options.declared(field)["unit"] or "X").upper()
        group.add_argument(flag, help=help_text, metavar=metavar, **settings)


def _explain_unknown(words: list[str], command: argparse.ArgumentParser | None) -> str:
    """Name the arguments that are unknown, and suggest the switch most similar to the first."""
    switches = command._option_string_actions if command else {}
    meant = guess(words[0].partition("=")[0], switches)
    return f"unrecognized arguments: {' '.join(words)}{meant}"


def _spell_out_switches(arguments: list[str], parser: argparse.ArgumentParser) -> list[str]:
    """Write `--switch True` as `--switch=True`, and a lone `--switch` as `--switch=true`.

    Otherwise a lone switch would take the word after it, such as a file name, for its value.
    """
    switches = {a.option_strings[0] for a in parser._actions if a.nargs == "?" and a.option_strings}
    spelled: list[str] = []
    for word in arguments:
        if spelled and spelled[-1] in switches:
            is_value = word.lower() in ("true", "false")
            spelled[-1] += f"={word}" if is_value else "=true"
            if is_value:
                continue
        spelled.append(word)
    return spelled


if __name__ == "__main__":
    sys.exit(main())
